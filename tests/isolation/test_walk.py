"""The walk: every URL of the portal × every role × own, child, parent, sibling and foreign rows.

The URL table is the real one, so a page that is added later is walked without anyone remembering it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from enterprises.models import Enterprise
from projects.models import Category, Milestone, Programme, Project
from tests.forms import form_of
from tests.isolation.world import World, build, marker

pytestmark = pytest.mark.django_db

#: Pages that answer before the wall, or end the visit.
NOT_WALKED = {
    "admin:logout",
    "admin:login",
    "healthz",
    "set_language",
    "admin:jsi18n",
    "admin:password_change",
    "admin:password_change_done",
}
#: Issued by a SASAC for everyone below it, and read from there.
SHARED_BELOW = (Programme, Category)
ROLES = ("officer", "clerk", "group_leader", "staff", "leader", "system", "security", "audit")


@pytest.fixture
def world() -> World:
    return build()


def patterns(resolver: URLResolver, namespace: str = "", prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every URL of the portal."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else ""
            yield from patterns(entry, namespace + inner, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield namespace + (entry.name or "?"), prefix + str(entry.pattern)


def all_patterns() -> list[tuple[str, str]]:
    return [(name, route) for name, route in patterns(get_resolver()) if name not in NOT_WALKED]


def model_of(route: str) -> type[models.Model] | None:
    parts = route.split("/")
    for model in admin.site._registry:
        if parts[:2] == [model._meta.app_label, model._meta.model_name]:
            return model
    return None


def urls_for(route: str, world: World) -> Iterator[tuple[str, str | None]]:
    """Concrete URLs of a route, each with the unit whose row it names (None: it names no row)."""
    if "<" not in route and "(?P" not in route:
        yield "/" + route, None
        return
    model = model_of(route)
    if model is None:
        return
    for key, unit in world.units.items():
        row = unit.rows.get(model)
        if row is not None:
            url = re.sub(r"<(path|int):object_id>", str(row.pk), route)
            for word, stands_for in (("action", "cancel"), ("size", "thumb"), ("kind", "progressreport")):
                url = url.replace(f"<slug:{word}>", stands_for)
            yield "/" + url.replace("<int:subject_id>", str(unit.rows[Milestone].pk)), key


def client_of(world: World, role: str) -> Client:
    client = Client()
    client.force_login(world.users[role], backend="enterprises.authentication.AccountBackend")
    return client


def text_of(response: HttpResponse) -> str:
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content).decode("utf-8", "replace")  # type: ignore[attr-defined]
    return response.content.decode("utf-8", "replace") + response.headers.get("Location", "")


def leaks(world: World, role: str, response: HttpResponse) -> list[str]:
    """Units whose marker stands in the answer although the role may not see them."""
    text = text_of(response)
    for key in (
        "b1",
        "a2",
    ):  # what the walk itself typed for an export stands in the auditor's list of exports
        text = text.replace(f"q={marker(key)}", "")
    return [key for key in world.units if key not in world.sees[role] and marker(key) in text]


def queries_for(model: Any, world: World, route: str = "") -> Iterator[str]:
    """Query strings that try to look, filter, search, sort or pre-fill across the wall.

    A form that adds a row reads values for its fields and nothing else.
    """
    if model and route.endswith("/add/"):
        rows = world.units["b1"].rows
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model in rows:
                yield f"?{field.name}={rows[field.related_model].pk}"
        return
    yield "?q=" + marker("b1")
    yield "?q=" + marker("a2")
    yield "?o=1&p=0&all="
    foreign = world.units["b1"]
    for field in model._meta.get_fields() if model else ():
        if field.is_relation and field.related_model in foreign.rows:
            pk = foreign.rows[field.related_model].pk
            yield f"?{field.name}__id__exact={pk}"
            yield f"?{field.name}={pk}"
        elif isinstance(field, models.CharField):
            yield f"?{field.name}__startswith=%E5%A2%99"
    yield f"?enterprise={foreign.enterprise.pk}"
    yield f"?programme={foreign.rows[Programme].pk}"
    yield "?enterprise__parent__name__startswith=%E5%A2%99"
    yield "?project__enterprise__credit_code__startswith=9"


def test_the_walk_meets_every_model_of_the_admin(world: World) -> None:
    met = {model_of(route) for _name, route in all_patterns()} - {None}
    assert met == set(admin.site._registry)
    assert len(all_patterns()) > 60


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_what_lies_behind_the_wall(world: World, role: str) -> None:
    client = client_of(world, role)
    found, opened = [], 0
    for _name, route in all_patterns():
        model = model_of(route)
        if model is Programme:
            continue  # walked below: it is shared downwards
        for url, key in urls_for(route, world):
            tails = [""] if key else ["", *queries_for(model, world, route)]
            for tail in tails:
                response = client.get(url + tail)
                opened += 1
                assert response.status_code < 500, url + tail
                behind = leaks(world, role, response)
                if not key and "?q=" in tail:
                    # The search box shows the words that were typed; the page may hold them once or twice.
                    behind = [
                        k for k in behind if text_of(response).count(marker(k)) > 2 * (marker(k) in tail)
                    ]
                if behind:
                    found.append((url + tail, response.status_code, behind))
    assert not found
    assert opened > 150


@pytest.mark.parametrize("role", ROLES)
def test_a_foreign_id_is_answered_exactly_like_one_that_does_not_exist(world: World, role: str) -> None:
    client = client_of(world, role)
    nothing: dict[tuple[str, str], HttpResponse] = {}  # the same address for every unit, so asked once
    for _name, route in all_patterns():
        model = model_of(route)
        if model is Programme:
            continue
        for url, key in urls_for(route, world):
            if key is None or key in world.sees[role]:
                continue
            row_id = str(world.units[key].rows[model].pk)  # type: ignore[index]
            missing = url.replace(f"/{row_id}/", "/99999999/")
            for method in ("get", "post"):
                if (method, missing) not in nothing:
                    nothing[method, missing] = getattr(client, method)(missing)
                there, nowhere = getattr(client, method)(url), nothing[method, missing]
                assert there.status_code == nowhere.status_code, (method, url)
                # Whole numbers only: the row 40 stands in no "404".
                here, away = (
                    re.sub(rf"(?<!\d){n}(?!\d)", "N", text_of(one))
                    for n, one in ((row_id, there), ("99999999", nowhere))
                )
                assert here == away or there.status_code == 403, (method, url)


@pytest.mark.parametrize(
    "role", ["officer", "clerk", "leader", "group_leader", "system", "security", "audit"]
)
def test_no_post_changes_or_removes_a_row_behind_the_wall(world: World, role: str) -> None:
    client = client_of(world, role)
    before = {k: {m: m._base_manager.filter(pk=r.pk).values().get() for m, r in u.rows.items()} for k, u in world.units.items()}  # fmt: skip
    for _name, route in all_patterns():
        for url, key in urls_for(route, world):
            if key is not None and key not in world.sees[role]:
                client.post(url, {"post": "yes", "name": "改", "comment": "改", "percent": "99"})
    after = {k: {m: m._base_manager.filter(pk=r.pk).values().get() for m, r in u.rows.items()} for k, u in world.units.items()}  # fmt: skip
    assert before == after


def relation_fields(form: Any) -> Iterator[tuple[str, Any]]:
    for name, field in form.fields.items():
        if getattr(field, "queryset", None) is not None:
            yield name, field


@pytest.mark.parametrize("role", ["officer", "staff", "security"])
def test_no_form_accepts_a_foreign_row_in_any_relation(world: World, role: str) -> None:
    """The choices of every form of every admin hold no row of another SASAC or, for officers, unit."""
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = world.users[role]
    hidden = set(world.units) - world.sees[role]
    looked_at = 0
    for model, model_admin in admin.site._registry.items():
        own = next(
            (u.rows.get(model) for k, u in world.units.items() if k in world.sees[role] and model in u.rows),
            None,
        )
        for obj in (None, own):
            form = model_admin.get_form(request, obj, change=obj is not None)
            for name, field in relation_fields(form(instance=obj) if obj else form()):
                related = field.queryset.model
                for key in hidden:
                    foreign = world.units[key].rows.get(related)
                    if foreign is not None and not (related in SHARED_BELOW and key[0] == "a"):
                        assert not field.queryset.filter(pk=foreign.pk).exists(), (model, name, key)
                        looked_at += 1
    assert looked_at > 10


@pytest.mark.parametrize(
    ("role", "unit"), [("officer", "a2"), ("officer", "a"), ("staff", "b1"), ("clerk", "a1")]
)
def test_a_project_cannot_be_added_for_a_unit_behind_the_wall(world: World, role: str, unit: str) -> None:
    client = client_of(world, role)
    response = client.post("/projects/project/add/", project_form(world, world.units[unit].enterprise))
    assert response.status_code == 200, "the form comes back with an error"
    assert not Project.objects.filter(name="新项目").exists()
    missing = client.post("/projects/project/add/", project_form(world, None, enterprise_id="99999999"))
    assert errors_of(response, "enterprise") == errors_of(missing, "enterprise")


def errors_of(response: Any, field: str) -> list[str]:
    return response.context["adminform"].form.errors.get(field, [])


def project_form(world: World, unit: Enterprise | None, enterprise_id: str = "") -> dict[str, Any]:
    return {
        "programme": world.units["a1"].rows[Programme].pk,
        "code": "NEW",  # ignored for officers, who could find taken codes with it
        "name": "新项目",
        "enterprise": unit.pk if unit else enterprise_id,
        "milestones-TOTAL_FORMS": "0",
        "milestones-INITIAL_FORMS": "0",
    }


def test_an_own_project_can_be_added_by_the_same_form(world: World) -> None:
    """The control: the refusals above come from the wall and not from a broken form."""
    client = client_of(world, "officer")
    response = client.post("/projects/project/add/", project_form(world, world.units["a11"].enterprise))
    assert response.status_code == 302, response.context and response.context["adminform"].form.errors
    assert Project.objects.get(name="新项目").enterprise == world.units["a11"].enterprise


def test_a_foreign_party_branch_or_supporting_unit_is_refused(world: World) -> None:
    client = client_of(world, "officer")
    for name, row in (
        ("supporting_enterprises", world.units["a2"].enterprise),
        (
            "party_branches",
            world.units["b1"].rows[type(world.units["b1"].rows[Project].party_branches.get())],
        ),
    ):
        form = {**project_form(world, world.units["a1"].enterprise), name: [row.pk]}
        response = client.post("/projects/project/add/", form)
        assert response.status_code == 200
        assert errors_of(response, name)
    assert not Project.objects.filter(name="新项目").exists()


def test_saving_through_the_form_keeps_relations_that_lie_behind_the_wall(world: World) -> None:
    """An officer edits a project that another group supports: the officer neither sees it nor loses it."""
    project = world.units["a1"].rows[Project]
    project.supporting_enterprises.add(world.units["a2"].enterprise)
    project.liaison_leader = world.users["leader"]
    project.save()
    client = client_of(world, "officer")
    data = form_of(client.get(f"/projects/project/{project.pk}/change/")) | {"name": "改名后"}
    response = client.post(f"/projects/project/{project.pk}/change/", data)
    assert response.status_code == 302, response.context and response.context["adminform"].form.errors
    project.refresh_from_db()
    assert project.name == "改名后"
    assert project.liaison_leader == world.users["leader"]
    assert world.units["a2"].enterprise in project.supporting_enterprises.all()


def test_autocomplete_offers_only_what_may_be_chosen(world: World) -> None:
    client = client_of(world, "officer")
    query = {"app_label": "projects", "model_name": "project", "field_name": "enterprise", "term": "墙标"}
    offered = {int(row["id"]) for row in client.get("/autocomplete/", query).json()["results"]}
    assert offered == {world.units[key].enterprise.pk for key in ("a1", "a11", "a111")}


def test_saving_that_would_carry_a_row_outside_is_rolled_back(world: World) -> None:
    """Behind the choices stands a second wall: what was saved is read again, or nothing was saved."""
    from django.core.exceptions import PermissionDenied
    from django.test import RequestFactory

    request = RequestFactory().post("/")
    request.user = world.users["officer"]
    project = world.units["a1"].rows[Project]
    Project.objects.filter(pk=project.pk).update(enterprise=world.units["a2"].enterprise)
    with pytest.raises(PermissionDenied):
        admin.site._registry[Project].stay_inside(request, project, "change")  # type: ignore[attr-defined]


def test_the_reverse_question_gives_the_same_answer(world: World) -> None:
    from django.utils import timezone

    from enterprises.models import User
    from enterprises.scoping import may, users_who_may

    for action in ("report", "review"):
        for unit in world.units.values():
            milestone = unit.rows[Milestone]
            asked = set(users_who_may(action, milestone, on=timezone.localdate()))
            assert asked == {u for u in User.objects.all() if may(u, action, milestone)}


def test_programmes_are_read_from_below_without_naming_the_unit_above(world: World) -> None:
    client = client_of(world, "officer")
    programme = world.units["a1"].rows[Programme]
    Programme.objects.filter(pk=programme.pk).update(name="年度方案", source="", note="", code="nd")
    listed = client.get("/projects/programme/")
    page = client.get(f"/projects/programme/{programme.pk}/change/")
    for response in (listed, page):
        assert response.status_code == 200
        text = text_of(response)
        assert "年度方案" in text
        assert marker("a") not in text.replace(marker("a1"), "").replace(marker("a11"), "")
    assert (
        client.get(f"/projects/programme/{world.units['b1'].rows[Programme].pk}/change/").status_code == 302
    )
    assert client.post(f"/projects/programme/{programme.pk}/change/", {"name": "x"}).status_code == 403


def test_three_administrators_open_no_business_page(world: World) -> None:
    for role in ("system", "security", "audit"):
        client = client_of(world, role)
        for model in (Project, Milestone, Programme):
            assert client.get(f"/projects/{model._meta.model_name}/").status_code == 403, (role, model)
    assert client_of(world, "security").get("/journal/").status_code == 403
    assert client_of(world, "system").get("/enterprises/user/").status_code == 403
    assert client_of(world, "audit").post("/enterprises/user/add/", {}).status_code == 403
    assert client_of(world, "staff").get("/enterprises/user/").status_code == 403


def test_nobody_is_let_in_without_a_login(world: World) -> None:
    client = Client()
    for _name, route in all_patterns():
        for url, _key in urls_for(route, world):
            response = client.get(url)
            assert response.status_code in (302, 403, 404), url
            assert not any(marker(key) in text_of(response) for key in world.units)
