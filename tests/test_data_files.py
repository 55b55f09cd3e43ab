"""The data files that the portal ships: complete, consistent, and no fact beyond the sources."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
REGISTERS = ROOT / "enterprises" / "data"
PROJECTS = ROOT / "projects" / "data"

ENTERPRISE_COLUMNS = [
    "code",
    "name",
    "short_name",
    "kind",
    "parent_code",
    "aliases",
    "credit_code",
    "source",
    "note",
]
BRANCH_COLUMNS = ["code", "name", "kind", "enterprise_code", "parent_code", "source", "note"]
PROJECT_COLUMNS = [
    "code",
    "name",
    "enterprise_code",
    "party_branch_codes",
    "category",
    "place",
    "start_text",
    "starts_on",
    "deadline_text",
    "due_on",
    "status_text",
    "measures",
    "beneficiaries_text",
    "beneficiaries_number",
    "beneficiaries_unit",
    "investment_text",
    "key_project",
    "published_on",
    "source",
    "note",
]
DEMO_PROJECT_COLUMNS = [
    "code",
    "row_id",
    "name",
    "enterprise_code",
    "party_branch_codes",
    "category",
    "content_class",
    "place",
    "measures",
    "beneficiaries_text",
    "beneficiaries_number",
    "beneficiaries_unit",
    "investment_text",
    "source",
]
ENTERPRISE_KINDS = {"sasac", "group", "subsidiary", "branch", "department"}
BRANCH_KINDS = {"committee", "general_branch", "branch", "joint_branch", "temporary_branch"}
# The first level of the demonstration is wide; officers need a tree that goes down as well.
OFFICER, OFFICER2 = "DEMO-103", "DEMO-070"

both_registers = pytest.mark.parametrize("register", ["dongguan", "demo"])
both_programmes = pytest.mark.parametrize(
    ("register", "projects"), [("dongguan", "dongguan_2021"), ("demo", "demo_projects")]
)


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        # strict, and every row as long as the header: a stray comma must not shift a fact.
        lines = list(csv.reader(file, strict=True))
    header, *body = lines
    assert all(len(line) == len(header) for line in body), path
    return header, [dict(zip(header, line, strict=True)) for line in body]


def enterprises(register: str) -> list[dict[str, str]]:
    return read(REGISTERS / f"{register}_enterprises.csv")[1]


def branches(register: str) -> list[dict[str, str]]:
    return read(REGISTERS / f"{register}_party_branches.csv")[1]


def project_rows(name: str) -> list[dict[str, str]]:
    return read(PROJECTS / f"{name}.csv")[1]


def load(name: str) -> Any:
    return json.loads((PROJECTS / name).read_text(encoding="utf-8"))


def parts(cell: str) -> list[str]:
    return cell.split("；") if cell else []


def duplicates(values: list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        (REGISTERS / "dongguan_enterprises.csv", ENTERPRISE_COLUMNS),
        (REGISTERS / "demo_enterprises.csv", ENTERPRISE_COLUMNS),
        (REGISTERS / "dongguan_party_branches.csv", BRANCH_COLUMNS),
        (REGISTERS / "demo_party_branches.csv", BRANCH_COLUMNS),
        (PROJECTS / "dongguan_2021.csv", PROJECT_COLUMNS),
        (PROJECTS / "demo_projects.csv", DEMO_PROJECT_COLUMNS),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_each_file_has_its_columns_a_source_in_each_row_and_no_stray_spaces(path, columns):
    header, rows = read(path)
    assert header == columns
    for row in rows:
        assert all(row[column] for column in ("code", "name", "source")), row
        assert all(cell == cell.strip() for cell in row.values()), row
    assert not duplicates([row["code"] for row in rows])
    assert not duplicates([row["name"] for row in rows])


@both_registers
def test_the_enterprises_are_one_tree_with_parents_before_children(register):
    rows = enterprises(register)
    root, *others = rows
    assert root["kind"] == "sasac"
    assert not root["parent_code"]
    seen = {root["code"]}
    for row in others:
        # A parent that always comes earlier makes a cycle impossible.
        assert row["parent_code"] in seen, row
        seen.add(row["code"])
    assert {row["kind"] for row in rows} <= ENTERPRISE_KINDS
    assert [row["code"] for row in rows if row["kind"] == "sasac"] == [root["code"]]
    for row in others:
        assert (row["kind"] == "group") is (row["parent_code"] == root["code"]), row


@both_registers
def test_each_spelling_of_an_enterprise_finds_exactly_one(register):
    spellings = []
    for row in enterprises(register):
        mine = [row["name"], *parts(row["aliases"])]
        if row["short_name"]:
            mine.append(row["short_name"])
        assert not duplicates(mine), row
        assert all(spelling == spelling.strip() and spelling for spelling in mine), row
        spellings += mine
    assert not duplicates(spellings)


@both_registers
def test_no_credit_code_is_invented(register):
    assert not any(row["credit_code"] for row in enterprises(register))


@both_registers
def test_party_organisations_stand_on_known_enterprises_with_parents_before_children(register):
    known = {row["code"] for row in enterprises(register)}
    seen: set[str] = set()
    for row in branches(register):
        assert row["kind"] in BRANCH_KINDS, row
        assert row["enterprise_code"] in known, row
        assert not row["parent_code"] or row["parent_code"] in seen, row
        seen.add(row["code"])


def test_the_demonstration_shows_every_kind():
    assert {row["kind"] for row in enterprises("demo")} == ENTERPRISE_KINDS
    assert {row["kind"] for row in branches("demo")} == BRANCH_KINDS


def test_the_two_registers_share_no_code_and_no_spelling():
    spellings = {}
    for register in ("dongguan", "demo"):
        rows = enterprises(register)
        spellings[register] = {row["code"] for row in rows + branches(register)} | {
            row["name"] for row in rows
        }
    assert not spellings["dongguan"] & spellings["demo"]


@both_programmes
def test_every_code_in_a_project_exists_in_its_register(register, projects):
    units = {row["code"] for row in enterprises(register)}
    organisations = {row["code"] for row in branches(register)}
    for row in project_rows(projects):
        assert row["enterprise_code"] in units, row
        assert set(parts(row["party_branch_codes"])) <= organisations, row


@both_programmes
def test_a_number_of_beneficiaries_is_a_number_with_a_unit_and_a_text(register, projects):
    for row in project_rows(projects):
        number = row["beneficiaries_number"]
        assert bool(number) is bool(row["beneficiaries_unit"]), row
        if number:
            assert int(number) > 0
            assert row["beneficiaries_text"], row


def test_dongguan_has_exactly_the_six_named_projects():
    rows = project_rows("dongguan_2021")
    assert {row["code"]: row["enterprise_code"] for row in rows} == {
        "RP001": "DG-SW",
        "RP002": "DG-YH",
        "RP003": "DG-KC",
        "RP004": "DG-ZC",
        "RP005": "DG-GW",
        "RP006": "DG-GD",
    }
    assert {row["published_on"] for row in rows} == {"2021-06-11"}


def test_only_the_first_project_has_published_dates():
    first, *others = project_rows("dongguan_2021")
    assert first["code"] == "RP001"
    assert (first["starts_on"], first["due_on"]) == ("2021-04-23", "2021-07-31")
    assert (first["start_text"], first["deadline_text"]) == ("今年4月23日进场施工", "7月底前")
    for row in others:
        for silent in ("start_text", "starts_on", "deadline_text", "due_on", "status_text"):
            assert row[silent] == "", row
    for row in [first, *others]:
        assert row["investment_text"] == row["beneficiaries_number"] == "", row


def test_only_the_first_project_is_known_to_have_a_liaison_leader():
    keys = {row["code"]: row["key_project"] for row in project_rows("dongguan_2021")}
    assert {code for code, key in keys.items() if key} == {"RP001"}
    assert keys["RP001"] == "true"


def test_the_programme_keeps_the_reported_total_beside_the_named_projects():
    programme = load("dongguan_2021.json")
    assert programme["year"] == 2021
    assert programme["reported_total"] == 24
    assert programme["named"] == len(project_rows("dongguan_2021")) == 6
    assert all(programme[key] for key in ("code", "name", "source"))
    assert programme["enterprise_code"] == enterprises("dongguan")[0]["code"]


def test_no_project_of_dongguan_and_no_source_row_twice_is_in_the_demonstration():
    rows = project_rows("demo_projects")
    assert not duplicates([row["row_id"] for row in rows])
    assert not {f"RP{number:03d}" for number in range(1, 7)} & {row["row_id"] for row in rows}
    names = {row["name"] for row in project_rows("dongguan_2021")}
    assert not names & {row["name"] for row in rows}


def test_the_demonstration_says_that_it_is_one():
    root = enterprises("demo")[0]
    assert root["name"] == "示范市国资委（演示）"
    assert "演示数据" in root["source"]


def subtree(rows: list[dict[str, str]], top: str) -> set[str]:
    codes = {top}
    for row in rows:
        if row["parent_code"] in codes:
            codes.add(row["code"])
    return codes


def test_the_officers_of_the_demonstration_have_work():
    rows = enterprises("demo")
    where = Counter(row["enterprise_code"] for row in project_rows("demo_projects"))
    below = subtree(rows, OFFICER) - {OFFICER}
    assert where[OFFICER] >= 3
    assert sum(where[code] for code in below) >= 3
    assert sum(where[code] for code in subtree(rows, OFFICER2)) >= 3
    assert not subtree(rows, OFFICER) & subtree(rows, OFFICER2)
    readme = (REGISTERS / "README.md").read_text(encoding="utf-8")
    assert f"| `officer` | `{OFFICER}`" in readme
    assert f"| `officer2` | `{OFFICER2}`" in readme


def test_the_weights_of_every_milestone_plan_sum_to_100():
    templates = load("demo_milestone_templates.json")
    for plan in [templates["default"], *templates["categories"].values()]:
        assert 3 <= len(plan) <= 5
        assert sum(milestone["weight"] for milestone in plan) == 100
        assert all(milestone["weight"] > 0 for milestone in plan)
        assert not duplicates([milestone["name"] for milestone in plan])


def test_every_category_has_a_milestone_plan():
    plans = load("demo_milestone_templates.json")["categories"]
    rows = project_rows("demo_projects") + project_rows("dongguan_2021")
    assert {row["category"] for row in rows} == set(plans)


def test_the_people_of_the_demonstration_are_visibly_invented():
    names = load("demo_people.json")["names"]
    assert len(names) == len(set(names)) == 60
    assert all(name[1:] in ("某", "某某") for name in names)


def test_the_readmes_give_the_counts_of_the_files():
    registers = (REGISTERS / "README.md").read_text(encoding="utf-8")
    assert f"{len(enterprises('dongguan'))} units, root `DG-GZW`" in registers
    assert f"{len(enterprises('demo'))} units, root `DEMO-GZW`" in registers
    assert f"{len(branches('demo'))} party organisations" in registers
    projects = (PROJECTS / "README.md").read_text(encoding="utf-8")
    assert f"{len(project_rows('demo_projects'))} real project names" in projects
