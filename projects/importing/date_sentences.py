"""What stands around a date, and whether the date is still certain beside it. Pure.

People write 「力争7月底前完成」 and 「原定7月底，因疫情推迟」 into the same column. Words that do not touch the date are
left out; words that may turn it around (原定, 推迟, 首批, 开工 beside a deadline) make a person decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_MISSING = re.compile(
    r"[\-/\\~_.。·*×?？,、]*|无|空|没有|暂无|待定|未定|暂定|另定|待明确|待确定|待商定|待落实|未确定|未明确|尚未确定|尚未明确|暂未确定|暂未明确"
    r"|不详|未知|另行通知|另行确定|视情况而定|N/?A|none|null|nan|nil|tbd|tba",
    re.IGNORECASE,
)
_OPEN_ENDED = re.compile(
    r"长期|长效|持续|常态|每[年月周日天季]|每个[月季]|每半年|逐年|日常|经常|永久|不间断|全程|贯穿|定期|不定期|常年|一直|始终|滚动"
)
_LUNAR = re.compile(r"农历|阴历|旧历|正月|腊月|冬月|初[一二三四五六七八九十]|除夕|大年")


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no date: empty, a dash, 待定."""
    return not text or _MISSING.fullmatch(text.strip("()（）[]<>《》\"' ")) is not None


def is_open_ended(text: str) -> bool:
    """Whether a text without a date says that there is no end (长期坚持). 长期 beside a doubt is not enough."""
    return _OPEN_ENDED.search(text) is not None and not re.search(r"未|待|不再|除外", text)


_WEEKDAY = re.compile(r"\(?(?:周|星期|礼拜)[一二三四五六日天1-7]\)?")
_TIME = re.compile(
    r"(?<=[\d日号前T])[T ]?(?:上午|下午|晚上?|凌晨|中午|早上?)?(?<!\d)\d{1,2}(?::\d{1,2}(?::\d{1,2}(?:\.\d+)?)?|[时点](?:\d{1,2}分?|半|整)?)"
    r"(?:\s?[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?(?!\d)"
)


def without_noise(text: str) -> tuple[str, bool]:
    """The text without weekday and time of day, and whether there was a time of day."""
    text = _WEEKDAY.sub("", text)
    timed = _TIME.sub("", text)
    return timed.strip(), timed != text


class Suffix(Enum):
    """What the word right behind a date does to it."""

    NONE = ""
    BEFORE = "before"
    AFTER = "after"
    FROM = "from"
    ABOUT = "about"


_SUFFIXES = (
    (Suffix.ABOUT, re.compile(r"前后|左右|上下|许|附近|或")),
    (Suffix.BEFORE, re.compile(r"(?:之前|以前|前)(?!期|往|述|置|端|段)|来临前|到来前")),
    (Suffix.AFTER, re.compile(r"之后|以后|过后|后(?!期|勤|续)")),
    (Suffix.FROM, re.compile(r"起(?!草)|开始|以来|始|至今|[-~]+$|至$")),
)
_TAIL = re.compile(r"(?:\(含\)|\(?含当?[日天]\)?|当[天日]|期间|之间|为止|以内|之内|内|止|份|度|间)")

