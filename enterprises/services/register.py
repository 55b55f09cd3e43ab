"""Taking in a register of enterprises or party organisations, all of it or none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import Enterprise, EnterpriseAlias, PartyBranch

ENTERPRISE_COLUMNS = ("code", "name", "short_name", "kind", "parent_code", "aliases", "credit_code")
PARTY_BRANCH_COLUMNS = ("code", "name", "kind", "enterprise_code", "parent_code")
#: The register's own separator, and the one that people type instead.
ALIAS_SEPARATORS = str.maketrans({";": "；"})


@dataclass
class RegisterResult:
    """Counts of one import, and what was wrong with which row (nothing is saved then)."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_csv(path: Path, columns: Sequence[str] = ENTERPRISE_COLUMNS) -> list[dict[str, str]]:
    """Rows of a CSV in UTF-8 (with or without BOM) or GB18030, as spreadsheets in China save it.

    Raises:
        ValueError: not text in either, or a column is missing; the message says which.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise ValueError(_("The file is neither UTF-8 nor GB18030 text.")) from error
    reader = csv.DictReader(io.StringIO(text))
    if missing := [name for name in columns if name not in (reader.fieldnames or [])]:
        raise ValueError(_("Columns missing: %(names)s.") % {"names": "、".join(missing)})
    return [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]


@transaction.atomic
def import_enterprises(
    rows: Iterable[dict[str, str]], *, under: Enterprise | None = None, is_demo: bool = False
) -> RegisterResult:
    """Make or update enterprises by code. Repeating it changes nothing.

    Args:
        rows: as `read_csv` gives them; a parent stands above its children or exists already.
        under: parent of rows without `parent_code` (except a SASAC, which is then a root), and the
            subtree that every row must lie in.

    Returns:
        Counts; with `errors` nothing was saved.
    """
    result = RegisterResult()
    for number, row in enumerate(rows, start=2):
        try:
            with transaction.atomic():
                _enterprise(row, under, is_demo, result)
        except ValidationError as error:
            result.errors.append(_row_error(number, row, error))
    return _settled(result)


@transaction.atomic
def import_party_branches(rows: Iterable[dict[str, str]]) -> RegisterResult:
    """Make or update party organisations by code. Repeating it changes nothing."""
    result = RegisterResult()
    for number, row in enumerate(rows, start=2):
        try:
            with transaction.atomic():
                _party_branch(row, result)
        except ValidationError as error:
            result.errors.append(_row_error(number, row, error))
    return _settled(result)


def _enterprise(row: dict[str, str], under: Enterprise | None, is_demo: bool, result: RegisterResult) -> None:
    parent = _parent(row, under)
    values = {
        "name": row["name"],
        "short_name": row.get("short_name", ""),
        "kind": row["kind"],
        "parent": parent,
        "credit_code": row.get("credit_code", ""),
        "source": row.get("source", ""),
        "note": row.get("note", ""),
        "is_demo": is_demo,
    }
    enterprise = Enterprise.objects.filter(code=row["code"]).first()
    if enterprise is not None and under is not None and not enterprise.path.startswith(under.path):
        raise ValidationError(_("The code %(code)s is not available.") % {"code": row["code"]})
    enterprise, outcome = _upsert(enterprise or Enterprise(code=row["code"]), values)
    names = [n.strip() for n in row.get("aliases", "").translate(ALIAS_SEPARATORS).split("；") if n.strip()]
    known = set(enterprise.aliases.values_list("name", flat=True))
    for name in names:
        if name not in known:
            alias = EnterpriseAlias(enterprise=enterprise, name=name)
            alias.full_clean()
            alias.save()
            outcome = "changed" if outcome == "unchanged" else outcome
    setattr(result, outcome, getattr(result, outcome) + 1)


def _parent(row: dict[str, str], under: Enterprise | None) -> Enterprise | None:
    code = row.get("parent_code", "")
    if not code:
        return None if row["kind"] == Enterprise.Kind.SASAC and under is None else under
    parent = Enterprise.objects.filter(code=code).first()
    if parent is None or (under is not None and not parent.path.startswith(under.path)):
        raise ValidationError(
            _("The parent %(code)s is not known; it must stand above this row.") % {"code": code}
        )
    return parent


def _party_branch(row: dict[str, str], result: RegisterResult) -> None:
    enterprise = Enterprise.objects.filter(code=row["enterprise_code"]).first()
    if enterprise is None:
        raise ValidationError(_("The enterprise %(code)s is not known.") % {"code": row["enterprise_code"]})
    parent = None
    if row.get("parent_code"):
        parent = PartyBranch.objects.filter(code=row["parent_code"]).first()
        if parent is None:
            raise ValidationError(
                _("The parent %(code)s is not known; it must stand above this row.")
                % {"code": row["parent_code"]}
            )
    values = {
        "name": row["name"],
        "kind": row["kind"],
        "enterprise": enterprise,
        "parent": parent,
        "source": row.get("source", ""),
        "note": row.get("note", ""),
    }
    branch = PartyBranch.objects.filter(code=row["code"]).first() or PartyBranch(code=row["code"])
    _branch, outcome = _upsert(branch, values)
    setattr(result, outcome, getattr(result, outcome) + 1)


def _upsert(obj: Any, values: dict[str, Any]) -> tuple[Any, str]:
    """Save `obj` if any value differs; says whether it was created, changed or unchanged."""
    if obj.pk and all(getattr(obj, name) == value for name, value in values.items()):
        return obj, "unchanged"
    outcome = "changed" if obj.pk else "created"
    for name, value in values.items():
        setattr(obj, name, value)
    obj.full_clean()
    obj.save()
    obj.refresh_from_db(fields=["path"])
    return obj, outcome


def _row_error(number: int, row: dict[str, str], error: ValidationError) -> str:
    return _("Row %(row)d (%(code)s): %(why)s") % {
        "row": number,
        "code": row.get("code", ""),
        "why": " ".join(error.messages),
    }


def _settled(result: RegisterResult) -> RegisterResult:
    if result.errors:
        transaction.set_rollback(True)
        result.created = result.changed = 0
    return result
