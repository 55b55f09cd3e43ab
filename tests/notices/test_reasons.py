"""Why something did not leave is read in the reader's language, whatever the language it was kept in."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.utils import timezone
from django.utils.translation import gettext, override

from notices import reasons
from notices.models import Message
from notices.reasons import REASONS, in_words
from notices.services import health
from tests.test_pages import built, client_of

LANGUAGES = [language for language, _name in portal_settings.LANGUAGES]


def said(reason: str, language: str, **given: str) -> str:
    with override(language):
        fields = {field for _text, field, _spec, _conversion in Formatter().parse(reason) if field}
        return gettext(reason).format(**{field: given.get(field, "550 <a> (x).* {y}") for field in fields})


def read(kept: str, language: str) -> str:
    with override(language):
        return in_words(kept)


@pytest.mark.parametrize("kept_in", LANGUAGES)
@pytest.mark.parametrize("read_in", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_read_in_either_language(reason: str, kept_in: str, read_in: str) -> None:
    assert read(said(reason, kept_in), read_in) == said(reason, read_in)


def test_the_longer_of_two_that_begin_alike_is_taken() -> None:
    kept = said(reasons.NO_SUCH_ROBOT, "zh-hans", status="404")
    assert read(kept, "en") == reasons.NO_SUCH_ROBOT.format(status=404)


def test_a_reason_within_a_reason_is_read_as_well() -> None:
    inner = said(reasons.NO_ANSWER_IN_TIME, "zh-hans")
    kept = said(reasons.MAIL_UNUSABLE, "zh-hans", error=inner)
    assert read(kept, "en") == reasons.MAIL_UNUSABLE.format(error=reasons.NO_ANSWER_IN_TIME)
    kept = f"LookupError: {said(reasons.TRUTH_UNKNOWN, 'zh-hans')}"
    assert read(kept, "en") == f"LookupError: {reasons.TRUTH_UNKNOWN}"


@pytest.mark.parametrize(
    "kept", ["", "535 wrong password", "KeyError: 'project'", "邮件服务器", "{0} {error}"]
)
def test_what_is_not_known_is_shown_as_it_is(kept: str) -> None:
    assert [read(kept, language) for language in LANGUAGES] == [kept] * 2


def test_every_sentence_of_a_failure_is_among_the_reasons() -> None:
    """A sentence that is written at the place where it is said would be kept in one language for ever."""
    for name in ("email", "robots", "webhook"):
        source = (Path(reasons.__file__).parent / "channels" / f"{name}.py").read_text()
        for failure in ("Temporary(", "Refused(", "Broken("):
            for rest in source.split(f"raise {failure}")[1:]:
                assert not rest.lstrip().startswith('_("'), (name, rest[:80])


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_tell_it_in_the_language_of_the_reader(language: str, settings: Any) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    world = built()
    kept = said(reasons.MAIL_ANSWERED, "zh-hans", code="451", answer="later")
    health.switch_off(health.mail_server(), reason=kept, at=timezone.now())
    Message.objects.create(
        channel="email", kind="test", recipient=world["officer"], on=world["today"], address="who@example.cn",
        created_at=timezone.now(), next_try_at=timezone.now(), last_error=kept,
    )  # fmt: skip
    expected = said(reasons.MAIL_ANSWERED, language, code="451", answer="later")
    for who, page in (("system", "/notices/mailserver/"), ("staff", "/notices/message/")):
        shown = client_of(world[who], language).get(page).content.decode()
        assert expected in shown, page
        assert language == "zh-hans" or kept not in shown
