"""Why something did not leave, in words: kept in the language of whoever sent it, read in the reader's own.

The worker sends in the language of the portal, so that rows, journal and server are plain to whoever runs it. A page
in another language finds the sentence again by its form and says it anew; what it does not know it shows as it is.
"""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from django.conf import settings
from django.utils.translation import gettext, gettext_noop, override

CONNECTION_BROKE = gettext_noop("The connection to the mail server broke: {error}")
ADDRESS_UNUSABLE = gettext_noop("The address cannot be used: {error}")
NO_ANSWER_AFTERWARDS = gettext_noop("No answer after the message was handed over: {error}")
MAIL_ANSWERED = gettext_noop("The mail server answered {code}: {answer}")
MAIL_UNUSABLE = gettext_noop("The mail server cannot be used: {error}")
NO_ANSWER_IN_TIME = gettext_noop("no answer in time")
ROBOT_ANSWERED = gettext_noop("The robot answered {code}: {answer}")
CERTIFICATE = gettext_noop("The certificate of the host is not valid: {error}")
HOST_AWAY = gettext_noop("The host of the robot cannot be reached: {error}")
HOST_ANSWERED = gettext_noop("The host of the robot answered {status}.")
HOST_LEADS_ON = gettext_noop("The address leads to another one, which is not followed.")
NO_SUCH_ROBOT = gettext_noop("The host of the robot answered {status}: there is no such robot.")
HOST_SAID_NOTHING = gettext_noop("The host of the robot answered {status} without saying what happened.")
HOST_UNKNOWN = gettext_noop("The name of the host cannot be resolved: {host}")
HOST_INSIDE = gettext_noop("The host leads into a private network and is not asked: {host}")
NO_WAY_TO_THE_PERSON = gettext_noop("The account is closed, holds no role any more, or has no address.")
OUT_OF_REACH = gettext_noop("The recipient does not answer any more for what it tells.")
REACH_UNKNOWN = gettext_noop("It cannot be told whether the notices are still for the recipient.")
TRUTH_UNKNOWN = gettext_noop("It cannot be told whether the notices are still true.")

REASONS = tuple(text for name, text in list(globals().items()) if name.isupper())
#: "LookupError: …": how a fault of the portal's own is kept.
_FAULT = re.compile(r"([A-Za-z]+(?:Error|Exception)): (.+)", re.DOTALL)


def in_words(kept: str) -> str:
    """A reason that was kept, in the language of now."""
    for reason, form in _forms():
        if found := form.fullmatch(kept):
            # What an error says may be one of these sentences itself.
            return gettext(reason).format(
                **{name: in_words(said) for name, said in found.groupdict().items()}
            )
    if found := _FAULT.fullmatch(kept):
        return f"{found[1]}: {in_words(found[2])}"
    return kept


@cache
def _forms() -> list[tuple[str, re.Pattern[str]]]:
    """(reason, its form) in every language; the longest first, as the shorter ones may be their beginnings."""
    found = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            found += [(reason, *_form(gettext(reason))) for reason in REASONS]
    found.sort(key=lambda row: -row[2])
    return [(reason, form) for reason, form, _length in found]


def _form(words: str) -> tuple[re.Pattern[str], int]:
    parts = [(literal, field) for literal, field, _spec, _conversion in Formatter().parse(words)]
    text = "".join(re.escape(literal) + (f"(?P<{field}>.*)" if field else "") for literal, field in parts)
    return re.compile(text, re.DOTALL), sum(len(literal) for literal, _field in parts)
