"""Units and persons in a cell: who leads, who supports, and whose telephone stands behind the name. Pure.

Only cells of units are split. A project's name may hold the same signs (道路、管网改造) and never comes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from projects.importing.cleaning import clean, machine_form, shortened
from projects.importing.date_sentences import is_missing
from projects.importing.findings import Finding


@dataclass(frozen=True, slots=True)
class Parties:
    """The units of a cell in their order, each once. Without 牵头/配合 all of them are `lead`."""

    lead: tuple[str, ...] = ()
    supporting: tuple[str, ...] = ()


_LEAD = r"牵头(?:责任)?(?:单位|部门|企业|公司|支部|党支部|党组织|处室|科室)?|责任(?:单位|部门|企业|公司|主体|党组织)|主责(?:单位|部门)?|主办(?:单位|部门)|承办(?:单位|部门)|实施(?:单位|主体|部门)|第一责任单位|建设单位"
_SUPPORT = r"(?:配合|协助|协同|协办|参与|参加|支持|共建|联建)(?:责任)?(?:单位|部门|企业|公司|支部|党支部|党组织|处室|科室)?|其他责任单位"
#: A label needs its colon, or brackets around it: 协办公司 may be the beginning of a name.
_LABEL = re.compile(
    rf"[(（\[【]?(?:(?P<lead>{_LEAD})|(?P<support>{_SUPPORT}))[)）\]】]?\s*[:：]\s*|[(（\[【](?:(?P<lead2>{_LEAD})|(?P<support2>{_SUPPORT}))[)）\]】]"
)
_TAGGED_AFTER = re.compile(
    rf"(?P<name>.+?)[(（\[【](?:(?P<lead>{_LEAD}|牵头)|(?P<support>{_SUPPORT}|配合|协助|参与))[)）\]】]"
)
_SEPARATOR = re.compile(
    r"[、；;\n\r\t|]+|[,，](?![^()（）]*[)）])|/(?=[\u4e00-\u9fff])|[ ]+(?=\d{1,2}[.、])|(?=[①-⑳])"
)
_NUMBERING = re.compile(r"^(?:[(（]?\d{1,2}[.、)）]|[①-⑳]|[-·•*▪●])\s*")
_TRIM = " \u3000,，.。;；、:："


def split_units(text: str) -> Parties:
    """Split a cell of units or branches at 、；; newlines and commas, and at 牵头单位：/配合单位：.

    Brackets belong to the name: a separator inside them does not split. A cell that says 无 has no units.
    """
    return _split(text)


@lru_cache(maxsize=16_384)
def _split(text: str) -> Parties:
    text = clean(text).text
    if is_missing(machine_form(text)):
        return Parties()
    lead: dict[str, None] = {}
    supporting: dict[str, None] = {}
    into, begin = lead, 0
    for label in _LABEL.finditer(text):
        is_bracketed = text[label.start()] in "(（" and label.start() > begin
        if is_bracketed and text[begin : label.start()].strip(_TRIM + "\n\r\t"):
            continue  # 甲公司（牵头单位）: the brackets belong to the name before them
        _collect(text[begin : label.start()], into, lead, supporting)
        into = lead if label["lead"] or label["lead2"] else supporting
        begin = label.end()
    _collect(text[begin:], into, lead, supporting)
    return Parties(tuple(lead), tuple(name for name in supporting if name not in lead))


def _collect(text: str, into: dict[str, None], lead: dict[str, None], supporting: dict[str, None]) -> None:
    for piece in _pieces(text):
        name = _NUMBERING.sub("", piece.strip()).strip(_TRIM)
        tagged = _TAGGED_AFTER.fullmatch(name)
        if tagged:
            (lead if tagged["lead"] else supporting)[tagged["name"].strip(_TRIM)] = None
        elif name and not is_missing(name):
            into[name] = None


def _pieces(text: str) -> list[str]:
    """Split outside brackets only; an unclosed bracket does not swallow the rest."""
    depth, closing = 0, [text.count(sign) for sign in ")）"]
    pieces, begin = [], 0
    is_balanced = sum(closing) == text.count("(") + text.count("（")
    for found in re.finditer(r"[(（]|[)）]|" + _SEPARATOR.pattern, text):
        sign = found[0]
        if sign and sign in "(（":
            depth += 1
        elif sign and sign in ")）":
            depth = max(0, depth - 1)
        elif not depth or not is_balanced:
            pieces.append(text[begin : found.start()])
            begin = found.end()
    return [*pieces, text[begin:]]


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class PersonReading:
    """The persons of a cell in their order; a number without a name is a person without one."""

    persons: tuple[Person, ...] = ()
    findings: tuple[Finding, ...] = ()


#: Mobile (with or without +86 and blanks in groups), landline with area code and extension, 400 numbers, seven or
#: eight digits alone. Short numbers are not phones: they number persons or are years.
_PHONE = re.compile(
    r"(?<!\d)(?:(?:\+?\s*86|0086)[-\s]*)?(?:"
    r"1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}"
    r"|\(?0\d{2,3}\)?[-\s]*[2-9]\d{2,3}[-\s]?\d{4}(?:[-\s转]+\d{1,6})?"
    r"|400[-\s]?\d{3}[-\s]?\d{4}"
    r"|(?!20[0-3]\d(?:0[1-9]|1[0-2])[0-3]\d(?!\d))[2-9]\d{6,7}(?:[-转]\d{1,6})?"
    r")(?!\d)",
    re.ASCII,
)
_PHONE_WORDS = re.compile(
    r"(?:联系)?(?:电话|手机号?码?|号码|座机|办公电话|联系方式|Tel|TEL|tel|Mobile|☎|📞)[:：.]?"
)
_ROLE_LABEL = re.compile(r"^(?:第一责任人|直接责任人|具体负责人|责任人|负责人|联系人|经办人|姓名)[:：]")
_EMPTY_BRACKETS = re.compile(r"[(（\[【<]\s*[)）\]】>]")


def read_person(text: str) -> PersonReading:
    """Read a cell of persons, each perhaps with a telephone. Never raises. Finding: PHONE_IN_PERSON."""
    return _person(text)


@lru_cache(maxsize=16_384)
def _person(raw: str) -> PersonReading:
    text = clean(raw).text
    if is_missing(machine_form(text)):
        return PersonReading()
    # Numbers are cut out before the text is split: 0769-12345678转8001 and brackets around it are one number.
    parts: list[tuple[str, str]] = []
    begin = 0
    for found in _PHONE.finditer(text):
        parts.append((text[begin : found.start()], found[0].strip()))
        begin = found.end()
    parts.append((text[begin:], ""))
    persons: list[Person] = []
    for words, phone in parts:
        names = [name for name in map(_name, re.split(r"[、；;，,\n/|]+", words)) if name]
        persons += [Person(name) for name in names]
        if not phone:
            continue
        if names or (persons and not persons[-1].phone):
            persons[-1] = Person(persons[-1].name, phone)
        elif persons:
            persons[-1] = Person(persons[-1].name, f"{persons[-1].phone}、{phone}")
        else:
            persons.append(Person("", phone))
    has_phone = any(person.phone for person in persons)
    params = {"value": shortened(raw)}
    return PersonReading(tuple(persons), (Finding("PHONE_IN_PERSON", params),) if has_phone else ())


def _name(words: str) -> str:
    words = _ROLE_LABEL.sub("", _PHONE_WORDS.sub(" ", words).strip(" \t"))
    words = _EMPTY_BRACKETS.sub("", words).strip(" \t:：,，.。-—_*+").lstrip(")） ").rstrip("(（ ")
    if words.count("(") + words.count("（") != words.count(")") + words.count("）"):
        words = words.strip("()（） ")
    return words
