"""The review desk: what waits for a decision, oldest first, and how long decisions took."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from enterprises.models import User
from projects.models import CloseOut, Evidence, ExtensionRequest, Programme, ProgressReport, Submission
from projects.services.submissions import KIND_OF, is_own
from projects.services.working_calendar import working_calendar
from projects.working_days import WorkingCalendar

PAGE = 50
#: Counted no further: "1,000+" says enough, and the count stays cheap.
COUNT_CAP = 1_000
#: Over how many days the reviewers' own times are shown.
MEASURED_OVER = datetime.timedelta(days=90)

_KINDS: tuple[type[Submission], ...] = (ProgressReport, ExtensionRequest, CloseOut)


@dataclass(frozen=True)
class Filters:
    """What the desk shows. `enterprise_path` takes a unit with everything below it; "" takes all."""

    kind: str = ""
    enterprise_path: str = ""
    only: str = ""  #: "claims", "unchanged" or "late"


@dataclass(frozen=True)
class Waiting:
    """One item. `age` is in working days, `late` when it exceeds the programme's time for a review."""

    submission: Submission
    kind: str
    about: str
    age: int
    late: bool
    own: bool
    files: int


@dataclass
class Desk:
    rows: list[Waiting]
    has_more: bool
    counts: dict[str, int]
    late: int
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)


@dataclass(frozen=True)
class ReviewerTime:
    """What one reviewer decided lately: `days` on average, `late` beyond the programme's time."""

    name: str
    decided: int
    days: float
    late: int


def desk(*, user: User, filters: Filters, as_of: datetime.date, page: int = 1) -> Desk:
    """A page of what waits for `user`'s decision, oldest first. A fixed number of queries.

    Args:
        page: from 1.
    """
    calendar = working_calendar()
    late = _late_q(as_of, calendar)
    arms: dict[str, QuerySet[Any]] = {}
    for model in _KINDS:
        rows = _waiting(model, user, filters, late)
        if rows is not None:
            arms[_kind(model)] = rows
    counts = {kind: rows.order_by()[: COUNT_CAP + 1].count() for kind, rows in arms.items()}
    wanted = {k: rows for k, rows in arms.items() if filters.kind in ("", k)}
    found = _page(wanted, page)
    has_more = len(found) > PAGE
    submissions = _loaded(found[:PAGE])
    files = _files(submissions)
    return Desk(
        rows=[_row(s, user, as_of, calendar, files) for s in submissions],
        has_more=has_more,
        counts=counts,
        late=_count_late(user, filters, late),
        calendar=calendar,
    )


def next_waiting(
    *,
    user: User,
    after: Submission,
    as_of: datetime.date,
    filters: Filters | None = None,
    skip: bool = False,
) -> Submission | None:
    """Where the queue goes on after an item: the oldest other one that `user` may decide on.

    Args:
        filters: the choice that the queue keeps to; None takes everything.
        skip: the item stays undecided: only what waits behind it.
    """
    late = _late_q(as_of, working_calendar())
    arms: dict[str, QuerySet[Any]] = {}
    for model in _KINDS:
        rows = _waiting(model, user, filters or Filters(), late)
        if rows is None or (filters is not None and filters.kind not in ("", _kind(model))):
            continue
        rows = rows.exclude(submitted_by=user).exclude(writer_ids__contains=[user.pk])
        if isinstance(after, model):
            rows = rows.exclude(pk=after.pk)
        if skip and after.submitted_at is not None:
            later = Q(submitted_at__gt=after.submitted_at)
            rows = rows.filter(later | Q(submitted_at=after.submitted_at, pk__gt=after.pk))
        arms[_kind(model)] = rows
    found = _loaded(_page(arms, 1)[:1])
    return found[0] if found else None


def waiting_count(user: User) -> int:
    """How many items wait for a decision of `user`, of each kind no further than one above `COUNT_CAP`.

    In the order of the desk, so that the index of what waits is walked: to find the units of all of 40,000 waiting
    reports PostgreSQL reads all milestones (350 ms).
    """
    found = 0
    for model in _KINDS:
        rows = model._default_manager.permitted(user, "review").waiting()  # type: ignore[attr-defined]
        found += rows.order_by("submitted_at", "pk")[: COUNT_CAP + 1].count()
    return found


def units_with_waiting(user: User) -> list[tuple[int, str, int]]:
    """(id, name, items) of the enterprises that have something waiting, most first.

    Asked of the oldest `COUNT_CAP` items of each kind: to find the unit of every one of 40,000 waiting
    reports PostgreSQL reads all milestones (200 ms). Beyond the cap `items` is 0, "not counted".
    """
    totals: Counter[tuple[int, str]] = Counter()
    capped = False
    for model in _KINDS:
        unit = "project__enterprise" if model is CloseOut else "milestone__project__enterprise"
        rows = model._default_manager.permitted(user, "review").waiting()  # type: ignore[attr-defined]
        oldest = rows.order_by("submitted_at", "pk").values_list(f"{unit}_id", f"{unit}__name")
        found = list(oldest[: COUNT_CAP + 1])
        capped = capped or len(found) > COUNT_CAP
        totals.update(found)
    listed = sorted(totals.items(), key=lambda item: (-item[1], item[0][1]))
    return [(pk, name, 0 if capped else n) for (pk, name), n in listed[:200]]


