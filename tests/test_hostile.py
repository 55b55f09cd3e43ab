"""What a colleague with bad intentions tried, and what strange input did. Each was once possible."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.utils import timezone

from enterprises.models import Membership
from journal.reading import history_of
from projects.models import Milestone, Project
from projects.services.projects import approve
from projects.services.refusals import Refused
from tests import factories
from tests.forms import form_of
from tests.test_pages import DAY, built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    found = built()
    Project.objects.filter(pk=found["project"].pk).update(approved_on=found["today"])
    found["project"].refresh_from_db()
    return found


def test_nobody_pads_an_approved_plan_with_easy_milestones(world: dict) -> None:
    for role in ("officer", "staff"):
        client = client_of(world[role])
        response = client.post(
            "/projects/milestone/add/",
            {"project": world["project"].pk, "order": 9, "name": "凑数", "weight": 1000},
        )
        assert response.status_code == 200
        assert "已批准" in response.content.decode()
    assert not Milestone.objects.filter(name="凑数").exists()


def test_start_weight_and_date_stay_as_approved_whatever_a_form_sends(world: dict) -> None:
    client = client_of(world["officer"])
    url = f"/projects/project/{world['project'].pk}/change/"
    before = Milestone.objects.order_by("pk").values("name", "starts_on", "due_on", "weight")
    kept = list(before)
    data = form_of(client.get(url))
    data |= {
        "starts_on": "2026-01-01",
        "due_on": "2030-01-01",
        "is_key": "on",
        "code": "FORGED",
        "name": "改名",
    }
    data |= {f"milestones-{n}-{f}": v for n in range(3) for f, v in (("weight", 1), ("due_on", "2030-01-01"), ("starts_on", "2020-01-01"), ("name", f"改{n}"))}  # fmt: skip
    assert client.post(url, data).status_code == 302
    assert list(before.all()) == kept
    after = Project.objects.get(pk=world["project"].pk)
    assert (after.starts_on, after.due_on, after.is_key, after.code, after.name) == (
        world["project"].starts_on, world["project"].due_on, False, world["project"].code, world["project"].name,
    )  # fmt: skip


def test_an_approval_is_undone_by_no_road(world: dict) -> None:
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        Project.objects.filter(pk=world["project"].pk).update(approved_on=None)


def test_a_milestone_after_the_end_of_its_project_is_not_approved(world: dict) -> None:
    project = factories.project(world["group"], world["project"].programme, due_on=world["today"])
    factories.milestone(project, world["today"] + DAY)
    with pytest.raises(Refused):
        approve(project_id=project.pk, actor=world["staff"], as_of=world["today"])


def test_an_archived_programme_takes_no_more_reports_forms_or_approvals(world: dict) -> None:
    programme = world["project"].programme
    programme.archived_on = world["today"]
    programme.save()
    officer, staff = client_of(world["officer"]), client_of(world["staff"])
    officer.post(
        f"/projects/milestone/{world['late'].pk}/report/", {"percent": "66", "done": "x", "_submit": "1"}
    )
    assert Milestone.objects.get(pk=world["late"].pk).percent == 0
    assert staff.post(f"/projects/project/{world['project'].pk}/change/", {"note": "改"}).status_code == 403
    page = staff.get("/projects/project/add/")
    assert programme not in page.context["adminform"].form.fields["programme"].queryset


def test_a_form_writes_only_what_was_changed_in_it(world: dict) -> None:
    """The officer opened the form; the clerk decided; the officer saved. The decision stands."""
    project = factories.project(world["group"], world["project"].programme)
    milestone = factories.milestone(
        project, world["today"] + DAY, state="submitted", claimed_on=world["today"]
    )
    client = client_of(world["officer"])
    url = f"/projects/project/{project.pk}/change/"
    data = form_of(client.get(url))
    Project.objects.filter(pk=project.pk).update(approved_on=world["today"])
    Milestone.objects.filter(pk=milestone.pk).update(state="returned", comment="缺照片")
    assert client.post(url, {**data, "place": "新地点", "milestones-0-order": 7}).status_code == 302
    project.refresh_from_db()
    milestone.refresh_from_db()
    assert (project.place, project.approved_on) == ("新地点", world["today"])
    assert (milestone.state, milestone.comment) == ("returned", "缺照片")


@pytest.mark.django_db(transaction=True)
def test_a_save_waits_for_the_decision_that_is_being_made() -> None:
    """Two at once on one row: the form reads the row after the decision, and nothing typed gets lost."""
    world = built()
    project = factories.project(world["group"], world["project"].programme, place="旧")
    client = client_of(world["officer"])
    url = f"/projects/project/{project.pk}/change/"
    data = form_of(client.get(url)) | {"place": "新", "due_on": "2030-01-01"}
    answers: list[int] = []

    def save() -> None:
        try:
            answers.append(client.post(url, data).status_code)
        finally:
            connection.close()

    with transaction.atomic():
        approve(project_id=project.pk, actor=world["staff"], as_of=world["today"])
        officer = threading.Thread(target=save)
        officer.start()
        with connection.cursor() as cursor:
            waiting = False
            while not waiting and officer.is_alive():
                cursor.execute("SELECT pg_sleep(0.02), EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
                waiting = cursor.fetchone()[1]
        assert waiting, "the save must stand behind the approval"
    officer.join(30)
    project.refresh_from_db()
    assert answers == [409], "the date that was typed can no longer be saved: that has to be said"
    assert (project.place, project.approved_on, project.due_on) == ("旧", world["today"], None)


def test_a_new_password_and_an_unlock_leave_an_entry_each(world: dict) -> None:
    client = client_of(world["security"])
    new = {"new_password1": "quite another 2026", "new_password2": "quite another 2026"}
    client.post(f"/enterprises/user/{world['officer'].pk}/password/", new)
    client.post(f"/enterprises/user/{world['officer'].pk}/unlock/")
    unlocked, reset, *_rest = history_of([world["officer"]], world["security"])
    assert [c.label for c in unlocked.changes] == ["登录解锁时间"]
    assert [c.label for c in reset.changes] == ["密码设定时间"]
    assert reset.by == world["security"].name


def test_who_keeps_the_accounts_of_a_group_cannot_take_one_with_a_role_above(world: dict) -> None:
    keeper = factories.user("security", world["group"])
    both = factories.user("officer", world["group"])
    Membership.objects.create(user=both, role="staff", unit=world["root"])
    client = client_of(keeper)
    new = {"new_password1": "quite another 2026", "new_password2": "quite another 2026"}
    assert client.post(f"/enterprises/user/{both.pk}/password/", new).status_code in (302, 403)
    both.refresh_from_db()
    assert both.check_password(factories.PASSWORD)
    assert world["root"].name not in client.get("/enterprises/user/").content.decode()
    assert client.post(f"/enterprises/user/{world['officer'].pk}/password/", new).status_code == 302
    world["officer"].refresh_from_db()
    assert world["officer"].check_password("quite another 2026"), "the control: an account of the group's own"
    nobody = factories.user()
    assert nobody.name not in client.get("/enterprises/user/").content.decode()


def test_the_security_administrator_can_choose_a_unit_and_give_a_role(world: dict) -> None:
    client = client_of(world["security"])
    query = {"app_label": "enterprises", "model_name": "membership", "field_name": "unit", "term": "水务"}
    offered = client.get("/autocomplete/", query).json()["results"]
    assert [row["id"] for row in offered] == [str(world["group"].pk)]
    somebody = factories.user()
    form = {"user": somebody.pk, "role": "officer", "unit": world["group"].pk}
    assert client.post("/enterprises/membership/add/", form).status_code == 302
    wrong = {**form, "valid_from": "2026-12-31", "valid_until": "2026-12-01"}
    page = client.post("/enterprises/membership/add/", wrong)
    assert page.status_code == 200
    assert "截止日期不得早于起始日期" in page.content.decode()


def test_a_membership_of_ones_own_is_not_passed_on(world: dict) -> None:
    own = world["security"].memberships.get()
    client = client_of(world["security"])
    other = factories.user()
    url = f"/enterprises/membership/{own.pk}/change/"
    response = client.post(url, form_of(client.get(url)) | {"user": other.pk})
    assert response.status_code == 403
    own.refresh_from_db()
    assert own.user == world["security"]


def test_a_reason_is_only_what_the_page_asked_for(world: dict) -> None:
    client_of(world["officer"]).post(
        f"/projects/milestone/{world['late'].pk}/report/",
        {"percent": "20", "done": "开挖", "reason": "领导已同意", "_submit": "1"},
    )
    assert history_of([world["late"]], world["staff"])[0].why == ""
    client_of(world["staff"]).post(
        f"/projects/milestone/{world['late'].pk}/step/cancel/", {"comment": "并入他项"}
    )
    assert history_of([world["late"]], world["staff"])[0].why == "并入他项"


def test_every_filter_of_the_journal_answers(world: dict) -> None:
    client = client_of(world["audit"])
    for kind, _name in client.get("/journal/").context["kinds"]:
        assert client.get("/journal/", {"kind": kind, "by": "某"}).status_code == 200, kind


@pytest.mark.parametrize(
    "tail",
    ["?enterprise=²", "?programme=²", "?programme=99999999999999999999", "?light=%00", "?q=%00", "?p=99999", "?o=99", "?status__exact=%00"],
)  # fmt: skip
def test_strange_links_get_an_answer(world: dict, tail: str) -> None:
    client = client_of(world["staff"])
    client.raise_request_exception = False
    for page in ("/projects/project/", "/projects/milestone/", "/enterprises/enterprise/"):
        assert client.get(page + tail).status_code < 500, page + tail


@pytest.mark.parametrize("text", ["abc", "²", "9" * 30, "x" * 5000])
def test_strange_values_in_a_choice_come_back_as_an_error_of_the_form(world: dict, text: str) -> None:
    client = client_of(world["staff"])
    client.raise_request_exception = False
    form = {
        "programme": world["project"].programme_id, "code": "N1", "name": "名称", "enterprise": text,
        "party_branches": [text], "milestones-TOTAL_FORMS": 0, "milestones-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert client.post("/projects/project/add/", form).status_code == 200


def test_nul_in_a_field_is_refused_with_a_page(world: dict) -> None:
    client = client_of(world["staff"])
    client.raise_request_exception = False
    response = client.post(f"/projects/milestone/{world['late'].pk}/step/cancel/", {"comment": "a\x00b"})
    assert response.status_code == 400
    assert "Traceback" not in response.content.decode()


def test_an_account_name_of_300_letters_is_a_wrong_password_like_any_other() -> None:
    client = Client(raise_request_exception=False)
    assert client.post("/login/", {"username": "x" * 300, "password": "y"}).status_code == 200


def test_a_body_that_cannot_be_read_gets_our_page_too(world: dict) -> None:
    client = client_of(world["staff"])
    client.raise_request_exception = False
    response = client.post(
        f"/projects/milestone/{world['late'].pk}/step/cancel/",
        "comment=x",
        content_type="application/x-www-form-urlencoded; charset=utf-16",
    )
    assert response.status_code in (400, 403, 409, 500)
    assert "<!DOCTYPE html>" in response.content.decode()


def test_the_links_that_the_home_page_of_an_administrator_offers_work(world: dict) -> None:
    for role in ("system", "security", "audit"):
        client = client_of(world[role])
        for figure in client.get("/").context["home"].administrator:
            assert client.get(figure.url).status_code == 200, figure.url
    assert client_of(world["system"]).get("/projects/setaside/?resolved_at__isempty=1").status_code == 200


def test_a_cancelled_milestone_does_not_begin_its_project(world: dict) -> None:
    project = factories.project(world["group"], world["project"].programme, status="not_started")
    milestone = factories.milestone(project, timezone.localdate() + DAY, state="not_started")
    client_of(world["staff"]).post(
        f"/projects/milestone/{milestone.pk}/step/cancel/", {"comment": "并入他项"}
    )
    project.refresh_from_db()
    milestone.refresh_from_db()
    assert (milestone.state, project.status) == ("cancelled", "not_started")


def log_in_from(user: Any, address: str, forwarded: str, password: str = "nonsense") -> int:
    headers = {"x-forwarded-for": forwarded}
    form = {"username": user.username, "password": password}
    return Client(headers=headers, REMOTE_ADDR=address).post("/login/", form).status_code


def test_a_forged_forwarding_header_does_not_evade_the_lock(world: dict) -> None:
    answers = [
        log_in_from(world["staff"], "10.0.0.9", f"10.1.1.{n}") for n in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert answers[-1] == 429


def test_behind_a_proxy_one_clients_failures_do_not_lock_out_another(world: dict, settings: Any) -> None:
    settings.AXES_IPWARE_PROXY_COUNT = 1
    settings.AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"]
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        last = log_in_from(world["staff"], "10.0.0.1", "203.0.113.7, 10.0.0.1")
    assert last == 429
    assert log_in_from(world["staff"], "10.0.0.1", "203.0.113.8, 10.0.0.1", factories.PASSWORD) == 302


def test_approval_and_archiving_ask_before_they_are_done(world: dict) -> None:
    project = factories.project(world["group"], world["project"].programme)
    client = client_of(world["staff"])
    for url in (
        f"/projects/project/{project.pk}/approve/",
        f"/projects/programme/{project.programme_id}/archive/",
    ):
        assert client.get(url).status_code == 200
    project.refresh_from_db()
    assert (project.approved_on, project.programme.archived_on) == (None, None)
    client.post(f"/projects/project/{project.pk}/approve/")
    project.refresh_from_db()
    assert project.approved_on == world["today"]
