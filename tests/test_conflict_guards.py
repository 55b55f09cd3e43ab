"""What guards concurrent edits: the cost of it, the index behind it, and that no form and no road is left out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from enterprises.edits import Edit, edit_version
from enterprises.models import Enterprise
from enterprises.scoped_edits import SafeEdits
from journal.versions import author_of, events_since, is_watched, versions_of
from projects.models import Project
from tests import factories
from tests.forms import conflict_form
from tests.test_conflicts import with_url
from tests.test_pages import DAY, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return with_url()


def queries(client: Any, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_a_form_costs_two_more_queries_however_many_rows_it_has(
    world: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(world["staff"])
    queries(client, world["url"])
    few = queries(client, world["url"])
    for n in range(20):
        factories.milestone(world["project"], world["today"] + DAY * n)
    assert queries(client, world["url"]) == few
    monkeypatch.setattr(SafeEdits, "_versions", lambda *_args: {"": {}})
    monkeypatch.setattr(SafeEdits, "render_change_form", admin.ModelAdmin.render_change_form)
    assert few - queries(client, world["url"]) <= 2


def test_the_version_of_a_row_is_found_by_an_index(world: dict) -> None:
    plan = versions_of(Project.objects.filter(pk=world["project"].pk))
    assert plan[world["project"].pk] > 0
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as found:
            versions_of(Project.objects.filter(pk=world["project"].pk))
        cursor.execute(f"EXPLAIN {found[-1]['sql']}")
        text = "\n".join(row[0] for row in cursor.fetchall())
    assert "pgh_obj_id" in text
    assert "Index" in text.split("SubPlan")[1]


def test_every_field_of_every_change_form_is_watched_by_the_journal() -> None:
    """The journal is the version: a field that it does not watch could be overwritten unseen."""
    checked = 0
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, SafeEdits) or _never_changed(model_admin):
            continue
        offered = set(flatten_fieldsets(model_admin.fieldsets or ())) or {f.name for f in model._meta.fields}
        for edited in (model, *(inline.model for inline in model_admin.inlines)):
            for column in edited._meta.concrete_fields:
                if column.primary_key or not column.editable or column.name in model_admin.readonly_fields:
                    continue
                if edited is not model or column.name in offered:
                    checked += 1
                    assert is_watched(edited, column.name), (edited, column)
    assert checked > 60


def _request() -> Any:
    return RequestFactory().get("/")


def _never_changed(model_admin: Any) -> bool:
    """Registers that people only read."""
    for role in ("staff", "officer", "leader", "system", "security", "audit"):
        request = _request()
        request.user = factories.user(role, factories.sasac(f"国资委{role}{id(model_admin)}"))
        if model_admin.has_change_permission(request):
            return False
    return True


def test_the_journal_tells_every_road_of_a_change(world: dict) -> None:
    project = world["project"]
    rows = Project.objects.filter(pk=project.pk)
    start = versions_of(rows)
    rows.update(note="成批改")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_project SET note = '直接改' WHERE id = %s", [project.pk])
    first, second, third = events_since(Project, start)[project.pk]
    assert (first.pgh_id, second.note, third.note) == (start[project.pk], "成批改", "直接改")
    assert versions_of(rows)[project.pk] == third.pgh_id
    assert author_of(third)[0]
    with pytest.raises(LookupError):
        versions_of(ContentType.objects.all())


# -- forms outside the admin ------------------------------------------------------------------------


def test_any_form_can_be_guarded_in_three_lines(world: dict) -> None:
    from django.forms import modelform_factory

    form_class = modelform_factory(Enterprise, fields=["short_name", "note"])
    group = Enterprise.objects.get(pk=world["group"].pk)

    def request(**data: Any) -> Any:
        made = RequestFactory().post("/somewhere/", data)
        made.user = world["staff"]
        return made

    def edit(posted: Any) -> Edit:
        row = Enterprise.objects.select_for_update().get(pk=group.pk)
        return Edit(posted, row, lambda data: form_class(data, instance=row))

    version = edit_version(request(), form_class(instance=group))
    assert not edit(request(short_name="甲", note="", _version=version)).in_conflict
    Enterprise.objects.filter(pk=group.pk).update(short_name="乙", note="他写的")
    second = edit(request(short_name="甲", note="", _version=version))
    assert second.in_conflict
    page = second.response(admin.site.each_context(second.request), back="/somewhere/")
    assert page.status_code == 409
    page.render()
    sent = {name: values[-1] for name, values in conflict_form(page).items()}
    assert edit(request(**sent)).in_conflict, "the short name is still to be chosen"
    chosen = edit(request(**sent | {"_choice-short_name": "mine"}))
    assert not chosen.in_conflict
    assert chosen.form.is_valid()
    chosen.form.save()
    group.refresh_from_db()
    assert (group.short_name, group.note) == ("甲", "他写的")


def test_a_form_made_from_a_row_that_changed_since_it_was_read_knows_nothing(world: dict) -> None:
    from django.forms import modelform_factory

    form_class = modelform_factory(Enterprise, fields=["note"])
    stale = Enterprise.objects.get(pk=world["group"].pk)
    Enterprise.objects.filter(pk=stale.pk).update(note="他写的")
    made = RequestFactory().post("/")
    made.user = world["staff"]
    version = edit_version(made, form_class(instance=stale))
    made.POST = {"note": "", "_version": version}
    posted = RequestFactory().post("/", {"note": "", "_version": version})
    posted.user = world["staff"]
    row = Enterprise.objects.get(pk=stale.pk)
    assert Edit(posted, row, lambda data: form_class(data, instance=row)).in_conflict