#: Words that name or soften a deadline and leave it as it is.
_PLAIN = re.compile(
    r"(?:预计|计划|力争|确保|争取|拟|拟定|暂定|约|大约|将|应|需|须|要求|要|必须|全部|全面|基本|如期|按期|按时|已经|已于|已|于|在|到|自|从|至|以"
    r"|完成时限|完成时间|完成日期|整改时限|办结时限|截止时间|截止日期|截止到|截止|截至|时限|时间|期限|日期|工期|为|是|前|的|可|能|并|并且|含"
    r"|完成|完工|竣工|建成|办结|投产|投用|投入使用|交付使用|交付|使用|通车|通水|通气|通电|供水|供气|供电|供暖|运营|试运营|试运行|运行|达产"
    r"|结束|销号|到位|落实|解决|整改|实现|启用|验收|竣工验收|工程|项目|工作|任务|建设|改造|施工|主体|开工|动工|进场|启动|开展|实施|起|开始"
    r"|[\s()\[\]{}<>《》【】「」“”\"':,.;。,;、*!?！？&·/])+"
)
#: Words beside which a date may not be the one that the column asks for.
_DOUBTFUL = re.compile(
    r"原|延|推迟|顺延|提前|调整|改为|改至|变更|因|由于|如果|如遇|若|视|待|力度|首批|首期|[一二三四五六七八九十\d]期|第[一二三四五六七八九十\d]+[批阶期]|部分|其余|其他|剩余|除"
    r"|未|不|无法|难以|争议|或|可能|之后|以后|后|农历|阴历|合同|签约后|开工后|工作日|日历天|个月|天|再|暂停|停工|暂缓|\d"
)
_STARTING = re.compile(r"开工|动工|进场|启动|立项|招标|签约|签订|开始|开展前期")
_ENDING = re.compile(
    r"完成|完工|竣工|建成|办结|投产|投用|投入使用|交付|通车|通水|通气|验收|结束|截止|截至|销号|止"
)
_DURATION = re.compile(
    r"\d+个?(?:工作日|日历天|自然日|天|个?月|年|周|星期|小时)(?:内|以内|之内|后|左右)?|[半数几]个?[月年天]"
)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a date.

    Attributes:
        is_clear: nothing there casts doubt on the date.
        is_noisy: there were words that were left out.
        is_open_ended: beside the date the text says that it goes on (长期坚持).
    """

    suffix: Suffix = Suffix.NONE
    is_clear: bool = True
    is_noisy: bool = False
    is_open_ended: bool = False


_ALONE = Around()
_PLAIN_BEFORE = Around(Suffix.BEFORE)


def judge(before: str, after: str, *, is_deadline: bool, is_range: bool = False) -> Around:
    """Judge the words before and behind a date that is the only one (or the only range) of its cell."""
    if not before:
        if not after or after == "底":
            return _ALONE
        if after == "前":
            return _PLAIN_BEFORE
    suffix, after = _suffix(after)
    if suffix == Suffix.NONE and re.match(r"(?:自|从)", before) and not is_range and not is_deadline:
        suffix = Suffix.FROM
    rest = f"{before} {after}"
    # 「年前」 and 「月前」 of unknown words must not vanish: they count as words, and doubtful ones.
    is_open_ended = _OPEN_ENDED.search(rest) is not None
    is_plain = _PLAIN.fullmatch(rest) is not None
    is_doubtful = _DOUBTFUL.search(rest) is not None or _LUNAR.search(rest) is not None or len(rest) > 40
    other_end = _STARTING if is_deadline else _ENDING
    own_end = _ENDING if is_deadline else _STARTING
    is_other = not is_range and bool(other_end.search(rest)) and not own_end.search(rest)
    if "已" in rest and is_deadline and _STARTING.search(rest):
        is_other = True
    return Around(suffix, not is_doubtful and not is_other, not is_plain or "已" in before, is_open_ended)


def _suffix(after: str) -> tuple[Suffix, str]:
    tail = _TAIL.match(after)
    if tail:
        after = after[tail.end() :]
    for suffix, pattern in _SUFFIXES:
        found = pattern.match(after)
        if found:
            return suffix, after[found.end() :]
    # 「11月中旬供暖季来临前」: the words between say what for, not when.
    return Suffix.NONE, after


_JOINING = re.compile(
    r"(?:起|开始|初|以后|\(?含\)?)?(?:[-~→]+|,?至|,?到|直至|开始至|起至|起到|止于)(?:于|在)?"
)
_LISTING = re.compile(r"[(（\[]?")


def joins(between: str) -> bool:
    """Whether the words between two dates make them the ends of one range."""
    return _JOINING.fullmatch(between.strip()) is not None


def lists(between: str) -> bool:
    """Whether the second of two dates only explains the first."""
    return _LISTING.fullmatch(between.strip()) is not None
