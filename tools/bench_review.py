"""The review desk at national scale: 200 decisions at once, the desk itself, look-alikes among all photos."""

from __future__ import annotations

import datetime
import statistics
import time
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from enterprises.models import User
from projects.evidence import pictures
from projects.models import Evidence, ProgressReport
from projects.scale.seed import STAFF
from projects.services.evidence import MOST_PER_SUBMISSION, look_alikes
from projects.services.lights import refresh_lights
from projects.services.reports import adopt_claims
from projects.services.reviews import decide_many
from tools.bench_databases import NAME, Databases
from tools.bench_pages import Page, Taken, take
from tools.bench_report import Figure, milliseconds

AT_ONCE = 200
BULK_BAR = 3.0
EVIDENCE = 200_000
#: More than a page of the desk, so that both databases show full ones.
WAITING_IN_THE_SMALL = 120

#: Photos with fingerprints as even as chance makes them, spread over all reports; the first report has as
#: many as one submission takes. Bands as `projects.evidence.pictures.bands` cuts them (checked below).
FILL = """
    WITH reports AS (
        SELECT r.id, m.project_id, row_number() OVER (ORDER BY r.id) - 1 AS n
        FROM projects_progressreport r JOIN projects_milestone m ON m.id = r.milestone_id
    ), photos AS MATERIALIZED (
        SELECT i, CASE WHEN i < %(most)s THEN 0 ELSE i %% (SELECT count(*) FROM projects_progressreport) END AS slot,
            (random() * 4294967296)::bigint << 32
            | (random() * 4294967295)::bigint AS phash
        FROM generate_series(0, %(rows)s - 1) i
    )
    INSERT INTO projects_evidence (project_id, report_id, kind, stage, name, content_type, size, sha256,
        phash, phash_bands, preview, thumbnail, original, uploaded_by_id, uploaded_at)
    SELECT r.project_id, r.id, 'photo', 'during', 'IMG_' || i || '.jpg', 'image/jpeg', 1000000,
        encode(sha256(i::text::bytea), 'hex'), phash,
        ARRAY[phash & 2047, 2048 + ((phash >> 11) & 2047), 4096 + ((phash >> 22) & 2047),
            6144 + ((phash >> 33) & 2047), 8192 + ((phash >> 44) & 1023), 10240 + ((phash >> 54) & 1023)]::integer[],
        'p/' || i, 't/' || i, '', %(by)s, now()
    FROM photos JOIN reports r ON r.n = slot
"""


def measure_review(databases: Databases, *, small: str, today: datetime.date, repeat: int) -> list[Figure]:
    """Decisions, pages and look-alikes over the large database, the desk over the small one as well."""
    with databases.copy_of(small):
        _claim_some(today)
        refresh_lights(as_of=today)
        _vacuum()
        desk_small = take(_desk(), repeat)
    with databases.copy_of(NAME):
        refresh_lights(as_of=today)
        photos = _fill_evidence()
        _vacuum()
        waiting = ProgressReport.objects.waiting().count()
        desk_large = take(_desk(), repeat)
        figures = [
            _desk_figure(desk_large, desk_small, waiting),
            *_pages(repeat),
            _look_alikes(photos, repeat),
            _bulk("decide_many", _by_service, repeat),
            _bulk("POST /review/", _by_page, repeat),
        ]
    return figures


# -- decisions --------------------------------------------------------------------------------------


def _bulk(what: str, decide: Callable[[User, list[int]], None], repeat: int) -> Figure:
    staff = User.objects.get(username=STAFF)
    times = []
    for _round in range(min(repeat, 5)):
        ids = _spread()
        started = time.perf_counter()
        decide(staff, ids)
        times.append(time.perf_counter() - started)
        done = ProgressReport.objects.filter(pk__in=ids, state="accepted", milestone__state="accepted")
        if done.count() != AT_ONCE:
            raise RuntimeError(f"{done.count()} of {AT_ONCE} reports were accepted")
    middle = statistics.median(times)
    return Figure(
        f"{AT_ONCE} reports accepted at once, {what}",
        f"{middle:.2f} s (worst {max(times):.2f} s)",
        bar=f"< {BULK_BAR:.0f} s",
        ok=max(times) < BULK_BAR,
    )


