"""Registers: trees that the database keeps true, names, duties, imports."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from enterprises.models import Enterprise, EnterpriseAlias, Membership, PartyBranch
from enterprises.roles import Role, duty_of
from enterprises.services.members import create_member
from enterprises.services.register import import_enterprises, read_csv
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def test_a_path_names_every_unit_above_and_follows_a_move() -> None:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    child = factories.enterprise("供水公司", kind="subsidiary", parent=group)
    leaf = factories.enterprise("营业部", kind="department", parent=child)
    assert leaf.path == f"{root.pk}.{group.pk}.{child.pk}.{leaf.pk}."
    other = factories.enterprise("城投集团", parent=root)
    child.parent = other
    child.save()
    leaf.refresh_from_db()
    assert leaf.path == f"{root.pk}.{other.pk}.{child.pk}.{leaf.pk}."


def test_raw_sql_cannot_close_a_circle_or_forge_a_path() -> None:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    child = factories.enterprise("供水公司", kind="subsidiary", parent=group)
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match="below itself"), transaction.atomic():
            cursor.execute(
                "UPDATE enterprises_enterprise SET parent_id = %s WHERE id = %s", [child.pk, group.pk]
            )
        cursor.execute("UPDATE enterprises_enterprise SET path = '999.' WHERE id = %s", [child.pk])
    child.refresh_from_db()
    assert child.path == f"{root.pk}.{group.pk}.{child.pk}."


def test_only_a_sasac_stands_at_the_top() -> None:
    with pytest.raises(IntegrityError, match="enterprise_root_is_a_sasac"), transaction.atomic():
        factories.enterprise(parent=None, kind="group")


def test_an_enterprise_with_projects_cannot_be_deleted() -> None:
    unit = factories.enterprise(parent=factories.sasac())
    factories.project(unit)
    with pytest.raises(ProtectedError):
        unit.delete()


def test_a_wrong_credit_code_is_refused_and_a_right_one_is_normalised() -> None:
    unit = factories.enterprise(parent=factories.sasac())
    unit.credit_code = "91350100M000100Y44"
    with pytest.raises(ValidationError, match="校验码"):
        unit.full_clean()
    unit.credit_code = " 91350100m000100y43 "
    unit.save()
    assert unit.credit_code == "91350100M000100Y43"


def test_an_alias_counts_only_on_the_days_it_was_in_use(today: datetime.date) -> None:
    unit = factories.enterprise("惠州市水务集团", parent=factories.sasac())
    EnterpriseAlias.objects.create(enterprise=unit, name="惠州市水务投资集团", valid_until=today - DAY)
    assert Enterprise.objects.called("惠州市水务投资集团", on=today - DAY).get() == unit
    assert not Enterprise.objects.called("惠州市水务投资集团", on=today).exists()
    assert not Enterprise.objects.called("惠州市水务", on=today).exists(), "similar is not the same"


@pytest.mark.parametrize("second", [role for role in Role.values if duty_of(role) != duty_of("staff")])
def test_no_one_holds_two_duties_on_one_day_even_by_raw_insert(second: str, today: datetime.date) -> None:
    root = factories.sasac()
    person = factories.user("staff", root)
    with pytest.raises(IntegrityError, match="separation"), transaction.atomic():
        Membership.objects.bulk_create([Membership(user=person, role=second, unit=root)])
    Membership.objects.update(valid_until=today)
    Membership.objects.create(user=person, role=second, unit=root, valid_from=today + DAY)


def test_the_three_administrators_exclude_each_other() -> None:
    root = factories.sasac()
    for first in (Role.SYSTEM, Role.SECURITY, Role.AUDIT):
        for second in (Role.SYSTEM, Role.SECURITY, Role.AUDIT):
            if first != second:
                person = factories.user(first, root)
                with pytest.raises(IntegrityError, match="separation"), transaction.atomic():
                    Membership.objects.create(user=person, role=second, unit=root)


def test_a_membership_that_ran_out_gives_nothing(today: datetime.date) -> None:
    person = factories.user("staff", factories.sasac(), valid_until=datetime.date(2020, 1, 1))
    assert not person.grants
    assert not person.is_staff


def rows(*lines: str) -> list[dict[str, str]]:
    names = ("code", "name", "short_name", "kind", "parent_code", "aliases", "credit_code")
    return [dict(zip(names, line.split(","), strict=True)) for line in lines]


REGISTER = rows(
    "S,某市国资委,,sasac,,,", "G,某水务集团,水务,group,S,市水务；水务公司,", "C,某供水公司,,subsidiary,G,,"
)


def test_importing_a_register_twice_changes_nothing() -> None:
    first = import_enterprises(REGISTER)
    assert (first.created, first.errors) == (3, [])
    again = import_enterprises(REGISTER)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)
    assert Enterprise.objects.get(code="C").path.startswith(Enterprise.objects.get(code="G").path)
    assert set(EnterpriseAlias.objects.values_list("name", flat=True)) == {"市水务", "水务公司"}


def test_one_wrong_row_and_nothing_is_saved() -> None:
    result = import_enterprises([*REGISTER, *rows("D,某部,,nonsense,G,,", "F,某部2,,department,UNKNOWN,,")])
    assert len(result.errors) == 2
    assert "5" in result.errors[0]
    assert not Enterprise.objects.exists()


def test_an_import_under_a_unit_cannot_reach_outside_it() -> None:
    import_enterprises(REGISTER)
    under = Enterprise.objects.get(code="G")
    result = import_enterprises(rows("S,改名,,sasac,,,"), under=under)
    assert result.errors
    result = import_enterprises(rows("N,新公司,,subsidiary,S,,"), under=under)
    assert result.errors
    result = import_enterprises(rows("N,新公司,,subsidiary,,,"), under=under)
    assert not result.errors
    assert Enterprise.objects.get(code="N").parent == under


def test_a_register_saved_by_a_chinese_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(
        "code,name,short_name,kind,parent_code,aliases,credit_code\nS,某市国资委,,sasac,,,\n".encode(
            "gb18030"
        )
    )
    assert read_csv(path)[0]["name"] == "某市国资委"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="UTF-8"):
        read_csv(path)


def test_create_member_repeated_changes_nothing_and_weak_passwords_are_refused() -> None:
    root = factories.sasac()
    first, made = create_member(username="w", role="staff", unit=root, password=factories.PASSWORD)
    again, made_again = create_member(username="w", role="staff", unit=root, password="other-password-99")
    assert made
    assert not made_again
    assert first == again
    assert first.user.check_password(factories.PASSWORD)
    with pytest.raises(ValidationError):
        create_member(username="x", role="staff", unit=root, password="123")


def test_a_party_branch_tree_stands_beside_the_tree_of_enterprises() -> None:
    unit = factories.enterprise(parent=factories.sasac())
    committee = factories.branch(unit, "党委")
    branch = factories.branch(unit, "党支部", parent=committee)
    branch.refresh_from_db()
    assert list(PartyBranch.objects.below(committee, inclusive=False)) == [branch]
