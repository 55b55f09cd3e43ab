"""A portal in use: the small world of `test_pages` with all that pages have to show."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from enterprises.models import SavedView
from notices.models import Notice
from projects.models import DailyTally, LightSpan, Programme, Project
from projects.services.lights import refresh_lights
from projects.services.reminders import remind
from projects.services.tallying import keep_tallies
from projects.services.visits import NewItem
from tests import factories
from tests.test_pages import built, submitted
from tests.visits import world as visits

DAY = datetime.timedelta(days=1)


def furnished() -> dict[str, Any]:
    """A portal in use: every light, what waits, visits, reminders, a view, a yesterday.

    Returns:
        The world of `built`, and under "ids" what addresses name.
    """
    world = built()
    today, group, project = world["today"], world["group"], world["project"]
    ids = submitted(world)
    programme = project.programme
    Project.objects.filter(pk=project.pk).update(
        liaison_leader=world["leader"], is_key=True, place="1 号地块"
    )
    for days, state in ((-8, "in_progress"), (2, "in_progress"), (70, "in_progress"), (-5, "accepted")):
        more = factories.project(
            group,
            programme,
            category=project.category,
            coordinator=world["officer"],
            starts_on=today - DAY * 60,
            approved_on=today - DAY * 70,
            liaison_leader=world["leader"],
        )
        on = today - DAY * 6 if state == "accepted" else None
        factories.milestone(more, today + DAY * days, state=state, claimed_on=on, accepted_on=on)
    factories.project(group, programme, status="not_started")
    place = visits.World(
        world["root"], group, programme, project, world["leader"], world["staff"], world["officer"], today
    )
    visits.visited(place, items=[NewItem(text="补办占道手续", due_on=today, responsible_text="王某")])
    visits.instructed(place)
    refresh_lights(as_of=today)
    with_a_yesterday(programme, today)
    remind(milestone_ids=[world["late"].pk], actor=world["staff"], at=timezone.now(), note="请今日反馈")
    view = SavedView.objects.create(
        owner=world["staff"], listed="projects.project", name="红灯项目", query="light__exact=red",
        columns=["due_on"],
    )  # fmt: skip
    known = {"project": project.pk, "late": world["late"].pk, "programme": programme.pk, "view": view.pk}
    return {**world, "ids": {**ids, **known, "yesterday": (today - DAY).isoformat()}}


def with_a_yesterday(programme: Programme, today: datetime.date) -> None:
    """Lights began the day before, and a snapshot of that day was kept."""
    LightSpan._base_manager.update(from_on=today - DAY * 2)
    keep_tallies(as_of=today - DAY)
    keep_tallies(as_of=today)
    assert DailyTally.objects.filter(programme=programme, day=today - DAY).exists()


def many_unread(*readers: Any) -> None:
    """More than the bell counts: its widest number is "99+"."""
    pattern = Notice.objects.filter(recipient__isnull=False).latest("pk")
    told = ("kind", "data", "subject", "subject_id", "enterprise", "on", "at", "way", "leaves_at")
    same = {name: getattr(pattern, name) for name in told}
    Notice.objects.bulk_create(
        Notice(recipient=reader, cause=f"{reader.pk}:{n}", **same) for reader in readers for n in range(100)
    )
