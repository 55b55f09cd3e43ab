"""Start-up refuses what stands outside the wall; each check is shown to say no."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.db import models

from enterprises import checks
from enterprises.models import Enterprise
from enterprises.roles import PERMISSIONS
from enterprises.scoped_admin import ScopedModelAdmin
from enterprises.scoping import PortalWide
from projects.models import Milestone, Project


def test_the_portal_itself_passes() -> None:
    assert checks.models_stand_behind_the_wall() == []
    assert checks.admins_stand_behind_the_wall() == []
    assert checks.permissions_name_real_models() == []


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("scope", None, "E001"),
        ("scope", PortalWide("short"), "E002"),
        ("_default_manager", models.Manager(), "E003"),
    ],
)
def test_a_model_outside_the_wall_is_refused(monkeypatch: Any, attribute: str, value: Any, code: str) -> None:
    if attribute == "_default_manager":
        value.model = Enterprise
        monkeypatch.setattr(type(Enterprise), attribute, property(lambda cls: value))
    else:
        monkeypatch.setattr(Enterprise, attribute, value)
    assert f"enterprises.{code}" in {e.id for e in checks.models_stand_behind_the_wall()}


class Plain(admin.ModelAdmin):
    pass


class WithIds(ScopedModelAdmin):
    raw_id_fields = ("project",)


class WithInline(ScopedModelAdmin):
    inlines = (type("Stock", (admin.TabularInline,), {"model": Milestone}),)


class WithFilter(ScopedModelAdmin):
    list_filter = ("enterprise",)


@pytest.mark.parametrize(
    ("model", "admin_class", "code"),
    [
        (Project, Plain, "E004"),
        (Milestone, WithIds, "E005"),
        (Project, WithInline, "E006"),
        (Project, WithFilter, "E008"),
    ],
)
def test_an_admin_outside_the_wall_is_refused(
    monkeypatch: Any, model: Any, admin_class: Any, code: str
) -> None:
    site = AdminSite()
    site.register(model, admin_class)
    monkeypatch.setattr(checks.admin, "site", site)
    assert [e.id for e in checks.admins_stand_behind_the_wall()] == [f"enterprises.{code}"]


def test_a_right_on_a_model_that_does_not_exist_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setitem(PERMISSIONS, "staff", frozenset({"projects.view_porject"}))
    assert "enterprises.E007" in {e.id for e in checks.permissions_name_real_models()}
