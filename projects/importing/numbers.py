"""Amounts with units (约2000户, 1,234.5万元) and credit codes, as people write them. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from enterprises.credit_code import is_valid, normalise
from projects.importing.cells import Value
from projects.importing.cleaning import machine_form, shortened
from projects.importing.date_sentences import is_missing
from projects.importing.findings import Finding


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit.

    Attributes:
        value: in the unit, 万 and 亿 multiplied out (2.3万户 is 23000 户) except before 元: amounts of money keep
            万元 and 亿元 as their unit. None when the text holds no number, or several.
        unit: 户, 人, 万元; "" when there is none.
    """

    value: Decimal | None = None
    unit: str = ""
    findings: tuple[Finding, ...] = ()


_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TIMES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_VAGUE_BEFORE = r"(?P<before>(?:大约|约计|约|近|将近|接近|超过|超|逾|大概|预计|估计|不少于|不低于|至少|多达|达到?|≥|>|~|≈|<|≤|上|共计|共|合计|总计|惠及|覆盖|服务|受益|涉及|:)*)"
_AMOUNT = re.compile(
    _VAGUE_BEFORE
    + r"(?P<number>[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?|(?=[零〇一二三四五六七八九十百千万两])[零〇一二三四五六七八九十百千万两亿]+)"
    r"(?P<much1>[多余来几])?(?P<times>[十百千万亿]{0,2})(?P<much2>[多余来几])?(?P<unit>[^\d\s,.;:、()。]{0,8}?)(?P<after>左右|上下|以上|以内|以下|不等|许|\+)?"
    r"(?P<note>\(.{0,40}\))?[.。]?"
)
_ROUGH = re.compile(r"约|近|超|逾|大概|计$|多|余|来|几|不少于|不低于|至少|达|≥|>|~|≈|<|≤|接近|上")
_SURE = re.compile(r"共计|共|合计|总计|惠及|覆盖|服务|受益|涉及|:")


def read_amount(value: Value) -> Amount:
    """Read a number with a unit. Never raises.

    Findings: NUMBER_APPROX (约2000户, 2千余人), INVALID_NUMBER (no single number; the text stays).
    """
    return _read(value)


@lru_cache(maxsize=16_384, typed=True)
def _read(value: Value) -> Amount:
    if value is None:
        return Amount()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return _invalid(str(value))
    if not isinstance(value, str):
        if not math.isfinite(value) or value < 0 or value > 1e15:
            return _invalid(str(value))
        return Amount(Decimal(repr(value)))
    text = machine_form(value).replace(" ", "").strip("。.;,") if len(value) <= 200 else value
    if is_missing(text):
        return Amount()
    is_asked = text.endswith(("?", "吗"))
    text = text.rstrip("?吗")
    found = _AMOUNT.fullmatch(text) if len(text) <= 60 else None
    number = _number(found) if found else None
    if not found or number is None or number < 0 or number >= Decimal(10) ** 15:
        return _invalid(value)
    unit = found["unit"]
    if re.search(r"[多余几?]|吗", unit) or unit in ("月", "日", "号", "年", "%"):
        return _invalid(value)
    times = found["times"]
    if unit.startswith("元") and times in ("万", "亿", "千万", "百万"):
        number, unit = number * (_scale(times) // (_scale(times[-1]))), times[-1] + unit
    else:
        number *= _scale(times)
    before = _SURE.sub("", found["before"])
    is_rough = is_asked or bool(_ROUGH.search(before) or found["much1"] or found["much2"] or found["after"])
    number = Decimal(f"{number.normalize():f}")
    if not is_rough:
        return Amount(number, unit)
    params = {"value": shortened(value), "read": f"{number:f}{unit}"}
    return Amount(number, unit, (Finding("NUMBER_APPROX", params),))


def _invalid(raw: str) -> Amount:
    return Amount(findings=(Finding("INVALID_NUMBER", {"value": shortened(raw)}),))


def _scale(times: str) -> int:
    product = 1
    for sign in times:
        product *= _TIMES[sign]
    return product


def _number(found: re.Match[str]) -> Decimal | None:
    written = found["number"]
    if written[0] in "+-0123456789":
        return Decimal(written.replace(",", ""))
    return _chinese(written)


def _chinese(written: str) -> Decimal | None:
    """三千五百 → 3500; None for signs that make no number (一二三)."""
    total = section = digit = 0
    was_digit = False
    for sign in written:
        if sign in _DIGITS:
            if was_digit and digit:
                return None
            digit, was_digit = _DIGITS[sign], True
            continue
        scale = _TIMES[sign]
        if scale >= 10_000:
            total = (total + section + digit) * scale if total + section + digit else scale
            section = digit = 0
        else:
            section += (digit or 1) * scale
            digit = 0
        was_digit = False
    return Decimal(total + section + digit)


def check_credit_code(text: str) -> tuple[Finding, ...]:
    """INVALID_USCC when the text is no valid unified social credit code (GB 32100-2015); () when it is."""
    code = normalise(text[:200])
    return () if is_valid(code) else (Finding("INVALID_USCC", {"value": shortened(text)}),)
