"""What a fresh portal shows at work: reports, requests and close-outs of the demonstration.

Everything here is generated around today and belongs to a programme that says it is demonstration data;
the pictures are drawn, and say so.
"""

from __future__ import annotations

import datetime
import io
import random

from django.utils import timezone
from PIL import Image, ImageDraw

from enterprises.models import User
from projects.evidence import pictures, storage
from projects.evidence.files import judge
from projects.models import (
    CloseOut,
    Evidence,
    ExtensionRequest,
    Milestone,
    Programme,
    ProgressReport,
    Project,
    Submission,
)
from projects.services.certificates import facts_of
from projects.services.reports import adopt_claims
from projects.services.working_calendar import working_calendar
from projects.states import CloseOutState, ExtensionState, MilestoneState, ReportState
from projects.working_days import WorkingCalendar

DAY = datetime.timedelta(days=1)
#: How many of each kind; enough to meet all of them, few enough to read.
PROGRESS, EXTENSIONS, PICTURES = 60, 6, 8
SHIFTS_ALONG = 15


def load_submissions(*, programme: Programme, today: datetime.date, staff: User, chief: User) -> None:
    """Give the demonstration its reports and requests. Called once, in the transaction of the load.

    Args:
        staff: who decided on what is decided.
        chief: the second person where two are needed.
    """
    chance, calendar = random.Random(20261), working_calendar()
    adopt_claims()
    _fill_claims(programme, chance, today)
    _returned(programme, staff, today, calendar)
    _progress(programme, chance, staff, today, calendar)
    _extensions(programme, chance, staff, today, calendar)
    _close_outs(programme, staff, chief, today, calendar)
    _pictures(programme, chance, today)


def _at(day: datetime.date, hour: int) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime(day.year, day.month, day.day, hour, 20))


def _milestones(programme: Programme, *states: str) -> list[Milestone]:
    rows = Milestone.objects.filter(project__programme=programme, state__in=states)
    return list(rows.select_related("project").order_by("project__code", "order"))


def _fill_claims(programme: Programme, chance: random.Random, today: datetime.date) -> None:
    """Texts for the claims that wait, and days on which they were handed in."""
    waiting = ProgressReport.objects.waiting().filter(milestone__project__programme=programme)
    for report in waiting.select_related("milestone").order_by("pk"):
        name = report.milestone.name
        handed_in = max(report.submitted_on or today, today - DAY * chance.randrange(0, 13))
        report.done = f"“{name}”已全部完成，并会同社区代表现场查看，群众无异议。"
        report.next_step = "整理竣工资料，转入下一节点。"
        report.submitted_on, report.submitted_at = handed_in, _at(handed_in, 9 + report.pk % 8)
        report.save()


def _decided(
    row: Submission, by: User, on: datetime.date, calendar: WorkingCalendar, comment: str = ""
) -> None:
    row.decided_by, row.decided_on, row.decided_at, row.comment = by, on, _at(on, 15), comment
    row.waited_days = calendar.days_between(row.submitted_on or on, on)


def _returned(programme: Programme, staff: User, today: datetime.date, calendar: WorkingCalendar) -> None:
    for milestone in _milestones(programme, MilestoneState.RETURNED):
        day = today - DAY * 3
        report = ProgressReport(
            milestone=milestone,
            state=ReportState.RETURNED,
            percent=100,
            percent_before=milestone.percent,
            done=f"“{milestone.name}”已完成。",
            claimed_on=day - DAY * 3,
            submitted_on=day - DAY * 2,
            submitted_at=_at(day - DAY * 2, 10),
        )
        _decided(report, staff, day, calendar, milestone.comment)
        report.save()


