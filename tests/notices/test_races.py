"""Several workers at the same moment, as threads with connections of their own; each guard is shown to be needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from notices.models import Message, Notice
from notices.services import claiming, packing
from notices.services.telling import tell
from tests import factories
from tests.notices.world import MINUTE, MORNING, Hands, drained, packed, reader, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("truths")]
WORKERS = 5


def together(work: Callable[[], Any]) -> list[Any]:
    """What `work` returns or raises in five threads that begin at one moment."""
    gate, results = threading.Barrier(WORKERS), []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _n in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def many(people: int = 40, **values: Any) -> list[Any]:
    unit = factories.enterprise(parent=factories.sasac())
    made = [reader(unit) for _n in range(people)]
    tell([told(person, n, **values) for person in made for n in range(3)], at=MORNING)
    return made


def messages_each(people: list[Any]) -> set[int]:
    return {Message.objects.filter(recipient=person).count() for person in people}


@pytest.mark.parametrize("urgent", [True, False])
def test_five_workers_pack_one_message_for_each_person(urgent: bool) -> None:
    people = many(urgent=urgent)
    assert not [result for result in together(packed) if isinstance(result, Exception)]
    packed()
    assert messages_each(people) == {1}
    assert not Notice.objects.filter(message=None).exists()


def test_without_its_lock_the_packing_still_makes_one_digest(monkeypatch: Any) -> None:
    """Each of the guards is enough for digests: here the constraint and the row locks."""
    monkeypatch.setattr(packing, "_TAKE", "SELECT true OR %s = 0")
    people = many()
    together(packed)
    packed()
    assert messages_each(people) == {1}


def test_without_its_lock_there_are_several_urgent_ones(monkeypatch: Any) -> None:
    """The control: the same race without the lock, which is all that holds urgent messages together."""
    monkeypatch.setattr(packing, "_TAKE", "SELECT true OR %s = 0")
    slow = packing._MAKE_AT_ONCE.replace("n.leaves_at", "pg_sleep(0.001) IS NOT NULL AND n.leaves_at")
    monkeypatch.setattr(packing, "_MAKE_AT_ONCE", slow)
    people = many(urgent=True)
    together(packed)
    assert max(messages_each(people)) > 1


def test_five_workers_send_each_message_once() -> None:
    many()
    packed()
    hands = Hands()
    together(lambda: drained(hands))
    assert len(hands.given) == 40
    assert len({letter.key for _to, letter in hands.given}) == 40
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_without_the_row_lock_a_message_is_claimed_twice(monkeypatch: Any) -> None:
    """The control of the claim: read, then write, by everybody."""
    many()
    packed()
    bare = threading.Barrier(WORKERS)

    def claimed() -> list[int]:
        due = list(Message.objects.filter(state="waiting", leased_until=None).values_list("pk", flat=True))
        bare.wait()
        Message.objects.filter(pk__in=due).update(leased_until=MORNING + MINUTE)
        return due

    taken = [pk for ids in together(claimed) for pk in ids]
    assert len(taken) > len(set(taken))
    Message.objects.update(leased_until=None)
    taken = [
        pk for each in together(lambda: claiming.claim(now=MORNING, limit=99, mail=True)) for pk in each.ids
    ]
    assert len(taken) == len(set(taken)) == 40


def test_five_workers_tell_one_cause_once() -> None:
    unit = factories.enterprise(parent=factories.sasac())
    people = [reader(unit) for _n in range(30)]
    items = [told(person, 1, cause="late:1") for person in people]
    results = together(lambda: tell(list(items), at=MORNING))
    assert sum(results) == 30
