"""Texts as a ledger brings them, made fit to read: one road for every cell, and nothing lost on it.

`clean` is for what is kept and shown: it leaves Chinese punctuation alone. `machine_form` is for what is only
read by rules (dates, percentages, numbers): all signs half-width, no blanks. Both leave the raw text to the caller.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from opencc import OpenCC


class Cleaned(NamedTuple):
    """A text made fit to read.

    Attributes:
        text: the cleaned text; the very same object when there was nothing to clean.
        codes: codes of findings, in the order of the work; () mostly.
    """

    text: str
    codes: tuple[str, ...]


#: Chinese texts are written with these in full width; half-width ones would be the mistake.
_KEPT_FULLWIDTH = "（），：；！？～"
_FULLWIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in _KEPT_FULLWIDTH}
_FULLWIDTH[0x3000] = 0x20

#: Zero width, direction marks, fillers, variation selectors, control characters, and halves of surrogate
#: pairs and NUL, which PostgreSQL refuses.
_INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff"
)
_ODD_BLANKS = "\xa0\u1680\u2000-\u200a\u202f\u205f"
#: Characters that stand for others: combining marks, radicals and compatibility forms from PDF files.
_STAND_INS = "\u0300-\u036f\u2e80-\u2fd5\uf900-\ufaff\U0001d400-\U0001d7ff\U0002f800-\U0002fa1f"

_INVISIBLES = re.compile(f"[{_INVISIBLE}]")
_BLANKS = re.compile(f"[{_ODD_BLANKS}]")
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_STAND_IN = re.compile(f"[{_STAND_INS}]+")
_DOUBLED = re.compile(r"([，。、；：,;])[ ]*(?:\1[ ]*)+|([！？!?])\2+|(?<=\S)[ \t]{2,}(?=\S)")
_MAYBE_DOUBLED = re.compile(r"[，。、；：！？,;!? \t]{2}").search
_FORMULA_SIGNS = "＝＋－＠"


_to_simplified = OpenCC("t2s").convert


def _traditional_only() -> str:
    """Characters that are written in traditional texts only.

    Those that GB 2312 has too (乾 in 乾县, 後 as a surname) are no sign of a traditional text, and a
    simplified one must not be changed; beside a true sign they are converted by phrase.
    """
    every = [chr(code) for code in range(0x3400, 0xA000)]
    simplified = _to_simplified("\n".join(every)).split("\n")
    pairs = zip(every, simplified, strict=True)
    return "".join(one for one, other in pairs if one != other and not one.encode("gb2312", "ignore"))


_TRADITIONAL_ONLY = _traditional_only()  # six milliseconds, once a process
_has_traditional = re.compile(f"[{_TRADITIONAL_ONLY}]").search
_is_odd = re.compile(
    f"[{_TRADITIONAL_ONLY}{''.join(map(chr, _FULLWIDTH))}{_INVISIBLE}{_ODD_BLANKS}{_STAND_INS}\r\u2028\u2029]"
).search
_NOTHING: tuple[str, ...] = ()


def is_clean(text: str) -> bool:
    """Whether `clean` would give the very same text; True for nearly every cell."""
    return not _is_odd(text) and text == text.strip() and not _MAYBE_DOUBLED(text)


def clean(text: str) -> Cleaned:
    """The text as it is kept: half-width letters and digits, nothing invisible, simplified, trimmed.

    A sign at the beginning that a spreadsheet would take for a formula (＝ ＋ － ＠) stays full-width, so that
    it comes back unchanged. Codes: INVISIBLE_REMOVED, FULLWIDTH_NORMALISED, TRADITIONAL_CONVERTED,
    WHITESPACE_TRIMMED, TEXT_NOISE_CLEANED.
    """
    if is_clean(text):
        return Cleaned(text, _NOTHING)
    return _cleaned(text)


@lru_cache(maxsize=16_384)
def _cleaned(raw: str) -> Cleaned:
    codes: list[str] = []

    def step(code: str, before: str, after: str) -> str:
        if before != after and code not in codes:
            codes.append(code)
        return after

    text = step("INVISIBLE_REMOVED", raw, _BLANKS.sub(" ", _INVISIBLES.sub("", raw)))
    text = _LINE_ENDS.sub("\n", text)
    text = step("WHITESPACE_TRIMMED", text, text.strip())
    text = step("TEXT_NOISE_CLEANED", text, _STAND_IN.sub(_composed, unicodedata.normalize("NFC", text)))
    first = text[:1] if text[:1] in _FORMULA_SIGNS else ""
    text = step("FULLWIDTH_NORMALISED", text, first + text[len(first) :].translate(_FULLWIDTH))
    if _has_traditional(text):
        text = step("TRADITIONAL_CONVERTED", text, _to_simplified(text))
    text = step("TEXT_NOISE_CLEANED", text, _DOUBLED.sub(_single, text))
    # Cleaning may bring a blank to the edge: the one beside a doubled sign, or a blank of another script.
    return Cleaned(text.strip(), tuple(codes))


def _composed(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", found[0])


def _single(found: re.Match[str]) -> str:
    return found[1] or found[2] or " "


#: Between two digits a blank separates; anywhere else it is only layout.
_LAYOUT = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")
_NOT_PLAIN = re.compile(r"[^0-9.%年月日底前\-/]")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−─━ーㄧ﹣", "-") | {"〜": "~", "∼": "~", "⁓": "~", "。": "."})


def machine_form(text: str) -> str:
    """The text as rules read it: NFKC, simplified, one kind of dash, and no blanks except between digits."""
    if not _NOT_PLAIN.search(text):
        return text
    return _machine_form(text)


@lru_cache(maxsize=16_384)
def _machine_form(text: str) -> str:
    text = unicodedata.normalize("NFKC", _INVISIBLES.sub("", text))
    if _has_traditional(text):
        text = _to_simplified(text)
    return _LAYOUT.sub("", text.translate(_DASHES)).strip()


def matching_key(text: str) -> str:
    """What two spellings of one name have in common: without blanks, width, case and script.

    For comparing only; never kept or shown.
    """
    return machine_form(text).replace(" ", "").casefold()


def shortened(text: str, most: int = 60) -> str:
    """A text for a finding: raw words of a cell may be as long as a page."""
    return text if len(text) <= most else text[: most - 1] + "…"
