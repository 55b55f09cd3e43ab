"""Who would be told on a day by a ladder, without telling anybody: what is shown before it is saved."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass, field

from enterprises.models import User
from enterprises.scoping import permitted_q
from projects.deadlines import overdue_q, unflagged_q
from projects.models import Milestone, OverdueEpisode, Programme
from projects.services.climbing import Climb, Climbed, Step, found_for
from projects.services.ladders import Ladder
from projects.services.posts import NOBODY
from projects.services.working_calendar import working_calendar

#: So many reached rungs are worked out; a day with more says so.
MOST_STEPS = 2_000
SHOWN_EACH = 5


@dataclass
class Hearer:
    """One person and what would be told to them; None: all those together whom the reader may not know."""

    person: User | None
    count: int = 0
    steps: list[Step] = field(default_factory=list)


@dataclass
class LadderPreview:
    """What a ladder would do on a day.

    Attributes:
        on: the day.
        is_working: working days only move the ladder; on another day little happens.
        uncovered: years whose holidays are not known, counted Monday to Friday.
        hearers: by number of notices, most first; those beyond the reader's units as one, last.
        instead: (post, told instead) → number of rungs whose post is vacant.
        nobody: rungs that would reach nobody.
        cut: whether there were more than `MOST_STEPS`.
    """

    on: datetime.date
    is_working: bool
    uncovered: list[int]
    hearers: list[Hearer]
    instead: Counter[tuple[str, str]]
    nobody: int
    cut: bool


def preview_ladder(*, programme: Programme, ladder: Ladder, on: datetime.date, reader: User) -> LadderPreview:
    """Work out whom `ladder` would tell on `on`, the patrol having run the day before.

    Args:
        ladder: need not be saved.
        on: usually tomorrow: what is due today and stays open counts as overdue then.
        reader: only what this person may see is counted and named.
    """
    calendar = working_calendar()
    moment = datetime.datetime.combine(on, datetime.time(0, 1))
    climb = Climb(programme, ladder, on, calendar, moment, Climbed())
    steps = _steps(climb, reader) if ladder.is_on else []
    cut = len(steps) > MOST_STEPS
    steps = steps[:MOST_STEPS]
    people: dict[int | None, Hearer] = {}
    instead: Counter[tuple[str, str]] = Counter()
    nobody = 0
    found = found_for(steps, on=on)
    told = {holder.user_id for one in found for holder in one.people}
    known = User.objects.choosable_by(reader).in_bulk(told)  # type: ignore[attr-defined]
    for step, one in zip(steps, found, strict=True):
        if one.instead:
            instead[step.rung.recipient, one.instead] += 1
        nobody += one.instead == NOBODY
        for holder in one.people:
            person = known.get(holder.user_id)
            hearer = people.setdefault(person.pk if person else None, Hearer(person))
            hearer.count += 1
            if len(hearer.steps) < SHOWN_EACH:
                hearer.steps.append(step)
    hearers = sorted(people.values(), key=_most_first)
    uncovered = sorted({year for year in (on.year, on.year + (on.month > 10)) if not calendar.covers(year)})
    return LadderPreview(on, calendar.is_working(on), uncovered, hearers, instead, nobody, cut)


def _most_first(hearer: Hearer) -> tuple[bool, int, int]:
    return hearer.person is None, -hearer.count, hearer.person.pk if hearer.person else 0


def _steps(climb: Climb, reader: User) -> list[Step]:
    """The rungs that would be climbed, of open episodes, of milestones that turn overdue, and before dates."""
    related = "milestone__project__enterprise"
    episodes = climb.overdue().filter(permitted_q(OverdueEpisode, reader, "view"))
    found = [
        step for row in episodes.select_related(related)[: MOST_STEPS + 1] for step in climb.steps_of(row)
    ]
    turning = (
        Milestone.objects.visible_to(reader)
        .filter(overdue_q(climb.as_of), unflagged_q(), project__programme=climb.programme)
        .select_related("project__enterprise")
        .order_by("due_on", "pk")
    )
    for milestone in turning[: MOST_STEPS + 1]:
        assert milestone.due_on is not None  # overdue_q asks for a date
        opened = max(milestone.due_on + datetime.timedelta(days=1), milestone.open_since or milestone.due_on)
        found += climb.steps_of(
            OverdueEpisode(milestone=milestone, due_on=milestone.due_on, opened_on=opened)
        )
    nearer: set[int] = set()
    for days in climb.before:
        due = climb.due(days).filter(permitted_q(Milestone, reader, "view"))
        for milestone in due.select_related("project__enterprise")[: MOST_STEPS + 1]:
            if milestone.pk not in nearer:  # the nearest rung only, as the climb itself writes it down
                nearer.add(milestone.pk)
                found += climb.steps_before(milestone, days)
    return found