def _spread() -> list[int]:
    """Waiting reports from all over the table, each of another project: nothing is read twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM (
                SELECT DISTINCT ON (m.project_id) r.id FROM projects_progressreport r
                JOIN projects_milestone m ON m.id = r.milestone_id WHERE r.state = 'submitted'
                ORDER BY m.project_id, r.id
            ) one ORDER BY hashint8(id) LIMIT %s
            """,
            [AT_ONCE],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _by_service(staff: User, ids: list[int]) -> None:
    decide_many(kind=ProgressReport, pks=ids, action="accept", actor=staff, at=timezone.now())


def _by_page(staff: User, ids: list[int]) -> None:
    client = Client(SERVER_NAME="localhost")
    client.force_login(staff, backend="enterprises.authentication.AccountBackend")
    client.post(reverse("admin:review"), {"report": [str(pk) for pk in ids], "comment": "同意"})


# -- pages ------------------------------------------------------------------------------------------


def _desk() -> Page:
    return Page("review desk", reverse("admin:review"), STAFF)


def _desk_figure(large: Taken, small: Taken, waiting: int) -> Figure:
    ratio = large.seconds / small.seconds
    return Figure(
        f"review desk, {waiting:,} waiting",
        _told(large),
        f"{_told(small)} with {WAITING_IN_THE_SMALL}",
        ratio,
        "same queries, < 2×",
        large.queries == small.queries and ratio < 2,
    )


def _pages(repeat: int) -> list[Figure]:
    """The report with the most photos, and its project."""
    report = ProgressReport.objects.order_by("pk").select_related("milestone")[0]
    urls = {
        f"page of a report with {MOST_PER_SUBMISSION} photos among {EVIDENCE:,}": reverse(
            "admin:projects_progressreport_page", args=[report.pk]
        ),
        "page of its project": reverse("admin:projects_project_page", args=[report.milestone.project_id]),
    }
    return [Figure(what, _told(take(Page(what, url, STAFF), repeat))) for what, url in urls.items()]


def _told(taken: Taken) -> str:
    return f"{milliseconds(taken.seconds)} (SQL {milliseconds(taken.sql_seconds)}, {taken.queries} queries)"


def _look_alikes(photos: list[Evidence], repeat: int) -> Figure:
    staff = User.objects.get(username=STAFF)
    times = []
    for _round in range(repeat):
        started = time.perf_counter()
        found = look_alikes(photos, staff)
        times.append(time.perf_counter() - started)
    if photos[0].pk not in {alike.photo_id for alike in found}:
        raise RuntimeError("the copy that was put in was not found")
    return Figure(
        f"look-alikes of {len(photos)} photos among {EVIDENCE:,}", milliseconds(statistics.median(times))
    )


# -- what there is to measure -----------------------------------------------------------------------


def _claim_some(today: datetime.date) -> None:
    day = today - datetime.timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE projects_milestone SET state = 'submitted', percent = 100, is_suspended = false,"
            " claimed_on = %s, closed_since = %s, open_since = NULL, accepted_on = NULL WHERE id <= %s",
            [day, day, WAITING_IN_THE_SMALL],
        )
    adopt_claims()


def _fill_evidence() -> list[Evidence]:
    """Returns: the photos of the report that has the most; the first of them has a copy elsewhere."""
    staff = User.objects.get(username=STAFF)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"most": MOST_PER_SUBMISSION, "rows": EVIDENCE, "by": staff.pk})
    first = ProgressReport.objects.order_by("pk")[0]
    photos = list(Evidence.objects.filter(report=first).order_by("pk")[:MOST_PER_SUBMISSION])
    copy = Evidence.objects.exclude(report=first).order_by("-pk")[0]
    copy.phash, copy.phash_bands = photos[0].phash, photos[0].phash_bands
    copy.save(update_fields=["phash", "phash_bands"])
    for photo in photos:
        if photo.phash is None or photo.phash_bands != pictures.bands(photo.phash):
            raise RuntimeError("the bands are not cut as the portal cuts them")
    return photos


def _vacuum() -> None:
    """Statistics, and the GIN index's pending list; autovacuum does this within its minute."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
