"""The demonstration programme of the current year: real names, generated dates, people and progress.

Everything generated is a function of the project's number and of today, so that two portals loaded
on one day look alike and every light occurs. The programme is marked as demonstration data, and every
page that shows a row of it says so.
"""

from __future__ import annotations

import csv
import datetime
import json
import random
from dataclasses import dataclass
from typing import Any

from enterprises.models import Enterprise, PartyBranch, User
from projects.demo.published import DATA, listed
from projects.models import Programme, Project
from projects.services.programmes import create_programme
from projects.services.projects import take_in
from projects.states import MilestoneState, ProjectStatus

ROOT = "DEMO-GZW"

#: (what the project looks like, share of all). Chosen so that a first look meets every light.
SHAPES = (
    ("on_plan", 38),
    ("overdue", 12),
    ("behind", 9),
    ("due_soon", 12),
    ("submitted", 7),
    ("returned", 4),
    ("not_started", 7),
    ("closed_out", 8),
    ("standing", 3),
)


@dataclass(frozen=True)
class Step:
    name: str
    weight: int


def load_demonstration(*, today: datetime.date) -> Programme:
    """Take in the demonstration programme around `today`; a second call changes nothing."""
    programme, made = create_programme(
        code=f"DEMO-{today.year}",
        name=f"{today.year}年民生实事（演示数据）",
        year=today.year,
        starts_on=min(datetime.date(today.year, 1, 1), today - datetime.timedelta(days=200)),
        ends_on=max(datetime.date(today.year, 12, 31), today + datetime.timedelta(days=120)),
        owner=Enterprise.objects.get(code=ROOT),
        is_demo=True,
        note="演示数据：项目与企业名称取自公开报道，日期、人员、进度均为生成，不代表任何单位的真实情况。",
    )
    if not made:
        return programme
    templates = json.loads((DATA / "demo_milestone_templates.json").read_text())
    people = json.loads((DATA / "demo_people.json").read_text())["names"]
    enterprises = {e.code: e for e in Enterprise.objects.filter(is_demo=True)}
    branches = {b.code: b for b in PartyBranch.objects.all()}
    with (DATA / "demo_projects.csv").open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            steps = [Step(**s) for s in templates["categories"].get(row["category"], templates["default"])]
            chance = random.Random(f"{row['code']}")
            shape = _shape(number)
            facts, milestones = _generated(shape, steps, chance, today)
            who = [chance.choice(people) for _ in range(3)]
            project, _made = take_in(
                programme=programme,
                code=row["code"],
                category=row["category"],
                party_branches=[
                    branches[code] for code in listed(row["party_branch_codes"]) if code in branches
                ],
                milestones=milestones,
                name=row["name"],
                enterprise=enterprises[row["enterprise_code"]],
                content_class=row["content_class"],
                place=row["place"],
                measures=row["measures"],
                beneficiaries_text=row["beneficiaries_text"],
                beneficiaries_number=row["beneficiaries_number"] or None,
                beneficiaries_unit=row["beneficiaries_unit"],
                investment_text=row["investment_text"],
                accountable_lead_text=who[0],
                direct_lead_text=who[1],
                coordinator_text=who[2],
                is_key=number % 17 == 0,
                source=row["source"],
                **facts,
            )
            Project.objects.filter(pk=project.pk).update(approved_on=programme.starts_on)
    return programme


def give_posts(*, programme: Programme) -> None:
    """Put the demonstration's accounts into the posts of their projects, so that the ladder reaches somebody.

    Elsewhere the posts stay names only: there the ladder shows what it does with a vacant post.
    """
    projects = Project.objects.filter(programme=programme)
    for username in ("officer", "officer2"):
        account = User.objects.get(username=username)
        for path in account.memberships.values_list("unit__path", flat=True):
            projects.filter(enterprise__path__startswith=path).update(
                coordinator=account, coordinator_text=""
            )
    projects.filter(is_key=True).update(liaison_leader=User.objects.get(username="leader"))


