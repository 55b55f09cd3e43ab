"""How far a project is, as people write it: 80%, 0.8, 八成, 39/40, 过半. Pure.

Only what stands in the cell becomes a percentage; what is vague is said to be, and the text is always kept.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from projects.importing.cells import Value
from projects.importing.cleaning import machine_form, shortened
from projects.importing.date_sentences import is_missing
from projects.importing.date_words import number
from projects.importing.findings import Finding

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class ProgressReading:
    """What a cell says about progress.

    Attributes:
        pct: 0 to 100 with at most two decimals; None when the cell holds no percentage.
        text: the words of the cell when there are any to keep beside the number; else "".
    """

    pct: Decimal | None = None
    text: str = ""
    findings: tuple[Finding, ...] = ()


NOTHING = ProgressReading()
_CENT = Decimal("0.01")
_FIELD = "progress"


def read_progress(value: Value, is_percent: bool = False) -> ProgressReading:
    """Read a cell as a percentage. Never raises.

    Args:
        is_percent: the spreadsheet shows the number as a percentage, so 0.8 is 80%.
    """
    return _read(value, is_percent)


@lru_cache(maxsize=16_384, typed=True)
def _read(value: Value, is_percent: bool) -> ProgressReading:
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _invalid(str(value))
    return _of_number(value, str(value), is_percent)


def _answer(pct: Decimal, raw: str, *codes: str, text: str = "") -> ProgressReading:
    """A percentage that was found, held to 0-100."""
    if pct < 0 or pct > 1000:
        return _invalid(raw)
    if pct > 100:
        pct, codes = Decimal(100), (*codes, "PERCENT_OVER_100")
    pct = pct.quantize(_CENT, ROUND_HALF_UP).normalize()
    shown = f"{pct:f}"
    findings = tuple(Finding(code, {"value": shortened(raw), "read": shown}, _FIELD) for code in codes)
    return ProgressReading(Decimal(shown), text, findings)


def _without(raw: str, code: str) -> ProgressReading:
    return ProgressReading(None, raw, (Finding(code, {"value": shortened(raw)}, _FIELD),))


def _invalid(raw: str) -> ProgressReading:
    return _without(raw, "INVALID_PERCENT")


def _of_number(value: float, raw: str, is_percent: bool) -> ProgressReading:
    if not math.isfinite(value) or not 0 <= value <= 1000:
        return _invalid(raw)
    exact = Decimal(repr(value))
    if is_percent:
        # 80 in a cell formatted as a percentage later on is seen as 8000%: nobody knows what was meant.
        return _answer(exact * 100, raw) if value <= 10 else _without(raw, "INVALID_PERCENT")
    if 0 < value < 1:
        return _answer(exact * 100, raw, "PERCENT_FRACTION")
    if 1 <= value < 2:  # 1 may be 1% or 100%, and 1.2 likewise 1.2% or 120%
        return _without(raw, "AMBIGUOUS_PERCENT")
    return _answer(exact, raw)


_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_N = r"(?<![\d.%])(-?\d{1,6}(?:\.\d+)?)"
_PERCENT = re.compile(rf"(?:{_N})(?:%|percent|个百分点(?=$))", re.IGNORECASE | re.ASCII)
_SIGN_FIRST = re.compile(r"%(\d{1,3}(?:\.\d+)?)(?![\d%])", re.ASCII)
_HUNDREDTHS = re.compile(
    r"百分之(百|[零一二三四五六七八九十廿卅]{1,3}|\d{1,3}(?:\.\d+)?)(?:点([零〇一二三四五六七八九]{1,2}))?"
)
_TENTHS = re.compile(
    r"(?<![年完建现变组达促养赞])([一二三四五六七八九十]|(?<!\d)10|(?<![\d.])\d)成([一二三四五六七八九半])?(?![立员果效本为熟功就都分])"
)
_RATIO = re.compile(r"(?<![\d/.])(\d{1,7})/(\d{1,7})(?![\d/.])", re.ASCII)
_SHARE = re.compile(r"([一二三四五六七八九十]{1,2}|\d{1,3})分之([一二三四五六七八九十]{1,2}|\d{1,3})")
_ABOUT = re.compile(
    r"约|近|左右|上下|以上|超过?|逾|多|余|大概|大致|估计|不到|不足|接近|将近|至少|>|<|≥|≤|~|≈|\+$"
)
_HALF = re.compile(r"(?:完成|约|已|进度)*(?:一半|半数|50%)(?:左右|了)?")
_PARTLY = re.compile(
    r"过半|大半|近半|多半|部分|尾声|收尾|临近|接近|即将|基本|过.{1,2}分之|大多|绝大|小半|刚刚|初步|近期"
)
#: A percentage behind these is of something else, or not reached yet.
_OTHER_SHARE = re.compile(
    r"(?:满意|增长|增加|增幅|提高|提升|上升|下降|降低|减少|降幅|优惠|折扣|股权|股份|持股|利率|税率|占比|占|剩余|还剩|还差|尚余|余下|未完成|计划|预计|力争|目标|应|拟|序时进度|激活率|比例|溢价)[^%,;。]{0,8}$"
)
_OWN_SHARE = re.compile(
    r"(?:实际|总体|整体|累计|综合|形象进度|总进度|工程进度|完成率|完成比例|总)[^%,;。]{0,8}$"
)


def _of_text(raw: str) -> ProgressReading:
    if len(raw) > _LONGEST:
        return _without(raw, "PROGRESS_TEXT_ONLY")
    text = machine_form(raw).replace(" ", "")
    if is_missing(text):
        return NOTHING
    if _NUMBER.fullmatch(text):
        return _of_number(float(text), raw, is_percent=False)
    shares = _shares(text)
    if shares:
        return _of_share(text, raw, shares)
    if "%" not in text:
        ratio = _of_ratio(text, raw)
        if ratio:
            return ratio
        if _HALF.fullmatch(text):
            return _answer(Decimal(50), raw, "PROGRESS_APPROX", text=raw)
    # A number without its sign, or one word, should have been a percentage; a sentence was never meant as one.
    is_told = _PARTLY.search(text) or len(text) > 8 or (len(text) > 6 and not re.search(r"\d", text))
    return _without(raw, "PROGRESS_TEXT_ONLY" if is_told and "%" not in text else "INVALID_PERCENT")


@dataclass(frozen=True, slots=True)
class _Share:
    begin: int
    end: int
    pct: Decimal
    is_rough: bool = False


def _shares(text: str) -> list[_Share]:
    """Every percentage in a text: 80%, 百分之八十, 八成."""
    found = [_Share(hit.start(), hit.end(), Decimal(hit[1])) for hit in _PERCENT.finditer(text)]
    if not found:
        found = [_Share(hit.start(), hit.end(), Decimal(hit[1])) for hit in _SIGN_FIRST.finditer(text)]
    for hit in _HUNDREDTHS.finditer(text):
        whole = _counted(hit[1])
        if whole is not None:
            decimals = "".join(str(number(sign) or 0) for sign in hit[2] or "")
            found.append(
                _Share(hit.start(), hit.end(), whole + (Decimal(f"0.{decimals}") if decimals else 0))
            )
    for hit in _TENTHS.finditer(text):
        tens = _counted(hit[1])
        if tens is not None:
            ones = 5 if hit[2] == "半" else number(hit[2]) or 0 if hit[2] else 0
            found.append(_Share(hit.start(), hit.end(), tens * 10 + ones, True))
    return sorted(found, key=lambda share: share.begin)


def _counted(word: str) -> Decimal | None:
    if word == "百":
        return Decimal(100)
    if word[0].isdigit():
        return Decimal(word)
    value = number(word)
    return None if value is None else Decimal(value)


def _of_share(text: str, raw: str, shares: list[_Share]) -> ProgressReading:
    own = [share for share in shares if _OWN_SHARE.search(text[: share.begin])]
    fitting = own or [share for share in shares if not _OTHER_SHARE.search(text[: share.begin])]
    if len(fitting) == 2 and re.fullmatch(r"[-~至到]", text[fitting[0].end : fitting[1].begin]):
        low = fitting[0]  # 80%-90%: the lower one is certain
        return _answer(low.pct, raw, "PROGRESS_APPROX", text=raw)
    if len({share.pct for share in fitting}) != 1:
        return _without(raw, "PROGRESS_TEXT_ONLY")
    share = fitting[0]
    before, after = text[: share.begin].strip("()"), text[share.end :].strip("().。,;!")
    if not before and not after:
        return _answer(
            share.pct,
            raw,
            *(("PROGRESS_APPROX",) if share.is_rough else ()),
            text=raw if share.is_rough else "",
        )
    codes: list[str] = []
    if (
        share.is_rough
        or _ABOUT.search(before[-3:])
        or _ABOUT.match(after[:2])
        or after[:2] in ("左右", "上下", "以上")
    ):
        codes.append("PROGRESS_APPROX")
    if not codes or not re.fullmatch(r"(?:约|大约|近|将近|接近|超过?|逾|大概|不到|>|<|≥|≤|~|≈)?", before):
        codes.append("PROGRESS_FROM_TEXT")
    return _answer(share.pct, raw, *codes, text=raw)


def _of_ratio(text: str, raw: str) -> ProgressReading | None:
    """39/40户, 三分之二; None when there is no ratio, or several."""
    hits = _RATIO.findall(text)
    if len(hits) == 1:
        done, every = int(hits[0][0]), int(hits[0][1])
    else:
        shares = _SHARE.findall(text)
        if len(shares) != 1 or hits:
            return None
        counted = _counted(shares[0][1]), _counted(shares[0][0])
        if counted[0] is None or counted[1] is None:
            return None
        done, every = int(counted[0]), int(counted[1])
    if _PARTLY.search(text):
        return _without(raw, "PROGRESS_TEXT_ONLY")
    if not every or done > 2 * every:  # 2021/7 is a date, not a ratio
        return _invalid(raw)
    codes = ("PROGRESS_FROM_RATIO", "PROGRESS_APPROX") if _ABOUT.search(text) else ("PROGRESS_FROM_RATIO",)
    return _answer(Decimal(done * 100) / every, raw, *codes, text=raw)
