"""Visits, instructions and their action items of the demonstration: by number and today, like all of it."""

from __future__ import annotations

import datetime

from django.utils import timezone

from enterprises.models import User
from projects.models import ActionItem, Programme, Project, SiteVisit

DAY = datetime.timedelta(days=1)
#: How many projects have what; enough to meet all of it, few enough to read.
VISITED, INSTRUCTED = 16, 6

_FINDINGS = (
    "现场查看施工面，询问了居民代表。总体按计划推进，围挡和夜间施工告示较规范；沿街商户反映出入口堆料，需尽快清理。",
    "听取项目汇报并实地查看。剩余工程量集中在交叉路口，占道手续是关键；要求倒排工期、挂图作战，每周报一次进度。",
    "召开现场推进会，住建、交警、街道参加。明确了管线迁改的先后次序，居民停水安排须提前三天公示。",
)
_ITEMS = (
    ("清理沿街商户出入口堆料，设置临时通道，并在现场公示恢复时间。", "项目部"),
    ("一周内办结占道施工手续，办理情况报国资委。", "建设管理部"),
    ("停水、改道提前三天公示，做好老年住户的上门告知。", "客户服务中心"),
)
_INSTRUCTIONS = (
    "请抓紧扭转滞后局面，一周内拿出赶工方案，逐日对照序时进度。",
    "群众关切，务必按期兑现；如有困难请及时报告，不得拖延。",
)


def load_visits(*, programme: Programme, today: datetime.date) -> None:
    """Give the demonstration its visits. Called once, in the transaction of the load."""
    leader = User.objects.get(username="leader")
    officer = User.objects.filter(is_demo=True, memberships__role="officer").order_by("pk").first()
    projects = Project.objects.filter(programme=programme, status="in_progress")
    # The liaison leader's own first; every third of them stays unvisited, so that this is seen too.
    mine = list(projects.filter(liaison_leader=leader).order_by("code"))
    # Then those of the officers who can log in, so that they have something to answer.
    others = sorted(
        projects.exclude(liaison_leader=leader), key=lambda row: (row.coordinator_id is None, row.code)
    )
    visited = ([row for number, row in enumerate(mine) if number % 3 != 2] + others)[:VISITED]
    for number, project in enumerate(visited):
        _visit(project, number, leader, officer, today)
    answering = [row for row in others if row.coordinator_id]
    instructed = [*mine[1::4], *answering[1::3], *others[::-7]][:INSTRUCTED]
    for number, project in enumerate(dict.fromkeys(instructed)):
        given = today - DAY * (2 + 3 * number)
        ActionItem.objects.create(
            project=project,
            text=_INSTRUCTIONS[number % len(_INSTRUCTIONS)],
            leader=leader,
            due_on=given + DAY * 7,
            given_on=given,
            recorded_by=leader,
            recorded_at=_at(given),
        )


def _visit(project: Project, number: int, leader: User, officer: User | None, today: datetime.date) -> None:
    day = today - DAY * (4 + 7 * number)
    visit = SiteVisit.objects.create(
        project=project,
        kind=SiteVisit.Kind.MEETING if number % 3 == 2 else SiteVisit.Kind.VISIT,
        visited_on=day,
        place=project.place,
        leader=leader,
        companions="改革发展处、企业主要负责人" if number % 2 else "",
        findings=_FINDINGS[number % len(_FINDINGS)],
        recorded_by=leader,
        recorded_at=_at(day),
    )
    text, responsible = _ITEMS[number % len(_ITEMS)]
    item = ActionItem(
        project=project,
        visit=visit,
        text=text,
        leader=leader,
        responsible_text=responsible,
        due_on=day + DAY * 14,
        given_on=day,
        recorded_by=leader,
        recorded_at=_at(day),
    )
    if number % 4 in (1, 3) and officer is not None:
        item.done_on = min(today, day + DAY * (9 + number % 8))
        item.done_by, item.done_note = officer, "已按要求办结，现场已复查，并向街道和居民代表作了说明。"
    item.save()


def _at(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime(day.year, day.month, day.day, 17, 5))
