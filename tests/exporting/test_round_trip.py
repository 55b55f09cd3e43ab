"""Out and in again: an export that nobody touched changes nothing, and an edited cell changes that cell alone."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from journal.context import acting
from projects.importing.findings import MEANINGS, Outcome
from projects.importing.reading import Reading
from projects.models import LedgerRow, Project
from tests import factories
from tests.exporting.files import edited, exported, of_programme, table_of
from tests.importing.ledgers import ON, World, confirmed, handed_in, previewed, world

pytestmark = pytest.mark.django_db
FORMS = ("xlsx", "csv")

#: Texts that a spreadsheet would run, cut, or take for something else.
HOSTILE = (
    '=HYPERLINK("http://x","点")',
    "+86 13800000000",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "－1",
    "'=1+1",
    "''=1+1",
    "'引号开头",
    " =1+1",
    "=cmd|' /C calc'!A0",
    '有"引号",逗号;分号\n换行\r\n又一行',
    "<b>&amp;</b> _x0041_ ]]>",
    "末尾空格 ",
    "全角ＡＢＣ１２３，双  空格",
    "繁體字的項目",
    "0012",
    "2021/7",
    "1e5",
    "无",
    "—",
)


@pytest.fixture
def here() -> World:
    return world()


def whole(here: World, **more: Any) -> Project:
    """A project with something in every field."""
    project = factories.project(
        here.water, here.programme, name="牛山上山门管网改造工程", code="SW-01",
        category=factories.category(here.programme), place="莞城街道", content_class="民生", audience="external",
        phase="execution", measures="更换管网\r\n抄表到户", beneficiaries_text="约2000户", beneficiaries_number=2000,
        beneficiaries_unit="户", investment_text="1200万元", starts_on=datetime.date(2021, 4, 1),
        due_on=datetime.date(2021, 7, 31), is_key=True, accountable_lead_text="张某某 13800000000",
        direct_lead_text="李某某", coordinator_text="王某某", status_text="正在接户", note="与道路同步", **more,
    )  # fmt: skip
    project.supporting_enterprises.add(here.metro)
    project.party_branches.add(factories.branch(here.water), factories.branch(here.water))
    return project


def many(here: World) -> list[Project]:
    """Projects of every status, with dates of every kind, and a hostile text in each text field of one."""
    made = [whole(here)]
    for n, status in enumerate(("not_started", "in_progress", "awaiting", "closed_out", "terminated", "")):
        made.append(factories.project(here.metro, here.programme, name=f"各状态{n}", status=status))
    made.append(factories.project(here.water, here.programme, name="长年坚持", is_standing=True))
    made.append(
        factories.project(here.water, here.programme, name="早年开工", starts_on=datetime.date(2009, 5, 1))
    )
    made.append(
        factories.project(
            here.water, here.programme, name="只有数字", beneficiaries_number=300, beneficiaries_unit="人"
        )
    )
    made.append(
        factories.project(
            here.water,
            here.programme,
            name="说法不一",
            beneficiaries_text="惠及群众众多",
            beneficiaries_number=5,
            beneficiaries_unit="万人",
        )
    )
    for n, text in enumerate(HOSTILE):
        made.append(
            factories.project(
                here.water,
                here.programme,
                name=f"文字{n}{text.strip()}",
                place=text,
                measures=text,
                status_text=text,
                note=text,
                investment_text=text,
                coordinator_text=text,
                content_class=text[:40],
                direct_lead_text=text,
                beneficiaries_text=text,
            )
        )
    factories.milestone(made[0], datetime.date(2021, 6, 1))
    return made


def read_back(
    here: World, file: bytes, tmp_path: Any, actor: Any = None, form: str = "xlsx"
) -> list[Reading]:
    _preview, read = previewed(
        file, actor or here.staff, here.programme, folder=tmp_path, name=f"导出.{form}"
    )
    return read


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_nobody_touched_changes_nothing_and_asks_nothing(
    here: World, tmp_path, form: str
) -> None:
    made = many(here)
    read = read_back(
        here, exported(here.staff, form, query=of_programme(here.programme)), tmp_path, form=form
    )
    assert len(read) == len(made)
    closed = {"awaiting", "closed_out", "terminated"}
    for one in read:
        assert (one.change, one.differences) == ("unchanged", {}), (one.name, one.differences)
        asks = [f.code for f in one.findings if MEANINGS[f.code].outcome != Outcome.ACCEPTED]
        assert not asks, (one.name, asks)
    assert closed <= {project.status for project in made}


@pytest.mark.parametrize("form", FORMS)
def test_two_cells_edited_offline_are_exactly_these_two_changes(here: World, form: str) -> None:
    many(here)
    file = exported(here.staff, form, query=of_programme(here.programme) + "&o=1")
    names = [row[table_of(file)[0].index("项目名称")] for row in table_of(file)]
    first, second = names.index("牛山上山门管网改造工程") + 1, names.index("各状态1") + 1
    date = datetime.date(2021, 8, 31) if form == "xlsx" else "2021-08-31"
    made = handed_in(
        edited(file, (first, "备注", "改过的备注"), (second, "完成时限", date)),
        here.staff,
        here.programme,
        name=f"x.{form}",
    )
    changed = LedgerRow.objects.filter(ledger=made).exclude(change="unchanged")
    assert {row.name: row.data["differences"] for row in changed} == {
        "牛山上山门管网改造工程": {"note": ["与道路同步", "改过的备注"]},
        "各状态1": {"due_on": [None, "2021-08-31"]},
    }
    before = {p.pk: p for p in Project.objects.all()}
    assert confirmed(made).receipt["changed"] == 2
    for project in Project.objects.all():
        then = before[project.pk]
        moved = {
            f.attname
            for f in Project._meta.concrete_fields
            if getattr(project, f.attname) != getattr(then, f.attname)
            and not f.attname.startswith(("light", "planned", "actual", "last_red"))
        }
        expected = {"牛山上山门管网改造工程": {"note"}, "各状态1": {"due_on", "baseline_due_on"}}.get(
            project.name, set()
        )
        assert moved <= expected, (project.name, moved)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("备注", {"note"}),
        ("进展情况", {"status_text"}),
        ("主要举措", {"measures"}),
        ("开工时间", {"starts_on"}),
        ("完成时限", {"due_on"}),
        ("受益群众", {"beneficiaries_text", "beneficiaries_number", "beneficiaries_unit"}),
        ("配合单位", {"supporting_enterprises"}),
        ("责任党组织", {"party_branches"}),
        ("项目类别", {"category_id"}),
        ("第一责任人", {"accountable_lead_text"}),
    ],
)
def test_an_emptied_cell_empties_the_field_and_nothing_else(
    here: World, tmp_path, form: str, heading: str, fields: set[str]
) -> None:
    whole(here)
    file = edited(exported(here.staff, form, query=of_programme(here.programme)), (2, heading, None))
    (one,) = read_back(here, file, tmp_path, form=form)
    assert set(one.differences) == fields


@pytest.mark.parametrize("form", FORMS)
def test_what_somebody_changed_meanwhile_is_a_conflict_that_names_who_and_when(
    here: World, tmp_path, form: str
) -> None:
    project = whole(here)
    file = exported(here.staff, form, query=of_programme(here.programme))
    with acting(by="赵某某", why="更正", source="page"):
        project.note = "别人改的"
        project.save()
    (one,) = read_back(here, edited(file, (2, "备注", "我改的")), tmp_path, form=form)
    assert (one.change, one.outcome) == ("conflict", "needs_review")
    assert "赵某某" in one.conflict
    (same,) = read_back(here, file, tmp_path, form=form)
    assert same.change == "unchanged", "whoever did not touch the row is not asked about it"


def test_a_ledger_of_another_programme_is_refused_and_not_doubled(here: World, tmp_path) -> None:
    whole(here)
    file = exported(here.staff, query=of_programme(here.programme))
    other = factories.programme(here.root, 2021)
    _preview, read = previewed(file, here.staff, other, folder=tmp_path, on=ON)
    assert [one.outcome for one in read] == ["rejected"]


def test_what_lies_beyond_the_wall_is_neither_exported_nor_lost(here: World, tmp_path) -> None:
    project = whole(here)
    project.supporting_enterprises.add(here.root)
    project.party_branches.add(factories.branch(here.metro, "外单位党支部"))
    project.liaison_leader = factories.user("leader", here.root, name="陈某某")
    project.save()
    for form in FORMS:
        file = exported(here.officer, form, query=of_programme(here.programme))
        text = str(table_of(file))
        for hidden in (here.metro.name, "陈某某", "外单位党支部"):
            assert hidden not in text, (form, hidden)
        (one,) = read_back(here, file, tmp_path, here.officer, form)
        assert (one.change, one.differences) == ("unchanged", {})
    touched = edited(
        exported(here.officer, query=of_programme(here.programme)), (2, "责任党组织", None), (2, "备注", "新")
    )
    made = handed_in(touched, here.officer, here.programme)
    confirmed(made)
    project.refresh_from_db()
    assert project.note == "新"
    assert project.liaison_leader is not None
    assert {b.enterprise for b in project.party_branches.all()} == {here.metro}
    assert set(project.supporting_enterprises.all()) == {here.metro, here.root}


def test_names_that_several_rows_share_come_back_as_the_same_rows(here: World, tmp_path) -> None:
    from enterprises.models import PartyBranch

    project = whole(here)
    twin = factories.enterprise("能源集团", short_name="轨道公司", parent=here.root)
    factories.enterprise("水务、环保联合公司", parent=here.root)
    ours = PartyBranch.objects.create(code="D1", name="第一党支部", kind="branch", enterprise=here.water)
    PartyBranch.objects.create(code="D2", name="第一党支部", kind="branch", enterprise=here.metro)
    project.party_branches.set([ours])
    project.supporting_enterprises.set([twin, *type(twin).objects.filter(name__contains="联合")])
    for form in FORMS:
        (one,) = read_back(
            here, exported(here.staff, form, query=of_programme(here.programme)), tmp_path, form=form
        )
        assert (one.change, one.differences) == ("unchanged", {}), form


def test_the_sheet_of_milestones_is_no_table_for_the_importer(here: World, tmp_path) -> None:
    many(here)
    file = exported(here.staff, query=of_programme(here.programme))
    steps = table_of(file, "节点")
    assert len(steps) == 2
    assert steps[1][1] == "牛山上山门管网改造工程"
    preview, read = previewed(file, here.staff, here.programme, folder=tmp_path)
    assert {one.sheet for one in read} == {"台账"}
    assert [sheet["name"] for sheet in preview.file_facts()["sheets"]] == ["台账"]
    assert preview.file_facts()["sheets"][0]["unknown_columns"] == [
        "灯号",
        "计划进度",
        "逾期天数",
        "所属方案",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_without_the_apostrophe_the_file_would_not_come_back(
    here: World, tmp_path, form: str, monkeypatch
) -> None:
    """The control: the texts above are hostile indeed, and it is the reading that makes them harmless."""
    import re

    from projects.importing import checking, said

    many(here)
    file = exported(here.staff, form, query=of_programme(here.programme))
    monkeypatch.setattr(said, "_GUARDED", re.compile(r"(?!)"))
    guarded = [one for one in read_back(here, file, tmp_path, form=form) if one.change != "unchanged"]
    monkeypatch.undo()
    monkeypatch.setattr(checking, "says_the_same", lambda *_a: False)
    cleaned = [one for one in read_back(here, file, tmp_path, form=form) if one.change != "unchanged"]
    assert len(guarded) >= 2
    assert len(cleaned) >= 3
