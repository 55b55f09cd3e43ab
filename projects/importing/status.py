"""Where a project stands, as people write or tick it. Pure.

The order of the questions carries the meaning: what is denied is not done, what is nearly done is under way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from projects.importing.cleaning import machine_form, shortened
from projects.importing.date_sentences import is_missing
from projects.importing.findings import Finding

Status = Literal["not_started", "in_progress", "done", "ongoing", "suspended"]


@dataclass(frozen=True, slots=True)
class StatusReading:
    """What a cell says about the state; `status` is None when it is empty or not understood."""

    status: Status | None = None
    findings: tuple[Finding, ...] = ()


_SIGNS: dict[str, Status] = {
    **dict.fromkeys("√✓✔☑✅●■⬤☒🗹🆗", "done"),
    **dict.fromkeys("×✗✘✕✖❌○◯〇□☐⭕", "not_started"),
    **dict.fromkeys("△▲◐◑◒◓◔◕▷▶→", "in_progress"),
}
_SIGNS["☒"] = "not_started"
_TRIM = " ()（）[]【】<>《》\"'“”,.;:，。；：、!?"

_FINISHED = r"(?:完成|完工|竣工|办结|销号|建成|交付|投用|投产|投入使用|投入运营|启用|结束|通车|通水|通气|通电|验收合格|通过验收|验收通过|达标|整改到位|落实到位|解决|办完|做完)"
_DENIED = re.compile(
    rf"(?:未|没有|没|不能|无法|不|尚待|待|还差|难以)(?:能|有|全部|全面|按期|按时|如期|最终|予以|被)?{_FINISHED}"
)
_NOT_BEGUN = re.compile(
    r"(?:未|没有|没|待|尚待|等待|即将|准备|拟)(?:能|正式|全面)?(?:启动|开始|开工|动工|实施|开展|进场|施工|建设|推进|落实|进行)"
    r"|not_?started|筹备|谋划|前期|计划|规划|设计|立项|拟建|储备|策划|筹划"
)
_ONLY_NOT_BEGUN = re.compile(
    r"(?:处于|在|做|开展)?(?:筹备|谋划|前期|计划|规划|设计|立项|拟建|储备|策划|筹划)(?:部署|工作|阶段|中|准备|实施|建设)*"
)
_SUSPENDED = re.compile(r"暂缓|暂停|停工|停建|缓建|中止|搁置|suspended")
_RESUMED = re.compile(r"复工|恢复|重新启动|重启")
_NEARLY = re.compile(
    rf"(?:基本|部分|即将|临近|接近|主体|阶段性?|初步|大体|大部分?|近|将|预计|计划|力争|争取|拟|确保)(?:上|已|于.{{1,8}})?(?:工程|结构)?(?:全部|全面)?{_FINISHED}"
    rf"|{_FINISHED}(?:过半|大半|一半|部分|\d+(?:\.\d+)?%(?<!100%)|立项|招标|图纸|设计|主体|前期|可研|征地|拆迁|清表|签约|审批)|尾声|收尾|扫尾"
)
_WHOLLY = re.compile(
    rf"(?:现|均|都|业)?(?:已|已经|全部|全面|顺利|圆满|提前|超额|如期|按期|按时|整体|项目|工程|任务|整改|竣工|改造|建设|施工)*{_FINISHED}"
    rf"(?:全部|年度|整改|的)*(?:施工|建设|改造|整改|工程|任务|工作|目标|计划|内容|项目|交付|并?投入使用|并?交付使用|并?投用|并?验收|并?销号|100%|了|使用)*"
)
_ONGOING = re.compile(r"长期|常态|持续|经常|日常|滚动|长效|ongoing")
_UNDER_WAY = re.compile(
    r"推进|进行|实施|在建|施工|建设|开展|启动|开工|动工|办理|落实|整改|招标|采购|调试|试运[营行]|有序|正常|按计划|按序时|正在|运行|审批|验收|进场|在办|在做|跟进|加快|in_?progress|under ?way|"
    + _NEARLY.pattern
)
_DELAY = re.compile(
    r"滞后|受阻|延期|延误|推迟|逾期|超期|未按[期时]|未能?如期|缓慢|落后|拖延|拖期|进展慢|停滞|困难|顺延|超时"
)
_NO_DELAY = re.compile(
    r"(?:无|未|没有|不|未出现|不存在|未发生)(?:明显|任何)?(?:滞后|受阻|延期|延误|逾期|超期|困难|落后)(?:情况|现象|问题)?"
)


def read_status(text: str) -> StatusReading:
    """Read the words or the sign of a state. Never raises.

    Findings: STATUS_SYMBOL, SELF_REPORTED_DELAY, UNKNOWN_STATUS.
    """
    return _read(text)


@lru_cache(maxsize=16_384)
def _read(raw: str) -> StatusReading:
    bare = raw.strip().replace("\ufe0f", "").strip(_TRIM)
    if bare and all(sign in _SIGNS for sign in bare) and len({_SIGNS[sign] for sign in bare}) == 1:
        status = _SIGNS[bare[0]]
        return StatusReading(status, (_found("STATUS_SYMBOL", raw, status),))
    text = machine_form(raw[:500]).strip(_TRIM).casefold()
    if is_missing(text):
        return StatusReading()
    status_of_words = _status(text)
    findings: list[Finding] = []
    if _DELAY.search(_NO_DELAY.sub("", text)):
        findings.append(_found("SELF_REPORTED_DELAY", raw))
        # A project that lags has begun; 停滞 is left to a person.
        if status_of_words is None and "停滞" not in text:
            status_of_words = "in_progress"
    if status_of_words is None:
        findings.append(_found("UNKNOWN_STATUS", raw))
    return StatusReading(status_of_words, tuple(findings))


def _found(code: str, raw: str, read: str = "") -> Finding:
    return Finding(code, {"value": shortened(raw), "read": read}, "status")


def _status(text: str) -> Status | None:
    plain = _NO_DELAY.sub("", text)
    if _SUSPENDED.search(plain) and not _RESUMED.search(plain):
        return None if re.search(r"(?:未|不|无)(?:曾|会|再|能)?(?:暂|停|中止)", plain) else "suspended"
    if _DENIED.search(plain):
        return "in_progress"
    if _ONLY_NOT_BEGUN.fullmatch(plain):
        return "not_started"
    if re.match(r".{0,6}?(?:未|没|待|尚待|等待|即将|准备)", plain) and _NOT_BEGUN.search(plain):
        return "not_started"
    if _NEARLY.search(plain):
        return "in_progress"
    if _ONGOING.search(plain):
        return "ongoing"
    if _WHOLLY.fullmatch(plain) or plain in ("done", "completed", "finished", "已办", "100%", "ok"):
        return "done"
    if _UNDER_WAY.search(plain) or _RESUMED.search(plain):
        return "in_progress"
    if re.search(_FINISHED, plain):
        # A sentence that ends in something finished: 供水管网已完成. What is only part of it stood above.
        return "done" if len(plain) <= 12 and not re.search(r"[,;，；、\d]", plain) else "in_progress"
    return "not_started" if _NOT_BEGUN.search(plain) else None


def conflict(status: Status | str | None, pct: Decimal | float | None) -> bool:
    """Whether a state and a percentage (0-100) cannot both be true; nothing is in conflict with silence.

    A standing duty (ongoing) may report any percentage.
    """
    if pct is None or not status:
        return False
    if status == "done":
        return pct < 100
    if status == "not_started":
        return pct > 0
    return status in ("in_progress", "suspended") and pct >= 100
