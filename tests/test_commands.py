"""Commands that scripts rely on: their output, and that repeating them changes nothing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from enterprises.models import Enterprise, Membership, User
from projects.models import Milestone, OverdueEpisode, Programme, Project

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "register.csv"
    path.write_text(
        "code,name,short_name,kind,parent_code,aliases,credit_code\n"
        "S,某市国资委,,sasac,,,\nG,某水务集团,水务,group,S,市水务；水务公司,\n"
    )
    return path


def test_import_enterprises_reports_as_json_and_is_repeatable(register: Path) -> None:
    assert json.loads(run("import_enterprises", str(register), "--json")) == {
        "created": 2, "changed": 0, "unchanged": 0, "errors": [],
    }  # fmt: skip
    assert json.loads(run("import_enterprises", str(register), "--json"))["unchanged"] == 2


def test_import_enterprises_says_what_is_wrong_and_saves_nothing(register: Path) -> None:
    register.write_text(register.read_text() + "X,坏行,,nonsense,G,,\n")
    with pytest.raises(CommandError):
        run("import_enterprises", str(register))
    assert not Enterprise.objects.exists()
    with pytest.raises(CommandError):
        run("import_enterprises", "/no/such/file.csv")


def test_create_programme_and_member_are_repeatable(register: Path) -> None:
    run("import_enterprises", str(register))
    for _round in range(2):
        run("create_programme", "--code", "P26", "--name", "民生实事", "--year", "2026")
        run(
            "create_member",
            "--username",
            "li",
            "--role",
            "officer",
            "--unit",
            "G",
            "--name",
            "李某某",
            "--password",
            "correct horse 26",
        )
    programme = Programme.objects.get()
    assert (programme.starts_on.isoformat(), programme.ends_on.isoformat()) == ("2026-01-01", "2026-12-31")
    assert Membership.objects.get().user == User.objects.get(username="li")
    with pytest.raises(CommandError):
        run("create_member", "--username", "x", "--role", "officer", "--unit", "NOWHERE")


@pytest.fixture
def demo(db: Any) -> None:
    run("load_demo")


def test_the_demo_shows_the_published_facts_and_every_light_and_loads_once(demo: None) -> None:
    before = (Project.objects.count(), User.objects.count())
    run("load_demo")
    assert (Project.objects.count(), User.objects.count()) == before
    published = Project.objects.filter(programme__code="DG-2021")
    assert published.count() == 6
    dated = published.get(due_on__isnull=False)
    assert (dated.code, dated.start_text, dated.due_text) == ("RP001", "今年4月23日进场施工", "7月底前")
    assert (dated.starts_on.isoformat(), dated.due_on.isoformat()) == ("2021-04-23", "2021-07-31")
    for project in published.exclude(pk=dated.pk):
        assert (project.starts_on, project.due_on, project.accountable_lead_text) == (None, None, "")
        assert not project.milestones.exists(), "no date was published: no promise is made up"
    demonstration = Project.objects.filter(programme__is_demo=True)
    assert set(demonstration.values_list("light", flat=True)) == {"red", "yellow", "green", "blue", "grey"}
    assert not Milestone.objects.filter(project__programme__is_demo=False).exclude(project=dated).exists()


def test_patrol_on_past_days_finds_exactly_the_one_published_date(demo: None) -> None:
    def patrolled(*args: str) -> dict[str, Any]:
        return json.loads(run("patrol", "--json", *args))

    assert set(patrolled("--on", "2021-07-31")) == {"on", "opened", "closed", "set_aside", "seconds"}
    assert OverdueEpisode.objects.count() == 0
    assert patrolled("--on", "2021-08-01")["opened"] == 1
    episode = OverdueEpisode.objects.get()
    assert (episode.milestone.project.code, episode.opened_on.isoformat()) == ("RP001", "2021-08-01")
    assert patrolled("--on", "2021-08-01")["opened"] == 0
    patrolled()
    of_2021 = OverdueEpisode.objects.filter(milestone__project__programme__code="DG-2021")
    assert of_2021.count() == 1, "by the clock an archived programme is history"
    assert OverdueEpisode.objects.count() > 1


def test_the_demo_logins_have_their_roles(demo: None) -> None:
    roles = {u.username: u.roles for u in User.objects.all()}
    assert roles["sasac"] == {"staff"}
    assert roles["officer"] == roles["officer2"] == {"officer"}
    assert (roles["sysadmin"], roles["secadmin"], roles["auditor"]) == ({"system"}, {"security"}, {"audit"})
    officer = User.objects.get(username="officer")
    units = Enterprise.objects.visible_to(officer)
    assert units.filter(kind="subsidiary").exists(), "a group with subsidiaries"
    assert Project.objects.visible_to(officer).count() >= 5
    other = Project.objects.visible_to(User.objects.get(username="officer2"))
    assert other.exists()
    assert not other.filter(pk__in=Project.objects.visible_to(officer)).exists()


def test_there_is_no_superuser_to_be_made() -> None:
    with pytest.raises(CommandError, match="create_member"):
        run("createsuperuser")
    assert not any(field.name == "is_superuser" for field in User._meta.get_fields())


def test_every_right_in_the_table_is_asked_for_somewhere() -> None:
    """A right that nothing checks would be a promise in docs/roles.md that the portal does not keep."""
    from enterprises.roles import PERMISSIONS

    root = Path(__file__).resolve().parent.parent
    source = "\n".join(
        path.read_text()
        for folder in ("portal", "enterprises", "projects", "journal", "templates")
        for path in (root / folder).rglob("*")
        if path.suffix in (".py", ".html") and path.name != "roles.py"
    )
    for permission in set().union(*PERMISSIONS.values()):
        action = permission.split(".")[1].split("_")[0]
        assert f'"{action}"' in source or permission in source, permission
