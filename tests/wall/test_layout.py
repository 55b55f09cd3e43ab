"""Where a day, a bar, a ghost and a diamond lie: pure, no database."""

from __future__ import annotations

import datetime

import pytest

from projects.wall_chart.layout import lay_out, lay_out_step
from projects.wall_chart.rows import Row, Step
from projects.wall_chart.timeline import DAY, ZOOMS, Timeline, first_shown, months_later, timeline

D = datetime.date
TODAY = D(2026, 6, 10)


def year(**values: object) -> Timeline:
    facts: dict = {"zoom": "year", "width": 365.0, "today": TODAY, **values}
    return timeline(D(2026, 1, 1), **facts)


def row(**values: object) -> Row:
    return Row(**{"pk": 1, "name": "管网", "tone": "green", "word": "绿灯", **values})  # type: ignore[arg-type]


def step(due_on: datetime.date | None, tone: str = "green", **values: object) -> Step:
    return Step(pk=1, name="节点", due_on=due_on, tone=tone, word="推进中", **values)  # type: ignore[arg-type]


def test_a_year_shows_its_first_and_its_last_day() -> None:
    line = year()
    assert (line.first, line.last) == (D(2026, 1, 1), D(2026, 12, 31))
    assert line.x(line.first) == 0
    assert line.x(line.last + DAY) == pytest.approx(line.width)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_months_and_weeks_fill_the_chart_without_gaps(zoom: str) -> None:
    line = timeline(D(2025, 11, 15), zoom=zoom, width=1000, today=TODAY)
    for spans in (line.months, line.years, line.weeks or line.months):
        assert spans[0].x == 0
        assert sum(span.width for span in spans) == pytest.approx(1000)
    assert len(line.months) == ZOOMS[zoom]
    assert bool(line.week_lines) == (zoom != "year")


def test_the_chart_begins_with_the_stretch_that_holds_today() -> None:
    begins, ends = D(2026, 2, 9), D(2027, 12, 31)
    assert first_shown(begins, ends, zoom="year", today=TODAY) == D(2026, 2, 1)
    assert first_shown(begins, ends, zoom="year", today=D(2027, 2, 1)) == D(2027, 2, 1)
    assert first_shown(begins, ends, zoom="quarter", today=TODAY) == D(2026, 5, 1)
    assert first_shown(begins, ends, zoom="month", today=D(2020, 1, 1)) == D(2026, 2, 1), "before it began"
    assert first_shown(begins, ends, zoom="month", today=D(2040, 1, 1)) == D(2027, 12, 1), "after it ended"
    assert months_later(D(2026, 1, 31), -1) == D(2025, 12, 1)


def test_today_is_a_line_in_the_middle_of_its_day_and_none_where_it_is_not_shown() -> None:
    assert year().today_x == pytest.approx(160.5)
    assert year(today=D(2027, 1, 1)).today_x is None


def test_a_bar_reaches_from_its_first_to_its_last_day_and_is_filled_by_its_progress() -> None:
    bar = lay_out(row(starts_on=D(2026, 1, 11), due_on=D(2026, 1, 20), actual=50.0), year()).bar
    assert bar is not None
    assert (bar.x, bar.width, bar.done) == (10, 10, 5)


def test_a_bar_that_began_before_the_chart_shows_the_rest_of_its_progress() -> None:
    bar = lay_out(row(starts_on=D(2025, 12, 22), due_on=D(2026, 1, 10), actual=75.0), year()).bar
    assert bar is not None
    assert (bar.x, bar.width, bar.done) == (0, 10, 5)


def test_dates_that_nobody_knows_leave_a_side_open() -> None:
    bar = lay_out(row(due_on=D(2026, 1, 10)), year()).bar
    assert bar is not None
    assert bar.no_start and not bar.no_end
    standing = lay_out(row(starts_on=D(2026, 1, 11), is_standing=True), year()).bar
    assert standing is not None
    assert standing.no_end and standing.x + standing.width == pytest.approx(365)
    assert lay_out(row(), year()).undated


def test_a_project_without_dates_of_its_own_reaches_over_its_milestones() -> None:
    steps = (step(D(2026, 3, 1), starts_on=D(2026, 2, 1)), step(D(2026, 5, 31)))
    found = row(steps=steps)
    assert (found.begins, found.ends) == (D(2026, 2, 1), D(2026, 5, 31))


def test_what_lies_outside_points_to_where_it_is() -> None:
    assert lay_out(row(starts_on=D(2025, 1, 1), due_on=D(2025, 6, 1)), year()).before
    assert lay_out(row(starts_on=D(2027, 1, 1), due_on=D(2027, 6, 1)), year()).after
    assert lay_out_step(step(D(2027, 6, 1)), year()).after


def test_a_ghost_stands_where_the_date_moved_and_nowhere_else() -> None:
    dates = {"starts_on": D(2026, 1, 11), "due_on": D(2026, 2, 20)}
    moved = lay_out(row(**dates, baseline_due_on=D(2026, 1, 20)), year()).ghost
    assert moved is not None
    assert (moved.x, moved.width, moved.end) == (10, 10, 20)
    assert lay_out(row(**dates, baseline_due_on=D(2026, 2, 20)), year()).ghost is None
    assert lay_out(row(**dates), year()).ghost is None


def test_a_diamond_lies_on_its_day_and_the_worst_is_drawn_last() -> None:
    steps = (step(D(2026, 1, 1), "red"), step(D(2026, 1, 1), "grey", baseline_due_on=D(2026, 1, 3)))
    diamonds = lay_out(row(steps=steps), year()).diamonds
    assert [one.x for one in diamonds] == [0.5, 0.5]
    assert [one.step.tone for one in diamonds] == ["grey", "red"]
    assert [one.was_at for one in diamonds] == [2.5, None]
    assert lay_out(row(steps=(step(D(2025, 12, 31)),)), year()).diamonds == ()
