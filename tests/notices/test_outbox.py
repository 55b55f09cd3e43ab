"""The outbox: what is sent, what is not sent any more, and what becomes of a message that fails."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist

from enterprises.models import Membership
from notices.channels.failures import Broken, Refused, Temporary
from notices.models import MailServer, Message, Notice, Robot
from notices.services import claiming, health
from notices.services.claiming import BACKOFF, LEASE, backoff
from notices.services.telling import settle, tell
from tests import factories
from tests.notices.world import DAY, MINUTE, MORNING, Hands, Truths, drained, packed, reader, told

pytestmark = pytest.mark.django_db
AWAY = Temporary("451 try again later")
LOST = Temporary("no answer after DATA", may_have_arrived=True)


@pytest.fixture
def unit() -> Any:
    return factories.enterprise(parent=factories.sasac())


def digest_of(person: Any, *numbers: int) -> Message:
    tell([told(person, n) for n in numbers], at=MORNING)
    packed()
    return Message.objects.get(recipient=person)


def now_of(message: Message) -> Message:
    message.refresh_from_db()
    return message


def test_a_digest_is_sent_once_and_written_down(unit: Any, truths: Truths) -> None:
    person, hands = reader(unit), Hands()
    message = digest_of(person, 1, 2)
    assert drained(hands).sent == 1
    assert drained(hands, MORNING + DAY).sent == 0
    [(to, letter)] = hands.given
    assert (to, letter.key, letter.total) == (person.email, message.key, 2)
    assert letter.sections[0].lines[0].url == "https://portal.example.cn/projects/milestone/1/"
    sent = now_of(message)
    assert (sent.state, sent.attempts, sent.address, sent.leased_until) == ("sent", 1, person.email, None)
    assert sent.subject
    assert MailServer.objects.get().last_ok_at == MORNING


def test_what_is_not_true_any_more_is_not_sent(unit: Any, truths: Truths) -> None:
    hands, message = Hands(), digest_of(reader(unit), 1, 2)
    truths.over = {1}
    drained(hands)
    assert hands.titles == ["管网改造 第2个节点已逾期"]
    assert Notice.objects.get(subject_id=1).settled_at == MORNING
    assert now_of(message).notices.count() == 1


def test_a_message_of_which_nothing_is_true_is_dropped(unit: Any, truths: Truths) -> None:
    hands, message = Hands(), digest_of(reader(unit), 1, 2)
    truths.over = {1, 2}
    assert drained(hands).dropped == 1
    assert (hands.given, now_of(message).state) == ([], "dropped")


def test_what_was_settled_meanwhile_is_not_sent_either(unit: Any, truths: Truths) -> None:
    hands = Hands()
    digest_of(reader(unit), 1, 2)
    settle(subject="projects.milestone", ids=[1], at=MORNING)
    drained(hands)
    assert len(hands.titles) == 1


def test_after_a_clear_no_the_next_attempt_tells_what_is_true_then(unit: Any, truths: Truths) -> None:
    hands, message = Hands(failures={"*": AWAY}), digest_of(reader(unit), 1, 2)
    drained(hands)
    truths.over, hands.failures = {1}, {}
    drained(hands, MORNING + MINUTE)
    assert hands.titles == ["管网改造 第2个节点已逾期"]
    assert now_of(message).attempts == 2


def test_a_message_that_may_have_arrived_says_the_same_again(unit: Any, truths: Truths) -> None:
    hands, _message = Hands(failures={"*": LOST}), digest_of(reader(unit), 1, 2)
    drained(hands)
    truths.over, hands.failures = {1}, {}
    drained(hands, MORNING + MINUTE)
    first, second = (letter for _to, letter in hands.given)
    assert first == second


def test_a_message_that_may_have_arrived_is_not_repeated_when_nothing_is_true(
    unit: Any, truths: Truths
) -> None:
    hands, message = Hands(failures={"*": LOST}), digest_of(reader(unit), 1, 2)
    drained(hands)
    truths.over, hands.failures = {1, 2}, {}
    assert drained(hands, MORNING + MINUTE).dropped == 1
    assert now_of(message).state == "dropped"


def test_a_killed_worker_leaves_its_message_to_the_next_after_the_lease(unit: Any, truths: Truths) -> None:
    hands, message = Hands(), digest_of(reader(unit), 1)
    claiming.claim(now=MORNING, limit=9, mail=True)  # and then it was killed
    assert drained(hands, MORNING + LEASE - datetime.timedelta(seconds=1)).sent == 0
    assert drained(hands, MORNING + LEASE).sent == 1
    assert datetime.timedelta(seconds=60) > LEASE
    assert now_of(message).attempts == 2


def test_a_worker_that_comes_back_too_late_has_no_word_any_more(unit: Any, truths: Truths) -> None:
    message = digest_of(reader(unit), 1)
    late = claiming.claim(now=MORNING, limit=9, mail=True)
    claiming.claim(now=MORNING + LEASE, limit=9, mail=True)
    assert not claiming.fix_words(message, late, subject="x", address="y")
    assert not claiming.finish(message, late, state="sent", at=MORNING + LEASE)
    assert now_of(message).state == "waiting"


def test_one_recipients_failure_stops_nobody_else(unit: Any, truths: Truths) -> None:
    people = [reader(unit) for _n in range(3)]
    messages = [digest_of(person, 1) for person in people]
    hands = Hands(failures={people[0].email: Refused("550 no such mailbox"), people[1].email: AWAY})
    result = drained(hands)
    assert (result.failed, result.put_off, result.sent) == (1, 1, 1)
    assert [now_of(message).state for message in messages] == ["failed", "waiting", "sent"]
    assert "550" in messages[0].last_error


def test_the_pauses_grow_and_end_in_an_hour() -> None:
    assert [int(pause.total_seconds()) for pause in BACKOFF] == [30, 60, 120, 300, 900, 1800, 3600]
    for attempts in (1, 4, 7, 50):
        pause = BACKOFF[min(attempts, 7) - 1]
        assert all(pause * 0.8 <= backoff(attempts) <= pause * 1.2 for _n in range(50))
    assert len({backoff(1) for _n in range(9)}) > 1


def test_a_message_is_given_up_after_three_days(unit: Any, truths: Truths) -> None:
    hands, message = Hands(failures={"*": AWAY}), digest_of(reader(unit), 1)
    drained(hands)
    drained(hands, MORNING + DAY)
    assert now_of(message).state == "waiting"
    drained(hands, MORNING + DAY * 3)
    assert (now_of(message).state, message.last_error) == ("failed", AWAY.reason)


def test_a_broken_channel_is_switched_off_and_asked_nothing_more(unit: Any, truths: Truths) -> None:
    people = [reader(unit) for _n in range(3)]
    for person in people:
        digest_of(person, 1)
    hands = Hands(failures={"*": Broken("535 wrong password")})
    drained(hands)
    server = MailServer.objects.get()
    assert (server.switched_off_at, server.switched_off_because) == (MORNING, "535 wrong password")
    assert Message.objects.filter(state="waiting").count() == 3
    assert Message.objects.filter(attempts=1).count() == 1, "one was enough to know"
    hands.failures = {}
    assert drained(hands, MORNING + DAY).sent == 0

    health.switch_on(server, actor=factories.user("system", unit), at=MORNING + DAY * 9)
    assert drained(hands, MORNING + DAY * 9).sent == 3


def test_a_person_without_the_right_switches_nothing_on(unit: Any) -> None:
    with pytest.raises(PermissionError):
        health.switch_on(health.mail_server(), actor=factories.user("staff", unit), at=MORNING)


def test_a_broken_robot_stops_neither_mail_nor_another_robot(unit: Any, truths: Truths) -> None:
    bad, good = (
        Robot.objects.create(enterprise=unit, name=name, kind="wecom", address=name)
        for name in ("bad", "good")
    )
    person = reader(unit)
    tell([told(person, 1, recipient_id=None, robot_id=each.pk) for each in (bad, good)], at=MORNING)
    digest_of(person, 1)
    hands = Hands(failures={"bad": Broken("93000 invalid webhook url")})
    assert drained(hands).sent == 2
    bad.refresh_from_db()
    good.refresh_from_db()
    assert not bad.works
    assert good.works
    assert MailServer.objects.get().works


def test_a_channel_that_answers_nobody_for_a_day_is_switched_off(unit: Any) -> None:
    server = health.mail_server()
    for n in range(30):
        health.failed(server, reason="no answer", at=MORNING + DAY * n / 29)
        server.refresh_from_db()
        assert server.works == (n < 29)


def test_a_success_ends_the_row_of_failures(unit: Any) -> None:
    server = health.mail_server()
    for _n in range(30):
        health.failed(server, reason="no answer", at=MORNING)
    health.did_well(server, at=MORNING + DAY)
    health.failed(server, reason="no answer", at=MORNING + DAY)
    server.refresh_from_db()
    assert (server.failures, server.failing_since, server.works) == (1, MORNING + DAY, True)


def test_when_the_server_does_not_answer_the_run_does_not_wait_for_each_message(
    unit: Any, truths: Truths
) -> None:
    for _n in range(5):
        digest_of(reader(unit), 1)
    drained(Hands(failures={"*": Temporary("refused", nobody_answers=True)}))
    assert Message.objects.filter(attempts=1).count() == 1
    untried = Message.objects.filter(attempts=0, leased_until=None, first_tried_at=None)
    assert untried.count() == 4


@pytest.mark.parametrize("gone", ["closed", "no address", "no role"])
def test_who_is_not_to_be_reached_any_more_is_sent_nothing(unit: Any, truths: Truths, gone: str) -> None:
    person, hands = reader(unit), Hands()
    message = digest_of(person, 1)
    if gone == "closed":
        person.is_active = False
    elif gone == "no address":
        person.email = ""
    else:
        Membership.objects.filter(user=person).update(valid_until=MORNING.date() - DAY)
    person.save()
    drained(hands)
    assert (hands.given, now_of(message).state) == ([], "failed")
    assert message.last_error


def test_a_kind_in_disorder_holds_back_its_own_messages_only(unit: Any, truths: Truths, caplog: Any) -> None:
    hands, message = Hands(), digest_of(reader(unit), 1)
    truths.raises = True
    assert drained(hands).put_off == 1
    assert now_of(message).last_error
    assert MailServer.objects.get().failures == 0
    truths.raises = False
    assert drained(hands, MORNING + MINUTE).sent == 1


def test_a_message_that_cannot_be_put_into_words_stops_no_other(
    unit: Any, truths: Truths, caplog: Any
) -> None:
    poisoned, healthy = reader(unit), reader(unit)
    tell([told(poisoned, 1, data={})], at=MORNING)
    digest_of(healthy, 2)
    assert (drained(hands := Hands()).sent, len(hands.given)) == (1, 1)
    assert "KeyError" in Message.objects.get(recipient=poisoned).last_error


def test_a_fault_while_sending_stops_no_other(unit: Any, truths: Truths, caplog: Any) -> None:
    person, other = reader(unit), reader(unit)
    message, _other = digest_of(person, 1), digest_of(other, 1)
    assert drained(Hands(failures={person.email: ObjectDoesNotExist("a template")})).sent == 1
    assert (now_of(message).state, message.leased_until) == ("waiting", None)


def test_a_milestone_that_climbed_several_rungs_is_told_once(unit: Any, truths: Truths) -> None:
    person, hands = reader(unit), Hands()
    for rung in (1, 2, 3):
        tell([told(person, 7, data={"title": f"第{rung}级"})], at=MORNING)
    digest_of(person, 8)
    drained(hands)
    assert sorted(hands.titles) == ["第3级", "管网改造 第8个节点已逾期"]


def test_the_sections_stand_in_their_order(unit: Any, truths: Truths) -> None:
    person, hands = reader(unit), Hands()
    tell([told(person, 1, kind=kind) for kind in ("nudge", "near", "late")], at=MORNING)
    packed()
    drained(hands)
    assert [section.tone for section in hands.given[0][1].sections] == ["red", "yellow", "blue"]


def test_no_attempt_begins_that_could_outlast_its_lease(unit: Any, truths: Truths) -> None:
    for _n in range(3):
        digest_of(reader(unit), 1)
    assert drained(Hands(), patience=LEASE * 2).sent == 0
    assert Message.objects.filter(attempts=0, leased_until=None).count() == 3
