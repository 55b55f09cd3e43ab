"""One definition of overdue: its boundaries, its twins, and that there is no second one."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from projects import deadlines
from projects.models import Milestone
from projects.states import CLOSED_MILESTONE_STATES, OPEN_MILESTONE_STATES, MilestoneState
from tests import factories

ROOT = Path(__file__).resolve().parent.parent
DAY = datetime.timedelta(days=1)


def test_every_state_is_open_or_closed_and_never_both() -> None:
    assert set(OPEN_MILESTONE_STATES) | set(CLOSED_MILESTONE_STATES) == set(MilestoneState.values)
    assert not set(OPEN_MILESTONE_STATES) & set(CLOSED_MILESTONE_STATES)


@pytest.mark.django_db
def test_a_milestone_due_today_is_not_overdue_and_is_from_tomorrow(today: datetime.date) -> None:
    milestone = factories.milestone(factories.project(factories.sasac()), today)
    assert not Milestone.objects.overdue(today).exists()
    assert Milestone.objects.overdue(today + DAY).get() == milestone


@pytest.mark.django_db
def test_sql_and_python_agree_on_every_state_and_date(today: datetime.date) -> None:
    project = factories.project(factories.sasac())
    dates = [None, *(today + DAY * n for n in (-400, -8, -1, 0, 1, 6, 7, 8, 400))]
    for state in MilestoneState.values:
        for suspended in (False, True):
            for due_on in dates:
                factories.milestone(
                    project,
                    due_on,
                    state=state,
                    is_suspended=suspended,
                    claimed_on=today if state in ("submitted", "accepted") else None,
                    accepted_on=today if state == "accepted" else None,
                )
    rows = list(Milestone.objects.all())
    assert len(rows) == len(MilestoneState.values) * 2 * len(dates)
    for as_of in (today - DAY, today, today + DAY):
        for days in (0, 7, 30):
            overdue = set(Milestone.objects.filter(deadlines.overdue_q(as_of)).values_list("pk", flat=True))
            soon = set(
                Milestone.objects.filter(deadlines.due_soon_q(as_of, days)).values_list("pk", flat=True)
            )
            assert overdue == {m.pk for m in rows if deadlines.is_overdue(m, as_of)}
            assert soon == {m.pk for m in rows if deadlines.is_due_soon(m, as_of, days)}
            assert not overdue & soon
    open_ = set(Milestone.objects.filter(deadlines.open_q()).values_list("pk", flat=True))
    assert open_ == {m.pk for m in rows if deadlines.is_open(m)}


@pytest.mark.django_db
def test_a_flagged_milestone_is_cured_exactly_when_it_is_not_overdue_for_the_flagged_date(
    today: datetime.date,
) -> None:
    project = factories.project(factories.sasac())
    flagged = today - DAY * 5
    for state in MilestoneState.values:
        for suspended in (False, True):
            for due_on in (None, flagged, flagged - DAY, flagged + DAY, today + DAY):
                factories.milestone(
                    project, due_on, state=state, is_suspended=suspended, flagged_due_on=flagged,
                    claimed_on=today, accepted_on=today,
                )  # fmt: skip
    cured = set(Milestone.objects.filter(deadlines.cured_q()).values_list("pk", flat=True))
    still = {m.pk for m in Milestone.objects.all() if deadlines.is_open(m) and m.due_on == flagged}
    assert cured == set(Milestone.objects.values_list("pk", flat=True)) - still


def test_the_comparison_with_the_due_date_stands_in_no_other_file() -> None:
    pattern = re.compile(r"due_on__lt|due_on\s*<\s*(as_of|today)")
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("portal", "enterprises", "projects", "journal", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".html")
        and "migrations" not in path.parts
        and pattern.search(path.read_text())
    ]
    assert found == ["projects/deadlines.py"]


@pytest.mark.parametrize(
    "module", ["deadlines", "lights", "workflow", "states", "working_days", "wording", "certificate_facts"]
)
def test_rules_read_no_clock_and_no_settings(module: str) -> None:
    source = (ROOT / "projects" / f"{module}.py").read_text()
    assert not re.search(r"\.today\(|\.now\(|localdate\(\)|django\.conf|timezone", source)


def test_services_know_no_request_and_read_no_clock_for_dates() -> None:
    for path in [*(ROOT / "projects/services").glob("*.py"), *(ROOT / "enterprises/services").glob("*.py")]:
        source = path.read_text()
        assert not re.search(r"HttpRequest|django\.contrib\.messages|localdate\(\)|\.today\(", source), path