def reviewer_times(*, user: User, as_of: datetime.date) -> list[ReviewerTime]:
    """How long each reviewer took over the last weeks, slowest first; within what `user` may review."""
    sums: dict[str, list[float]] = {}
    for model in _KINDS:
        programme = "project__programme" if model is CloseOut else "milestone__project__programme"
        rows = model._default_manager.permitted(user, "review").filter(  # type: ignore[attr-defined]
            decided_on__gt=as_of - MEASURED_OVER, waited_days__isnull=False
        )
        late = Q(waited_days__gt=F(f"{programme}__review_days"))
        counted = (
            rows.order_by()
            .values("decided_by__name")
            .annotate(n=Count("pk"), days=Coalesce(Avg("waited_days"), 0.0), late=Count("pk", filter=late))
        )
        for row in counted:
            total = sums.setdefault(row["decided_by__name"] or "", [0, 0.0, 0])
            total[0] += row["n"]
            total[1] += row["n"] * row["days"]
            total[2] += row["late"]
    times = [ReviewerTime(name, int(n), days / n, int(late)) for name, (n, days, late) in sums.items()]
    return sorted(times, key=lambda row: (-row.days, row.name))


# -- parts ------------------------------------------------------------------------------------------


def _kind(model: type[Submission]) -> str:
    return str(model._meta.model_name)


def _waiting(
    model: type[Submission], user: User, filters: Filters, late: dict[int, datetime.date]
) -> QuerySet[Any] | None:
    """What waits in one table; None where the filter leaves nothing of this kind."""
    if filters.only in ("claims", "unchanged") and model is not ProgressReport:
        return None
    project = "project" if model is CloseOut else "milestone__project"
    rows: QuerySet[Any] = model._default_manager.permitted(user, "review").waiting()  # type: ignore[attr-defined]
    if filters.enterprise_path:
        rows = rows.filter(**{f"{project}__enterprise__path__startswith": filters.enterprise_path})
    if filters.only == "claims":
        rows = rows.filter(claimed_on__isnull=False)
    elif filters.only == "unchanged":
        rows = rows.filter(no_change=True)
    elif filters.only == "late":
        rows = rows.filter(_is_late(late, project))
    return rows


def _late_q(as_of: datetime.date, calendar: WorkingCalendar) -> dict[int, datetime.date]:
    """Programme → the latest day of submission that has waited too long by now."""
    days = Programme.objects.in_force(as_of).values_list("pk", "review_days")
    return {pk: calendar.before(as_of, limit) for pk, limit in days}


def _is_late(late: dict[int, datetime.date], project: str) -> Q:
    found = Q(pk__in=[])
    for programme_id, last_day in late.items():
        found |= Q((f"{project}__programme_id", programme_id), ("submitted_on__lte", last_day))
    return found


def _count_late(user: User, filters: Filters, late: dict[int, datetime.date]) -> int:
    total = 0
    for model in _KINDS:
        rows = _waiting(model, user, Filters("", filters.enterprise_path, "late"), late)
        assert rows is not None
        total += rows.order_by()[: COUNT_CAP + 1].count()
    return total


def _page(arms: dict[str, QuerySet[Any]], page: int) -> list[tuple[str, int]]:
    """(kind, id) of one page over all tables, and one more to know whether there is another.

    Every arm is cut before the union is sorted, so the cost is the page's and not the tables'.
    """
    if not arms:
        return []
    last = page * PAGE + 1
    cut = [
        rows.order_by("submitted_at", "pk")
        .annotate(arm=Value(kind))
        .values_list("arm", "pk", "submitted_at")[:last]
        for kind, rows in arms.items()
    ]
    merged = cut[0].union(*cut[1:], all=True).order_by("submitted_at", "pk") if cut[1:] else cut[0]
    return [(kind, pk) for kind, pk, _at in merged[(page - 1) * PAGE : last]]


def _loaded(found: Iterable[tuple[str, int]]) -> list[Submission]:
    """The rows behind (kind, id) with everything that a line shows, one query a kind."""
    found = list(found)
    rows: dict[tuple[str, int], Submission] = {}
    for kind in {kind for kind, _pk in found}:
        model = KIND_OF[kind]
        project = "project" if model is CloseOut else "milestone__project"
        related = [f"{project}__enterprise", f"{project}__programme", "submitted_by"]
        loaded = model._default_manager.select_related(*related)
        for row in loaded.filter(pk__in=[pk for k, pk in found if k == kind]):
            rows[kind, row.pk] = row
    return [rows[key] for key in found if key in rows]


def _files(submissions: list[Submission]) -> dict[tuple[str, int], int]:
    """Number of files of each submission, in one query."""
    owned = {Evidence.owner_field(s): [] for s in submissions}  # type: dict[str, list[int]]
    for submission in submissions:
        owned[Evidence.owner_field(submission)].append(submission.pk)
    if not owned:
        return {}
    wanted = Q(pk__in=[])
    for owner, ids in owned.items():
        wanted |= Q((f"{owner}__in", ids))
    counted = Evidence.objects.filter(wanted).order_by().values("report_id", "extension_id", "close_out_id")
    return dict(_by_owner(counted.annotate(n=Count("pk"))))


def _by_owner(rows: Iterable[Any]) -> Iterator[tuple[tuple[str, int], int]]:
    for row in rows:
        for owner in ("report", "extension", "close_out"):
            if row[f"{owner}_id"]:
                yield (owner, row[f"{owner}_id"]), row["n"]


def _row(
    submission: Submission,
    user: User,
    as_of: datetime.date,
    calendar: WorkingCalendar,
    files: dict[tuple[str, int], int],
) -> Waiting:
    since = submission.submitted_on or as_of
    age = calendar.days_between(since, as_of)
    return Waiting(
        submission=submission,
        kind=_kind(type(submission)),
        about=str(getattr(submission, "milestone", "")),
        age=age,
        late=age > submission.of_project.programme.review_days,
        own=is_own(submission, user),
        files=files.get((Evidence.owner_field(submission), submission.pk), 0),
    )
