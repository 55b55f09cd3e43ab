"""What is found, by what, and that the words follow every road by which a name comes in."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from enterprises.models import Enterprise, EnterpriseAlias, EnterpriseWords, PartyBranchWords, User
from enterprises.search import bigrams, fold, holds_all, initials, terms, too_short
from projects.models import Milestone, MilestoneName, Project, ProjectWords
from projects.services.search import Found, find
from tests import factories
from tests.test_pages import built

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    found = built()
    programme = found["project"].programme
    found["pipes"] = factories.project(
        found["group"],
        programme,
        name="青山区污水管网改造",
        place="牛山社区",
        code="GD-2026-001",
        coordinator_text="李晓明 13800001234",
    )
    found["park"] = factories.project(
        found["group"], programme, name="口袋公园建设（二期）", code="GD-2026-002"
    )
    return found


def of_kind(found: list[Found], kind: str) -> list[Any]:
    return next((list(one.rows) for one in found if one.kind == kind), [])


def projects(world: dict[str, Any], query: str, reader: str = "staff") -> list[Any]:
    return of_kind(find(query=query, reader=world[reader]), "project")


@pytest.mark.parametrize(
    "query",
    [
        "污水",
        "管网改造",
        "牛山",
        "李晓",
        "lxm",
        "wsgw",
        "qsqws",
        "gd-2026-001",
        "ＧＤ－２０２６－００１",
        "污水 牛山",
        "污水 李晓明",
    ],
)
def test_a_project_is_found_by_name_place_person_code_and_initials(world: dict[str, Any], query: str) -> None:
    assert projects(world, query)[0] == world["pipes"]


@pytest.mark.parametrize(
    "query", ["水污", "污网", "污水 公园", "1380", "gd_2026", "污%", "%%", "__", "\\\\", "'--", "nonsense"]
)
def test_what_no_text_holds_is_not_found_and_no_sign_is_a_wildcard(world: dict[str, Any], query: str) -> None:
    assert not projects(world, query)


def test_an_exact_code_goes_first(world: dict[str, Any]) -> None:
    later = factories.project(world["group"], world["project"].programme, code="GD-2026-0015", name="另一个")
    assert projects(world, "GD-2026-001") == [world["pipes"], later]


def test_brackets_and_full_width_signs_are_read_alike(world: dict[str, Any]) -> None:
    assert projects(world, "建设(二期)") == projects(world, "建设（二期）") == [world["park"]]


def test_one_character_is_not_looked_for_over_everything(world: dict[str, Any]) -> None:
    assert find(query="水", reader=world["staff"]) == []
    assert find(query="污水 水", reader=world["staff"]) == []


def test_all_kinds_are_found(world: dict[str, Any]) -> None:
    milestone = factories.milestone(world["pipes"], name="污水泵站验收")
    unit = factories.enterprise("污水处理公司", parent=world["group"], kind="subsidiary")
    branch = factories.branch(world["group"], "污水厂党支部")
    other = factories.programme(world["root"], name="污水治理行动")
    found = find(query="污水", reader=world["staff"])
    assert of_kind(found, "milestone") == [milestone]
    assert of_kind(found, "enterprise") == [unit]
    assert of_kind(found, "partybranch") == [branch]
    assert of_kind(found, "programme") == [other]


def test_people_are_found_by_name_and_initials_whether_account_or_text(world: dict[str, Any]) -> None:
    Project.objects.filter(pk=world["park"].pk).update(liaison_leader=factories.user(name="李晓鸣"))
    for query in ("李晓", "lx"):
        assert set(of_kind(find(query=query, reader=world["staff"]), "person")) >= {"李晓明", "李晓鸣"}
    assert of_kind(find(query="污水", reader=world["staff"]), "person") == []


def test_an_enterprise_is_found_by_alias_short_name_code_and_initials(world: dict[str, Any]) -> None:
    unit = factories.enterprise(
        "东莞市滨海湾置业有限公司",
        parent=world["group"],
        kind="subsidiary",
        short_name="滨海置业",
        code="BHW-7",
    )
    alias = EnterpriseAlias.objects.create(enterprise=unit, name="原城建开发公司")
    for query in ("滨海", "城建开发", "bhw-7", "dgsbhw", "bhzy"):
        assert of_kind(find(query=query, reader=world["staff"]), "enterprise") == [unit], query
    alias.delete()
    assert of_kind(find(query="城建开发", reader=world["staff"]), "enterprise") == []


def test_raw_sql_copy_renames_and_deletions_are_followed(world: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_project SET name = '雨水花园' WHERE id = %s", [world["pipes"].pk])
    assert projects(world, "雨水花园") == [world["pipes"]] and not projects(world, "污水管网")
    Enterprise.objects.filter(pk=world["group"].pk).update(name="海绵城市集团")
    assert world["pipes"] in projects(world, "海绵城市")
    leader = factories.user(name="赵一")
    Project.objects.filter(pk=world["pipes"].pk).update(liaison_leader=leader)
    User.objects.filter(pk=leader.pk).update(name="钱二郎")
    assert projects(world, "钱二郎") == [world["pipes"]] and not projects(world, "赵一")
    Milestone.objects.filter(pk=world["late"].pk).update(name="琴房隔音验收")
    assert of_kind(find(query="琴房", reader=world["staff"]), "milestone") == [world["late"]]
    pk = world["park"].pk
    world["park"].delete()
    assert not ProjectWords.objects.filter(pk=pk).exists()


def test_every_row_has_its_words(world: dict[str, Any]) -> None:
    factories.branch(world["group"])
    assert ProjectWords.objects.count() == Project.objects.count()
    assert EnterpriseWords.objects.count() == Enterprise.objects.count()
    assert PartyBranchWords.objects.count() == 1
    assert set(Milestone.objects.values_list("name", flat=True)) == set(
        MilestoneName.objects.values_list("name", flat=True)
    )


def test_an_officer_finds_and_counts_nothing_of_another_group(world: dict[str, Any]) -> None:
    foreign = factories.enterprise("外部集团", parent=world["root"])
    project = factories.project(
        foreign, world["project"].programme, name="外部污水处理", coordinator_text="外人甲"
    )
    factories.milestone(project, name="外部污水节点")
    factories.branch(foreign, "外部污水支部")
    found = find(query="污水", reader=world["officer"])
    assert {one.kind: one.count for one in found} == {"project": 1}
    assert of_kind(found, "project") == [world["pipes"]]
    assert find(query="外部", reader=world["officer"]) == []
    assert find(query="外人甲", reader=world["officer"]) == []
    assert {one.kind for one in find(query="外部", reader=world["staff"])} == {
        "project", "milestone", "enterprise", "partybranch",
    }  # fmt: skip
    for role in ("system", "security", "audit"):
        assert find(query="污水", reader=world[role]) == []


def test_the_database_folds_cuts_and_reads_pinyin_as_the_question_does() -> None:
    texts = ["污水管网ＡＢ（二期）", "Straße ÄÖ", "a b", "重庆长江", "½㎡①", "李晓明"]
    with connection.cursor() as cursor:
        for text in texts:
            cursor.execute("SELECT portal_fold(%s), portal_initials(portal_fold(%s))", [text, text])
            folded, short = cursor.fetchone()
            assert folded == fold(text) and short == initials(fold(text)), text
            cursor.execute("SELECT portal_bigrams(%s)", [folded])
            assert set(cursor.fetchone()[0]) >= set(bigrams(folded)), text


def test_a_question_is_cut_into_words() -> None:
    assert terms(" 污水　Ab  污水 ") == ["污水", "ab"]
    assert terms("\0\ud800 \x07") == []
    assert len(terms("字" * 5_000)[0]) == 100
    assert len(terms(" ".join(map(str, range(99))))) <= 8
    assert too_short([]) and too_short(["水"]) and not too_short(["水管"])
    assert holds_all("李晓明", ["lxm"]) and not holds_all("李晓明", ["lmx"])
