"""Names and texts from forms: what nobody sees in them is not kept."""

from __future__ import annotations

import pytest

from enterprises.plain_text import is_blank, tidy
from projects.models import Project
from tests.test_pages import built, client_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202e供水管网\u202c", "供水管网"),
        ("供水\x01管网", "供水管网"),
        ("\u2067供水\u2069 管网", "供水 管网"),
        ("第一行\r\n第二行", "第一行\n第二行"),
        ("👨\u200d👩\u200d👧 之家", "👨\u200d👩\u200d👧 之家"),
        ("\u202e", ""),
    ],
)
def test_direction_and_control_marks_go_and_the_rest_stays(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


def test_marks_alone_are_a_blank() -> None:
    assert is_blank("\u202e \u200b\x01")
    assert not is_blank("水")


def test_a_name_from_a_form_keeps_nothing_that_turns_its_letters_around() -> None:
    world = built()
    form = {
        "programme": world["project"].programme_id, "code": "N1", "name": "\u202e供水\x01管网\u202c改造", "place": "\u2067",
        "enterprise": world["group"].pk, "measures": "一\u202e二\r\n三",
        "milestones-TOTAL_FORMS": 1, "milestones-INITIAL_FORMS": 0, "milestones-0-name": "招标\u202e", "milestones-0-weight": 100, "milestones-0-order": 0, "milestones-0-percent": 0,
    }  # fmt: skip
    answer = client_of(world["staff"]).post("/projects/project/add/", form)
    assert answer.status_code == 302, answer.context["errors"]
    made = Project.objects.get(code="N1")
    assert (made.name, made.place, made.measures) == ("供水管网改造", "", "一二\n三")
    assert made.milestones.get().name == "招标"
