"""Climbing the escalation ladder: who must be told of a due date, each rung once per episode.

After the due date the claim is a column of the locked episode (`climbed`, the highest rung told), so a
worker that comes a moment later finds it no longer matching. Before it there is no episode: the rows of
`Escalation` are the claim, written under the lock of the milestone and unique per due date.

A milestone that comes back from a review is overdue again as from its first date, but its ladder begins
anew with the new episode: nobody is told "fifteen days" of what lay on the reviewer's desk for fourteen.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from enterprises.scoping import prefixes
from notices.models import Robot
from notices.services.telling import Tell, tell
from projects.deadlines import due_by_q, open_q
from projects.ladder import Recipient, Rung, day_of, leaves_at, reached_by
from projects.models import Escalation, Milestone, OverdueEpisode, PatrolRun, Programme, Project
from projects.notice_names import DUE, OVERDUE
from projects.services.batches import drain, held_back, held_back_through
from projects.services.ladders import Ladder, ladder_of
from projects.services.posts import NOBODY, Found, Posts
from projects.services.working_calendar import working_calendar
from projects.working_days import WorkingCalendar

DAY = datetime.timedelta(days=1)
BATCH = 2_000

#: Rungs that a group above the enterprises hears of: the top sees few.
_TOP = (Recipient.REVIEWER.value, Recipient.LIAISON_LEADER.value)


@dataclass
class Climbed:
    """What one climb did: rungs, notices written, rows set aside."""

    rungs: int = 0
    told: int = 0
    set_aside: int = 0


@dataclass(frozen=True)
class Step:
    """One rung that one milestone has reached. `since` is the day from which its working days count."""

    milestone: Milestone
    rung: Rung
    on: datetime.date
    since: datetime.date
    episode: OverdueEpisode | None = None

    @property
    def due_on(self) -> datetime.date:
        assert self.milestone.due_on is not None  # both queues ask for a date
        return self.milestone.due_on

    @property
    def cause(self) -> str:
        """One cause is told to one person once, whatever posts that person holds."""
        if self.episode is not None:
            return f"episode:{self.episode.pk}:{self.rung.days}"
        return f"due:{self.milestone.pk}:{self.due_on}:{self.rung.days}"


@dataclass
class Climb:
    """One programme's ladder on one day."""

    programme: Programme
    ladder: Ladder
    as_of: datetime.date
    calendar: WorkingCalendar
    at: datetime.datetime
    climbed: Climbed = field(default_factory=Climbed)

    def __post_init__(self) -> None:
        self.reached = {rung.days: reached_by(rung, self.as_of, self.calendar) for rung in self.ladder.rungs}
        self.after = sorted({days for days in self.reached if days > 0})
        self.before = sorted({days for days in self.reached if days < 0}, reverse=True)

    def overdue(self) -> QuerySet[OverdueEpisode]:
        """Open episodes that have reached a rung which was not told, of milestones still overdue."""
        passed = Q(pk__in=[])
        for days in self.after:
            passed |= Q(climbed__lt=days, opened_on__lte=self.reached[days] + DAY)
        return (
            OverdueEpisode.objects.open()
            .filter(
                passed,
                open_q("milestone__"),
                ~held_back_through("milestone"),
                milestone__due_on=F("due_on"),
                milestone__project__programme=self.programme,
            )
            .order_by("opened_on", "pk")
        )

    def due(self, days: int) -> QuerySet[Milestone]:
        """Milestones due within `-days` working days that were told of neither this rung nor a nearer one."""
        nearer = Escalation.objects.filter(
            milestone=OuterRef("pk"), due_on=OuterRef("due_on"), episode=None, days__gte=days
        )
        return Milestone.objects.filter(
            due_by_q(self.as_of, self.reached[days]),
            ~held_back(),
            ~Exists(nearer),
            project__programme=self.programme,
        ).order_by("due_on", "pk")

    def steps_of(self, episode: OverdueEpisode) -> list[Step]:
        """The rungs that an open episode has reached and was not told of."""
        since = episode.opened_on - DAY
        return [
            Step(episode.milestone, rung, day_of(rung, since, self.calendar), since, episode)
            for rung in self.ladder.rungs
            if rung.days > episode.climbed and since <= self.reached[rung.days]
        ]

    def steps_before(self, milestone: Milestone, days: int) -> list[Step]:
        assert milestone.due_on is not None  # `due` asks for a date
        return [
            Step(milestone, rung, day_of(rung, milestone.due_on, self.calendar), milestone.due_on)
            for rung in self.ladder.rungs
            if rung.days == days
        ]


def climb(
    *, as_of: datetime.date, at: datetime.datetime, run_id: int | None = None, batch: int = BATCH
) -> Climbed:
    """Tell whoever has to be told by the ladders of the programmes in force.

    Args:
        as_of: the day in Asia/Shanghai.
        at: the moment; quiet hours are read from it in the portal's zone.
        run_id: the patrol's run that goes with it; None makes a run of its own when there is something.
        batch: rows per transaction.

    Returns:
        Rungs climbed, notices written, rows set aside.
    """
    calendar, total = working_calendar(), Climbed()
    for programme in Programme.objects.in_force(as_of).filter(ladder_on=True):
        climbing = Climb(programme, ladder_of(programme), as_of, calendar, timezone.localtime(at), total)
        _done, aside = drain(
            partial(_climb_overdue, climbing=climbing), climbing.overdue(),
            as_of=as_of, batch=batch, milestone="milestone_id",
        )  # fmt: skip
        total.set_aside += aside
        for days in climbing.before:
            _done, aside = drain(
                partial(_climb_due, climbing=climbing, days=days),
                climbing.due(days),
                as_of=as_of,
                batch=batch,
            )
            total.set_aside += aside
    if total.rungs or total.set_aside:
        _note(total, as_of, at, run_id)
    return total