def _shape(number: int) -> str:
    """Spread the shapes evenly over the rows: the same for every load."""
    at = (number * 37) % sum(share for _name, share in SHAPES)
    for name, share in SHAPES:
        if at < share:
            return name
        at -= share
    raise AssertionError("shares add up to the modulus")


def _generated(
    shape: str, steps: list[Step], chance: random.Random, today: datetime.date
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Project facts and milestones of one shape. The milestone at work stands at index `now`."""
    day = datetime.timedelta(days=1)
    now = len(steps) if shape == "closed_out" else min(len(steps) - 1, chance.randrange(1, len(steps)))
    if shape == "not_started":
        now = 0
    length = chance.randrange(40, 60)
    # The deadline of the milestone at work is what the shape is about; the others follow from it.
    due_now = (
        today
        + day
        * {
            "on_plan": chance.randrange(9, length - 20),
            "overdue": -chance.randrange(1, 46),
            "behind": chance.randrange(9, 14),
            "due_soon": chance.randrange(0, 8),
            "submitted": chance.randrange(-12, 5),
            "returned": -chance.randrange(1, 15),
            "not_started": length + chance.randrange(12, 40),
            "closed_out": -chance.randrange(15, 60),
            "standing": 0,
        }[shape]
    )
    facts: dict[str, Any] = {"phase": "execution", "status": ProjectStatus.IN_PROGRESS}
    milestones = []
    for index, step in enumerate(steps):
        due = due_now + day * (index - now) * length
        planned = {
            "name": step.name,
            "weight": step.weight,
            "starts_on": due - day * (length - 1),
            "due_on": due,
        }
        if shape == "standing":
            planned.update(
                starts_on=None,
                due_on=None,
                state=MilestoneState.IN_PROGRESS,
                percent=chance.randrange(20, 90),
            )
        elif index < now:
            done = (
                due - day * chance.randrange(0, 6)
                if chance.random() < 0.85
                else due + day * chance.randrange(1, 9)
            )
            done = min(done, today)
            planned.update(
                state=MilestoneState.ACCEPTED,
                percent=100,
                claimed_on=done,
                accepted_on=min(done + day * 3, today),
            )
        elif index == now:
            planned.update(_at_work(shape, chance, planned, today))
        milestones.append(planned)
    if shape == "not_started":
        facts.update(status=ProjectStatus.NOT_STARTED, phase="planning")
    elif shape == "closed_out":
        facts.update(status=ProjectStatus.CLOSED_OUT, phase="inspection")
    elif shape == "standing":
        facts.update(is_standing=True)
    if shape != "standing":
        facts.update(starts_on=milestones[0]["starts_on"], due_on=milestones[-1]["due_on"])
    return facts, milestones


def _at_work(
    shape: str, chance: random.Random, planned: dict[str, Any], today: datetime.date
) -> dict[str, Any]:
    passed = (today - planned["starts_on"]).days / ((planned["due_on"] - planned["starts_on"]).days + 1)
    expected = max(0, min(100, round(100 * passed)))
    day = datetime.timedelta(days=1)
    if shape == "not_started":
        return {"state": MilestoneState.NOT_STARTED, "percent": 0}
    if shape == "submitted":
        claimed = min(today, planned["due_on"] + day * chance.randrange(-2, 3))
        return {
            "state": MilestoneState.SUBMITTED,
            "percent": 100,
            "claimed_on": claimed,
            "closed_since": claimed,
        }
    if shape == "returned":
        return {
            "state": MilestoneState.RETURNED,
            "percent": 90,
            "comment": "现场照片与完成情况不符，请补充抄表到户记录。",
        }
    if shape == "overdue":
        return {"state": MilestoneState.IN_PROGRESS, "percent": chance.randrange(30, 95)}
    if shape == "behind":
        return {"state": MilestoneState.IN_PROGRESS, "percent": max(0, expected - chance.randrange(45, 80))}
    return {
        "state": MilestoneState.IN_PROGRESS,
        "percent": min(99, max(5, expected + chance.randrange(-4, 9))),
    }
