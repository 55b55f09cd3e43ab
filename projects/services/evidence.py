"""Verbs on evidence (佐证材料): add to a draft, take out again, find look-alikes, sweep what nobody owns.

Files are written before their row and removed after it: a process that dies in between leaves a file
without a row, never a row without a file. The sweeper takes such files away.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from projects.evidence import pictures, storage
from projects.evidence.files import Judged
from projects.models import Evidence, Submission
from projects.services import milestones
from projects.services.refusals import Refused
from projects.services.submissions import check

#: More than anybody looks at; keeps one submission from filling the disk.
MOST_PER_SUBMISSION = 30
#: A file this young may belong to an upload that is still under way.
SWEEP_AFTER = datetime.timedelta(hours=2)


@dataclass(frozen=True)
class LookAlike:
    """A photo of another submission that looks the same. `distance` counts differing bits, 0 to 5."""

    photo_id: int
    other: Evidence
    distance: int


def add_evidence(
    *,
    submission: Submission,
    judged: Judged,
    stage: str,
    actor: User,
    on: datetime.date,
    keep_original: bool,
) -> Evidence:
    """Put a judged file with a draft. The same file once more is the same evidence, not a second one.

    Args:
        submission: a draft that the caller has found through the wall.
        stage: before, during or after the work (`Evidence.Stage`).
        on: the day; files are filed by month.
        keep_original: whether a photo's own bytes are kept beside the preview (a setting of the portal).

    Raises:
        Refused: no draft any more, not the actor's, or too many files.
    """
    owner = {Evidence.owner_field(submission): submission}
    folder, written = storage.new_folder(on), []

    def put(name: str, content: bytes) -> str:
        written.append(storage.write(f"{folder}/{name}", content))
        return written[-1]

    try:
        with transaction.atomic():
            _hold(submission, actor)
            same = Evidence.objects.filter(**owner, sha256=judged.sha256).first()
            if same is not None:
                return same
            if Evidence.objects.filter(**owner).count() >= MOST_PER_SUBMISSION:
                raise Refused(_("At most %(n)d files for one submission.") % {"n": MOST_PER_SUBMISSION})
            row = Evidence(
                **owner,
                project=submission.of_project,
                kind=judged.kind,
                stage=stage,
                name=judged.name,
                content_type=judged.content_type,
                size=judged.size,
                sha256=judged.sha256,
                uploaded_by=actor,
            )
            if (picture := judged.picture) is not None:
                row.width, row.height, row.taken_on = picture.width, picture.height, picture.taken_on
                row.phash = picture.phash
                row.phash_bands = [] if picture.phash is None else pictures.bands(picture.phash)
                row.preview = put("preview.jpg", picture.preview)
                row.thumbnail = put("thumb.jpg", picture.thumbnail)
            if picture is None or keep_original:
                row.original = put(f"original{judged.extension}", judged.body)
            row.save()
            return row
    except BaseException:
        _remove(written)
        raise


def remove_evidence(*, evidence: Evidence, actor: User) -> None:
    """Take a file out of a draft; what was handed in keeps its evidence.

    Raises:
        Refused: handed in already, or not the actor's.
    """
    with transaction.atomic():
        _hold(evidence.of, actor)
        names = [name for name in (evidence.preview, evidence.thumbnail, evidence.original) if name]
        evidence.delete()
        transaction.on_commit(lambda: _remove(names))


def set_stage(*, evidence: Evidence, stage: str, actor: User) -> None:
    """Say whether a photo shows the place before, during or after the work.

    Raises:
        Refused: handed in already, not the actor's, or no such stage.
    """
    if stage not in Evidence.Stage.values:
        raise Refused(_("There is no such stage."))
    with transaction.atomic():
        _hold(evidence.of, actor)
        if not Evidence.objects.filter(pk=evidence.pk).update(stage=stage):
            raise Refused(_("This file was taken out meanwhile."))


def _hold(submission: Submission, actor: User) -> None:
    """Lock a draft, after its project as everywhere: what is being handed in gets no file after the fact.

    Raises:
        Refused: discarded, handed in already, or not the actor's.
    """
    milestones.locked([submission.of_project.pk], [])
    rows = type(submission)._default_manager.select_for_update(of=("self",), no_key=True)
    if (present := rows.filter(pk=submission.pk).first()) is None:
        raise Refused(_("This draft was discarded meanwhile."))
    check(present, "submit", actor)


def look_alikes(photos: Iterable[Evidence], reader: User, limit: int = 20) -> list[LookAlike]:
    """Photos of *other submissions* that look like one of these, nearest first.

    Args:
        photos: evidence of one submission.
        reader: who asks; photos beyond the wall, and those of drafts, are neither shown nor counted.
    """
    hashed = [photo for photo in photos if photo.phash is not None]
    if not hashed:
        return []
    with connection.cursor() as cursor:
        # The bands bring the index to bear; the exact distance decides. One query for all photos.
        cursor.execute(
            """
            SELECT mine.id, other.id, bit_count((mine.phash # other.phash)::bit(64)) AS distance
            FROM projects_evidence mine
            JOIN projects_evidence other ON other.phash_bands && mine.phash_bands AND other.id <> mine.id
                AND (other.report_id, other.extension_id, other.close_out_id)
                    IS DISTINCT FROM (mine.report_id, mine.extension_id, mine.close_out_id)
            WHERE mine.id = ANY(%s) AND bit_count((mine.phash # other.phash)::bit(64)) <= %s
            ORDER BY distance, other.id LIMIT 200
            """,
            [[photo.pk for photo in hashed], pictures.NEAR],
        )
        found = cursor.fetchall()
    visible = (
        Evidence.objects.visible_to(reader)
        .handed_in()
        .filter(pk__in={other for _mine, other, _distance in found})
        .select_related("project__enterprise", "uploaded_by")
        .in_bulk()
    )
    pairs = [LookAlike(mine, visible[other], distance) for mine, other, distance in found if other in visible]
    return pairs[:limit]


def sweep(
    *, now: datetime.datetime, older_than: datetime.timedelta = SWEEP_AFTER, dry_run: bool = False
) -> int:
    """Remove files that no row names: of uploads that broke off, of drafts that were thrown away.

    Args:
        dry_run: only count.

    Returns:
        How many files were removed.
    """
    removed, batch = 0, []
    for name, modified in storage.listing():
        if modified <= now - older_than:
            batch.append(name)
        if len(batch) >= 1000:
            removed += _remove_unowned(batch, dry_run)
            batch = []
    return removed + _remove_unowned(batch, dry_run)


def _remove_unowned(names: list[str], dry_run: bool) -> int:
    owned: set[str] = set()
    for column in ("preview", "thumbnail", "original"):
        owned |= set(Evidence._base_manager.filter(**{f"{column}__in": names}).values_list(column, flat=True))
    unowned = [name for name in names if name not in owned]
    if not dry_run:
        _remove(unowned)
    return len(unowned)


def sweep_incoming(
    *,
    folder: Path,
    now: datetime.datetime,
    older_than: datetime.timedelta = SWEEP_AFTER,
    dry_run: bool = False,
) -> int:
    """Remove what a killed web process left where Django receives large uploads (`*.upload*`).

    Args:
        folder: the portal's setting; one that does not exist holds nothing.

    Returns:
        How many files were removed.
    """
    removed = 0
    for file in folder.glob("*.upload*"):
        with contextlib.suppress(FileNotFoundError):  # the upload has just ended
            if file.stat().st_mtime <= (now - older_than).timestamp():
                if not dry_run:
                    file.unlink()
                removed += 1
    return removed


def _remove(names: Iterable[str]) -> None:
    for name in names:
        storage.delete(name)