def _progress(
    programme: Programme,
    chance: random.Random,
    staff: User,
    today: datetime.date,
    calendar: WorkingCalendar,
) -> None:
    """Reports of progress: most were reviewed, the youngest wait."""
    rows = [m for m in _milestones(programme, MilestoneState.IN_PROGRESS) if m.percent]
    for number, milestone in enumerate(rows[:PROGRESS]):
        first = _first_round(milestone, number, staff, today, calendar)
        handed_in = today - DAY * chance.randrange(0, 20)
        report = ProgressReport(
            milestone=milestone,
            round=first.round + 1,
            state=ReportState.SUBMITTED,
            percent=milestone.percent,
            percent_before=first.percent,
            done=f"“{milestone.name}”完成约 {milestone.percent}%，工序按施工组织设计推进。",
            problems="近期降雨较多，部分路段开挖受影响。" if number % 3 == 0 else "",
            needs="请协调交警部门办理占道施工手续。" if number % 5 == 0 else "",
            next_step="加派班组，抢晴天施工。" if number % 3 == 0 else "继续按计划推进。",
            submitted_on=handed_in,
            submitted_at=_at(handed_in, 9 + number % 8),
        )
        if (today - handed_in).days > 4:
            report.state = ReportState.ACCEPTED
            _decided(report, staff, min(today, handed_in + DAY * chance.randrange(1, 9)), calendar)
        report.save()


def _first_round(
    milestone: Milestone, number: int, staff: User, today: datetime.date, calendar: WorkingCalendar
) -> ProgressReport:
    """What was reported and accepted three weeks before."""
    percent = max(0, milestone.percent - 5 - number % 20)
    day = today - DAY * (24 + number % 7)
    report = ProgressReport(
        milestone=milestone,
        state=ReportState.ACCEPTED,
        percent=percent,
        done=f"“{milestone.name}”完成约 {percent}%，工序按施工组织设计推进。",
        problems="近期降雨较多，部分路段开挖受影响。" if number % 4 == 0 else "",
        next_step="继续按计划推进。",
        submitted_on=day,
        submitted_at=_at(day, 10),
    )
    _decided(report, staff, day + DAY * (1 + number % 3), calendar)
    report.save()
    return report


def _extensions(
    programme: Programme,
    chance: random.Random,
    staff: User,
    today: datetime.date,
    calendar: WorkingCalendar,
) -> None:
    """Requests for dates that are near: some wait and stop the clock, one was turned down."""
    near = [
        m
        for m in _milestones(programme, MilestoneState.IN_PROGRESS)
        if m.due_on and today <= m.due_on <= today + DAY * 8
    ]
    for number, milestone in enumerate(near[:EXTENSIONS]):
        assert milestone.due_on is not None
        handed_in = today - DAY * chance.randrange(1, 7)
        request = ExtensionRequest(
            milestone=milestone,
            state=ExtensionState.SUBMITTED,
            from_on=milestone.due_on,
            to_on=milestone.due_on + DAY * SHIFTS_ALONG,
            reason_class=ExtensionRequest.ReasonClass.SITE
            if number % 2
            else ExtensionRequest.ReasonClass.PERMITS,
            reason="连续降雨，沟槽积水，无法按期回填。"
            if number % 2
            else "道路开挖许可尚在办理，预计两周内取得。",
            submitted_on=handed_in,
            submitted_at=_at(handed_in, 11),
        )
        if number == EXTENSIONS - 1:
            request.state = ExtensionState.REJECTED
            _decided(request, staff, today, calendar, "许可手续应提前办理，请按原期限完成。")
        else:
            milestone.awaits_extension = True
            milestone.save(update_fields=["awaits_extension"])
        request.save()


