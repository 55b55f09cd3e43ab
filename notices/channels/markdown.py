"""A letter as the Markdown that group chats understand, cut to what one message may hold."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notices.channels.letter import Letter

#: Names are typed by people: none may become a link, a heading, or a call to everybody in the group.
_PLAIN = str.maketrans(
    {
        "[": "［",
        "]": "］",
        "<": "＜",
        ">": "＞",
        "*": "＊",
        "`": "′",
        "_": "＿",
        "~": "～",
        "#": "＃",
        "@": "＠",
    }
    | {"\\": "＼", "|": "｜", "\n": " ", "\r": " "}
)


def plain(text: str) -> str:
    """Text in which nothing is Markdown any more."""
    return text.translate(_PLAIN)


def markdown(letter: Letter, *, at_most: int, headline: bool = True) -> str:
    """The letter in at most so many bytes of UTF-8.

    Args:
        at_most: bytes. What does not fit is counted ("17 more, see the portal") with a link.
        headline: False where the chat shows the subject by itself.
    """
    foot = "\n\n" + _("[Open the portal]({url}) · No. {number}").format(
        url=letter.inbox_url, number=letter.number
    )
    head = (f"**{plain(letter.subject)}**\n" if headline else "") + plain(letter.opening)
    room = at_most - len((head + foot).encode()) - 120  # for "… more, see the portal"
    parts, shown = [head], 0
    for section in letter.sections:
        heading = f"\n\n**{plain(section.label)}（{section.total}）**"
        for n, line in enumerate(section.lines):
            words = f"[{plain(line.title)}]({line.url})" if line.url else plain(line.title)
            text = f"{heading if n == 0 else ''}\n- {words}"
            room -= len(text.encode())
            if room < 0:
                return "".join(parts) + _rest(letter.total - shown) + foot
            parts.append(text)
            shown += 1
    return "".join(parts) + (_rest(letter.total - shown) if letter.total > shown else "") + foot


def _rest(count: int) -> str:
    return "\n\n" + ngettext(
        "{count} more item, see the portal", "{count} more items, see the portal", count
    ).format(count=count)
