"""What wrong input, wrong links and faults are answered: a sentence, never a stack trace, nothing lost."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError
from django.test import Client
from django.utils import timezone

from enterprises.models import Enterprise, Membership
from projects.models import ExtensionShift, Project, SetAside
from projects.services.patrol import patrol
from tests import factories
from tests.forms import form_of
from tests.test_draft_forms import prepared, typed
from tests.test_pages import DAY, HAN, built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def log_in(username: str, password: str) -> Any:
    return Client().post("/login/", {"username": username, "password": password})


def test_a_wrong_password_and_an_expired_membership_are_told_apart(world: dict) -> None:
    wrong = log_in(world["staff"].username, "nonsense")
    assert "账号或密码不正确" in wrong.content.decode()
    unknown = log_in("nobody-of-this-name", "nonsense")
    assert "账号或密码不正确" in unknown.content.decode(), "an unknown account is not given away"
    Membership.objects.filter(user=world["staff"]).update(valid_until=datetime.date(2020, 1, 1))
    expired = log_in(world["staff"].username, factories.PASSWORD)
    assert "没有有效任职" in expired.content.decode()
    assert "_auth_user_id" not in expired.client.session


def test_a_membership_that_runs_out_ends_an_open_session(world: dict) -> None:
    client = client_of(world["staff"])
    assert client.get("/").status_code == 200
    Membership.objects.filter(user=world["staff"]).update(valid_until=datetime.date(2020, 1, 1))
    assert client.get("/projects/project/").status_code == 302


def test_too_many_wrong_passwords_lock_account_and_address_for_a_while(world: dict) -> None:
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        answer = log_in(world["staff"].username, "nonsense")
    assert answer.status_code == 429
    assert "锁定" in answer.content.decode()
    assert log_in(world["staff"].username, factories.PASSWORD).status_code == 429
    assert log_in(world["leader"].username, factories.PASSWORD).status_code == 302


def test_a_missing_page_and_a_forbidden_one_say_so_in_chinese(world: dict) -> None:
    missing = client_of(world["staff"]).get("/no/such/page/")
    assert missing.status_code in (302, 404)
    forbidden = client_of(world["leader"]).get("/enterprises/user/")
    assert forbidden.status_code == 403
    assert HAN.search(forbidden.content.decode())
    assert "Traceback" not in forbidden.content.decode()


def test_a_form_from_a_stale_page_is_refused_with_a_cure(world: dict) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world["staff"], backend="enterprises.authentication.AccountBackend")
    response = client.post(f"/projects/milestone/{world['late'].pk}/step/cancel/", {"comment": "x"})
    assert response.status_code == 403
    assert "刷新" in response.content.decode() or "重新" in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError, 503), (IntegrityError, 409), (ValueError, 500)]
)
def test_a_fault_in_the_middle_loses_nothing_that_was_typed(
    world: dict, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    def fail(**_kwargs: Any) -> None:
        raise error("secret detail of the server")

    monkeypatch.setattr("projects.admin.milestones.take_step", fail)
    client = client_of(world["staff"])
    client.raise_request_exception = False
    response = client.post(
        f"/projects/milestone/{world['late'].pk}/step/cancel/", {"comment": "我写了很久的话"}
    )
    page = response.content.decode()
    assert response.status_code == status
    assert 'value="我写了很久的话"' in page
    assert "secret detail" not in page
    assert "Traceback" not in page


def test_a_strangers_form_is_not_offered_again_after_a_fault(
    world: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault strikes before the CSRF check; the page must not turn into a way around it."""

    def fail(_user: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("django.contrib.auth.middleware.get_user", fail)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = client.post("/projects/project/add/", {"name": "foreign words"})
    assert response.status_code == 503
    assert "foreign words" not in response.content.decode()


def test_an_enterprise_with_projects_cannot_be_deleted_and_the_page_says_why(world: dict) -> None:
    client = client_of(world["staff"])
    url = f"/enterprises/enterprise/{world['group'].pk}/delete/"
    assert world["project"].name in client.get(url).content.decode()
    response = client.post(url, {"post": "yes"})
    assert response.status_code in (200, 403)
    assert Enterprise.objects.filter(pk=world["group"].pk).exists()


def test_a_circle_in_the_tree_is_refused_by_the_form(world: dict) -> None:
    child = factories.enterprise("供水公司", kind="subsidiary", parent=world["group"])
    client = client_of(world["staff"])
    url = f"/enterprises/enterprise/{world['group'].pk}/change/"
    response = client.post(url, form_of(client.get(url)) | {"name": "x", "parent": child.pk})
    assert response.status_code == 200
    assert "下级单位" in response.content.decode()


def test_due_before_start_and_nonsense_dates_come_back_with_what_was_typed(world: dict) -> None:
    client = client_of(world["staff"])
    form = {
        "programme": world["project"].programme_id, "code": "N1", "name": "写好的名称", "enterprise": world["group"].pk,
        "starts_on": "2026-05-02", "due_on": "2026-05-01", "milestones-TOTAL_FORMS": 0, "milestones-INITIAL_FORMS": 0,
    }  # fmt: skip
    page = client.post("/projects/project/add/", form).content.decode()
    assert "完成期限不得早于开始日期" in page
    assert "写好的名称" in page
    page = client.post("/projects/project/add/", {**form, "due_on": "2026-02-30"}).content.decode()
    assert 'value="2026-02-30"' in page
    assert not Project.objects.filter(code="N1").exists()


def test_a_milestone_without_a_date_is_fine_and_listed_apart(world: dict) -> None:
    page = client_of(world["staff"]).get("/projects/milestone/?when=no_date")
    assert page.context["cl"].result_count == 1


def test_nobody_grants_a_role_to_themselves(world: dict) -> None:
    client = client_of(world["security"])
    response = client.post(
        "/enterprises/membership/add/",
        {"user": world["security"].pk, "role": "security", "unit": world["group"].pk},
    )
    assert response.status_code == 403
    assert world["security"].memberships.count() == 1


def test_nobody_grants_a_role_to_themselves_on_the_account_page_either(world: dict) -> None:
    client = client_of(world["security"])
    user = world["security"]
    url = f"/enterprises/user/{user.pk}/change/"
    forged = {
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0,
        "memberships-0-role": "security", "memberships-0-unit": world["group"].pk,
    }  # fmt: skip
    response = client.post(url, form_of(client.get(url)) | forged)
    assert response.status_code == 302
    assert user.memberships.count() == 1


def test_two_duties_for_one_person_are_refused_by_the_form(world: dict) -> None:
    client = client_of(world["security"])
    response = client.post(
        "/enterprises/membership/add/", {"user": world["staff"].pk, "role": "audit", "unit": world["root"].pk}
    )
    assert response.status_code == 200
    assert "职责分离" in response.content.decode()


def test_a_row_that_was_set_aside_can_be_tried_again_by_the_system_administrator(world: dict) -> None:
    row = SetAside.objects.create(
        milestone=world["late"], as_of=world["today"], at=timezone.now(), error="broken"
    )
    assert client_of(world["leader"]).post(f"/projects/setaside/{row.pk}/retry/").status_code == 302
    row.refresh_from_db()
    assert row.resolved_at is None
    client_of(world["system"]).post(f"/projects/setaside/{row.pk}/retry/")
    row.refresh_from_db()
    assert row.resolved_at is not None


def test_archiving_ends_the_lights_and_the_steps(world: dict) -> None:
    programme = world["project"].programme
    assert client_of(world["officer"]).post(f"/projects/programme/{programme.pk}/archive/").status_code == 302
    programme.refresh_from_db()
    assert programme.archived_on is None
    client_of(world["staff"]).post(f"/projects/programme/{programme.pk}/archive/")
    programme.refresh_from_db()
    assert programme.archived_on == world["today"]
    assert patrol(as_of=world["today"] + DAY).opened == 0


def test_the_language_is_chinese_until_the_person_switches_whatever_the_browser_prefers(world: dict) -> None:
    client = Client(headers={"accept-language": "en-US,en"})
    assert "登录" in client.get("/login/").content.decode()
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert 'lang="en"' in client.get("/login/").content.decode()


def test_a_forgotten_password_is_set_anew_by_the_security_administrator_only(world: dict) -> None:
    user = world["officer"]
    url = f"/enterprises/user/{user.pk}/password/"
    new = {"new_password1": "quite another 2026", "new_password2": "quite another 2026"}
    assert client_of(world["staff"]).post(url, new).status_code == 302
    assert client_of(world["audit"]).post(url, new).status_code == 302
    user.refresh_from_db()
    assert user.check_password(factories.PASSWORD)
    client = client_of(world["security"])
    assert client.post(url, {**new, "new_password2": "different"}).status_code == 200
    assert client.post(url, new).status_code == 302
    user.refresh_from_db()
    assert user.check_password("quite another 2026")
    own = client.post(f"/enterprises/user/{world['security'].pk}/password/", new)
    assert own.headers["Location"] == "/password_change/"


def test_the_security_administrator_unlocks_an_account(world: dict) -> None:
    for _attempt in range(settings.AXES_FAILURE_LIMIT):
        log_in(world["staff"].username, "nonsense")
    client_of(world["security"]).post(f"/enterprises/user/{world['staff'].pk}/unlock/")
    assert log_in(world["staff"].username, factories.PASSWORD).status_code == 302


def test_an_archived_programme_states_no_more_than_was_known(world: dict) -> None:
    """Days late stop with the programme, and a badge of history counts nothing."""
    programme = world["project"].programme
    programme.archived_on = world["today"]
    programme.save()
    Project.objects.update(light_on=None)
    client = client_of(world["staff"])
    page = client.get(f"/projects/project/{world['project'].pk}/").content.decode()
    assert "归档时未解除" in page
    assert "仍在逾期" not in page
    assert "无进度填报" in page
    (_episode, days), *_rest = client.get(f"/projects/project/{world['project'].pk}/").context["episodes"]
    assert days == 2, "three days ago it was due; the day before archiving was the last that counts"
    assert "逾期 3 天" not in client.get(f"/projects/milestone/?programme={programme.pk}").content.decode()


@pytest.mark.parametrize("script", [False, True])
def test_a_new_date_at_the_end_of_the_calendar_comes_back_as_an_error(script: bool) -> None:
    """A milestone that moves along by as many days would leave the calendar."""
    world = prepared()
    later = factories.milestone(world["project"], world["today"] + DAY * 20)
    data = typed(
        world["client"].get(world["extension"]),
        **{"to_on": "9999-12-31", "reason_class": "site", "reason": "雨", f"shift-{later.pk}": "on"},
    )
    if script:
        answer = world["client"].post(world["extension"], data, headers={"X-Requested-With": "fetch"})
        assert answer.status_code == 200 and answer.json()["unclear"]
        return
    page = world["client"].post(world["extension"], data | {"_submit": "1"})
    assert page.status_code == 409
    (row,) = [row for row in page.context["shifts"] if row.milestone == later]
    assert row.ticked and row.error
    assert world["client"].get(world["extension"]).status_code == 200
    assert not ExtensionShift.objects.exists()


@pytest.mark.parametrize(
    "opened",
    ["[" * 200_000, '{"1":' * 100_000, "[" * 5_000, '{"1": ' + "9" * 90_000 + "}", "[]", '{"1": NaN}'],
    ids=["lists", "objects", "short lists", "a long number", "a list", "no number"],
)
def test_a_forged_memory_of_what_moved_along_is_none(opened: str) -> None:
    world = prepared()
    later = factories.milestone(world["project"], world["today"] + DAY * 20)
    day = (world["today"] + DAY * 30).isoformat()
    data = typed(
        world["client"].get(world["extension"]), **{f"shift-{later.pk}": "on", f"shift_to-{later.pk}": day}
    )
    answer = world["client"].post(world["extension"], data | {"shifts_opened": opened, "_save": "1"})
    assert answer.status_code == 302
    assert ExtensionShift.objects.get().to_on.isoformat() == day