def _close_outs(
    programme: Programme, staff: User, chief: User, today: datetime.date, calendar: WorkingCalendar
) -> None:
    """The projects that are closed out have a certificate; three people stand behind each."""
    officer = User.objects.filter(is_demo=True, memberships__role="officer").order_by("pk").first()
    closed = Project.objects.filter(programme=programme, status="closed_out").order_by("code")
    for number, project in enumerate(closed, start=1):
        done = max((m.claimed_on for m in project.milestones.all() if m.claimed_on), default=today - DAY * 9)
        day = min(today, done + DAY * 6)
        row = CloseOut(
            project=project,
            programme=programme,
            state=CloseOutState.APPROVED,
            number=number,
            achieved="承诺事项已全部完成，经现场核实，群众反映良好。",
            promised=project.measures,
            completed_on=done,
            beneficiaries_reached=project.beneficiaries_number,
            beneficiaries_unit=project.beneficiaries_unit,
            follow_up="纳入日常养护。",
            follow_up_owner=project.coordinator_text,
            submitted_by=officer,
            submitted_on=done,
            submitted_at=_at(done, 16),
            verified_by=staff,
            verified_at=_at(day, 10),
        )
        _decided(row, chief, day, calendar)
        row.facts = facts_of(row).as_json()
        row.save()


def _pictures(programme: Programme, chance: random.Random, today: datetime.date) -> None:
    """Drawn pictures for some reports; the first two are the same one, for the reviewer to find."""
    reports = ProgressReport.objects.waiting().filter(milestone__project__programme=programme).order_by("pk")
    for number, report in enumerate(reports.select_related("milestone__project")[:PICTURES]):
        scene = 0 if number == 1 else number
        for stage in (Evidence.Stage.BEFORE, Evidence.Stage.AFTER)[: 1 + number % 2]:
            _keep(report, _drawn(scene, str(stage)), str(stage), today)


def _keep(report: ProgressReport, content: bytes, stage: str, today: datetime.date) -> None:
    judged, folder = judge(io.BytesIO(content), f"演示图片-{stage}.jpg"), storage.new_folder(today)
    picture = judged.picture
    assert picture is not None
    Evidence.objects.create(
        project=report.milestone.project,
        report=report,
        kind=judged.kind,
        stage=stage,
        name=judged.name,
        content_type=judged.content_type,
        size=judged.size,
        sha256=judged.sha256,
        width=picture.width,
        height=picture.height,
        phash=picture.phash,
        phash_bands=[] if picture.phash is None else pictures.bands(picture.phash),
        preview=storage.write(f"{folder}/preview.jpg", picture.preview),
        thumbnail=storage.write(f"{folder}/thumb.jpg", picture.thumbnail),
        uploaded_by=report.decided_by or report.submitted_by or _anybody(),
    )


def _anybody() -> User:
    return User.objects.filter(is_demo=True, memberships__role="officer").order_by("pk")[0]


def _drawn(scene: int, stage: str) -> bytes:
    """A street with a trench (before) or a covered one (after), different for each scene."""
    chance = random.Random(f"{scene}")
    image = Image.new("RGB", (1200, 900), (168 + chance.randrange(40), 190 + chance.randrange(30), 214))
    draw = ImageDraw.Draw(image)
    for _house in range(6):
        left, width, top = chance.randrange(0, 1050), chance.randrange(90, 260), chance.randrange(180, 420)
        wall = tuple(chance.randrange(90, 220) for _ in range(3))
        draw.rectangle((left, top, left + width, 560), fill=wall)
        for window in range(top + 24, 520, 56):
            draw.rectangle((left + 18, window, left + width // 2, window + 26), fill=(235, 232, 210))
    draw.rectangle((0, 560, 1200, 900), fill=(120, 116, 108))
    at = chance.randrange(120, 700)
    if stage == Evidence.Stage.BEFORE:
        draw.polygon([(at, 900), (at + 330, 900), (at + 240, 560), (at + 150, 560)], fill=(92, 66, 44))
        draw.line([(at + 195, 900), (at + 195, 560)], fill=(40, 80, 150), width=26)
    else:
        draw.polygon([(at, 900), (at + 330, 900), (at + 240, 560), (at + 150, 560)], fill=(150, 148, 140))
        draw.ellipse((at + 140, 700, at + 220, 740), fill=(70, 70, 70))
    draw.text((24, 852), "DEMO PICTURE - DRAWN, NOT A PHOTO", fill=(255, 255, 255), font_size=30)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()
