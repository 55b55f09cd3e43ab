"""The reference of the face shows what there is, to those who build on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> dict[str, Any]:
    return built()


def test_staff_see_every_colour_of_the_theme(world: dict[str, Any]) -> None:
    page = client_of(world["staff"]).get("/design/").content.decode()
    theme = Path(settings.BASE_DIR, "static", "portal", "tokens.css").read_text()
    names = re.findall(r"(--[\w-]+): #", theme.partition("@media")[0])
    assert len(names) > 20
    assert all(f"var({name})" in page for name in names)


def test_nobody_else_does(world: dict[str, Any]) -> None:
    for role in ("officer", "leader"):
        assert client_of(world[role]).get("/design/").status_code == 403
