"""Projects that come by the thousand are found by search a moment after the transaction that brought them."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from projects.models import Project, ProjectWords, WordsDue
from projects.services import words
from projects.services.rounds import go_round
from projects.services.search import find
from projects.services.words import take_up_words, words_later
from tests import factories
from tests.importing.ledgers import ON, handed_in, ledger
from tests.importing.ledgers import world as importing_world
from tests.importing.receipts import asked, row
from tests.racing import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff() -> object:
    root = factories.sasac()
    factories.programme(root, timezone.localdate().year, code="p")
    return factories.user("staff", root)


def brought(name: str) -> Project:
    from projects.models import Programme

    programme = Programme.objects.get(code="p")
    assert programme.owner is not None
    with transaction.atomic(), words_later():
        return factories.project(programme.owner, programme, name=name)


def found(query: str, reader: object) -> list[str]:
    return [
        row.name for kind in find(query=query, reader=reader) if kind.kind == "project" for row in kind.rows
    ]  # type: ignore[arg-type]


def test_they_are_found_once_their_words_are_taken_up(staff: object) -> None:
    brought("牛山管网改造")
    assert found("牛山", staff) == []
    assert take_up_words() == 1
    assert found("牛山", staff) == ["牛山管网改造"]
    assert take_up_words() == 0


def test_the_next_round_takes_up_what_a_worker_left(staff: object) -> None:
    brought("牛山管网改造")
    go_round(at=timezone.now())
    assert found("牛山", staff) == ["牛山管网改造"]


def test_a_ledger_is_found_when_the_worker_has_done_with_it() -> None:
    from projects.importing.working import work_on

    here = importing_world()
    made = handed_in(ledger(row(1)), here.staff, here.programme)
    asked(made)
    work_on(ledger_id=made.pk, as_of=ON, now=timezone.now)
    assert ProjectWords.objects.count() == Project.objects.count() == 1
    assert not WordsDue.objects.exists()


def test_what_was_renamed_meanwhile_is_found_by_its_new_name(staff: object) -> None:
    project = brought("牛山管网改造")
    Project.objects.filter(pk=project.pk).update(name="马山管网改造")
    take_up_words()
    assert (found("牛山", staff), found("马山", staff)) == ([], ["马山管网改造"])


def test_what_was_deleted_meanwhile_is_not_in_the_way(staff: object) -> None:
    brought("牛山管网改造").delete()
    take_up_words()
    assert not WordsDue.objects.exists()
    assert not ProjectWords.objects.exists()


def test_what_was_rolled_back_is_not_due(staff: object) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        brought("牛山管网改造")
        raise ZeroDivisionError
    assert not WordsDue.objects.exists()


def test_the_setting_ends_with_the_block(staff: object) -> None:
    with transaction.atomic():
        brought("牛山管网改造")
        from projects.models import Programme

        programme = Programme.objects.get(code="p")
        assert programme.owner is not None
        factories.project(programme.owner, programme, name="马山管网改造")
    assert found("马山", staff) == ["马山管网改造"]


def test_two_workers_take_up_each_of_them_once(staff: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "CHUNK", 2)
    for number in range(9):
        brought(f"牛山{number}号")
    assert sum(together(take_up_words, take_up_words)) == 9
    assert len(found("牛山", staff)) == 9