def _climb_overdue(rows: QuerySet[OverdueEpisode], *, climbing: Climb) -> int:
    locked = rows.select_for_update(skip_locked=True, of=("self",), no_key=True)
    episodes = list(locked.select_related("milestone__project__enterprise"))
    steps: list[Step] = []
    highest: dict[int, list[int]] = {}
    for episode in episodes:
        own = climbing.steps_of(episode)
        steps += own
        highest.setdefault(max(step.rung.days for step in own), []).append(episode.pk)
    for days, pks in highest.items():
        OverdueEpisode.objects.filter(pk__in=pks).update(climbed=days)
    _tell_of(steps, climbing)
    return len(episodes)


def _climb_due(rows: QuerySet[Milestone], *, climbing: Climb, days: int) -> int:
    locked = rows.select_for_update(skip_locked=True, of=("self",), no_key=True)
    milestones = list(locked.select_related("project__enterprise"))
    # The lock came after the look: another worker may have told of some in between.
    already = set(
        Escalation.objects.filter(milestone__in=milestones, episode=None, days__gte=days).values_list(
            "milestone_id", "due_on"
        )
    )
    _tell_of(
        [
            step
            for milestone in milestones
            if (milestone.pk, milestone.due_on) not in already
            for step in climbing.steps_before(milestone, days)
        ],
        climbing,
    )
    return len(milestones)


def _tell_of(steps: Sequence[Step], climbing: Climb) -> None:
    """Write down the rungs and the notices about them, in the caller's transaction."""
    found = found_for(steps, on=climbing.as_of)
    Escalation.objects.bulk_create(
        Escalation(
            milestone=step.milestone,
            episode=step.episode,
            due_on=step.due_on,
            days=step.rung.days,
            recipient=step.rung.recipient,
            order=step.rung.order,
            on=step.on,
            at=climbing.at,
            told_instead=who.instead,
            told=len(who.people),
        )
        for step, who in zip(steps, found, strict=True)
    )
    climbing.climbed.rungs += len(steps)
    robots = _Robots(step.milestone.project for step in steps)
    climbing.climbed.told += tell(
        (
            item
            for step, who in zip(steps, found, strict=True)
            for item in _notices(step, who, robots, climbing)
        ),
        at=climbing.at,
    )


def found_for(steps: Sequence[Step], *, on: datetime.date) -> list[Found]:
    """Who is told of each step, in the same order."""
    posts = Posts([step.milestone.project for step in steps], on=on)
    return [posts.find(step.milestone.project, step.rung.recipient) for step in steps]


def _notices(step: Step, who: Found, robots: _Robots, climbing: Climb) -> Iterator[Tell]:
    project, rung, ladder = step.milestone.project, step.rung, climbing.ladder
    about: dict[str, Any] = {
        "kind": OVERDUE if rung.days > 0 else DUE,
        "cause": step.cause,
        "subject": "projects.milestone",
        "subject_id": step.milestone.pk,
        "enterprise_id": project.enterprise_id,
        "on": step.on,
        "urgent": rung.urgent,
        "mandatory": rung.mandatory,
        "leaves_at": leaves_at(climbing.at, ladder.quiet_from, ladder.quiet_until)
        if rung.urgent
        else climbing.at,
    }
    data = {
        "milestone": step.milestone.name,
        "project": project.name,
        "project_id": project.pk,
        "enterprise": project.enterprise.short_name or project.enterprise.name,
        "programme": climbing.programme.name,
        "due_on": str(step.due_on),
        "days": rung.days,
        "order": rung.order,
        "post": rung.recipient,
        "instead": who.instead,
        "episode": step.episode.pk if step.episode else None,
    }
    for person in who.people:
        yield Tell(recipient_id=person.user_id, data={**data, "acting_for": person.acting_for}, **about)
    if rung.days > 0:
        for robot_id in robots.of(project, top=rung.recipient in _TOP or who.instead in (*_TOP, NOBODY)):
            yield Tell(robot_id=robot_id, data=data, **about)


class _Robots:
    """The group robots that hear of a project: its enterprise's and those of the units above it.

    A group at a SASAC hears only of rungs that reach the SASAC; the groups of enterprises of all.
    """

    def __init__(self, projects: Iterable[Project]) -> None:
        paths = {path for project in projects for path in prefixes(project.enterprise.path)}
        self._by_path: dict[str, list[tuple[int, bool]]] = {}
        robots = Robot.objects.filter(enterprise__path__in=paths, is_on=True)
        for pk, path, kind in robots.values_list("pk", "enterprise__path", "enterprise__kind"):
            self._by_path.setdefault(path, []).append((pk, kind == "sasac"))

    def of(self, project: Project, *, top: bool) -> list[int]:
        return [
            pk
            for path in prefixes(project.enterprise.path)
            for pk, is_sasac in self._by_path.get(path, ())
            if top or not is_sasac
        ]


def _note(climbed: Climbed, as_of: datetime.date, at: datetime.datetime, run_id: int | None) -> None:
    """Add what was told to the run that the patrol page shows."""
    counts = {"escalated": climbed.rungs, "told": climbed.told}
    if run_id is not None:
        PatrolRun.objects.filter(pk=run_id).update(**counts, set_aside=F("set_aside") + climbed.set_aside)
        return
    PatrolRun.objects.create(
        as_of=as_of, started_at=at, finished_at=timezone.now(), set_aside=climbed.set_aside, **counts
    )
