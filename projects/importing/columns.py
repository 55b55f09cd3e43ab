"""The columns of a ledger and the many names they go by."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_BRACKETS = re.compile(r"[(\[【〔<《{]([^)\]】〕>》}]*)[)\]】〕>》}]")
_EXAMPLE = re.compile(
    r"(?:19|20)[\dXx×*]{2}(?:[.\-/年][\dXx×*]{0,2}){0,2}[月日]?$|(?:如|例|例如|格式|注)[::].*$|[*※#:]+$|^[*※#]+"
)
_JOINT = re.compile(r"[及和与或、/\\,;&+]")
#: What may follow a known name without changing it.
_NOISE = (
    "要求",
    "说明",
    "名称",
    "情况",
    "内容",
    "时间",
    "必填",
    "填写",
    "一览",
    "简述",
    "概况",
    "明细",
    "简介",
    "列表",
    "(万元)",
    "万元",
    "单选",
)
#: Fields of a group that say nothing alone: the group is meant.
_GENERIC = {
    "姓名",
    "名称",
    "名字",
    "内容",
    "时间",
    "日期",
    "单位",
    "金额",
    "数量",
    "全称",
    "情况",
    "年月",
    "年月日",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the ledger.

    Attributes:
        key: the name of the field in code.
        aliases: headings, the best first; where two columns claim a field, the better name has it.
        weak: headings that only count as a whole, and only when no better one is there.
    """

    key: str
    aliases: tuple[str, ...]
    weak: tuple[str, ...] = ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COLUMNS: tuple[Column, ...] = (
    Column("serial", _words("序号 编次 顺序号 NO NO. 总序号 排序"), _words("号 序")),
    Column("code", _words("项目编号 业务编码 项目编码 项目代码 编号 编码 业务编号 任务编号 事项编号 代码")),
    Column("version", _words("版本 版本号 数据版本 系统版本")),
    Column("name", _words(
        "项目名称 民生项目名称 实事项目名称 办实事项目名称 重点民生项目名称 民生项目 实事项目 办实事项目 重点民生项目 重点项目名称 事项名称 民生实事项目 "
        "民生实事 实事名称 民生事项 办实事事项 实事事项 办实事项目名称 任务名称 工作任务 重点任务 重点工作任务 工作事项 具体事项 任务事项 服务事项 为民办实事项目 "
        "我为群众办实事项目 为群众办实事项目 实践活动项目 工程名称 子项目名称 办实事清单 实事清单 项目清单 事项 任务 工作项目"), _words("项目 实事 名称 重点工作 工程")),
    Column("enterprise", _words(
        "责任单位 责任企业 牵头单位 主责单位 牵头责任单位 主要责任单位 实施单位 承办单位 主办单位 牵头企业 实施企业 责任主体 实施主体 企业名称 单位名称 所属企业 所属单位 "
        "填报单位 申报单位 申报企业 项目单位 建设单位 牵头部门 责任部门 主责部门 承办部门 承办企业 公司名称 所属公司 责任公司"), _words("单位 企业 公司 部门 牵头 主责")),
    Column("supporting", _words(
        "配合单位 协办单位 参与单位 协同单位 配合部门 配合企业 协助单位 协作单位 参加单位 配合责任单位 参与企业 联合单位 责任单位配合 支持单位"), _words("配合 协办")),
    Column("party_branches", _words(
        "责任党组织 党组织 党组织名称 所属党组织 党支部 所属党支部 责任党支部 承办支部 承办党支部 实施党组织 牵头党组织 党支部名称 责任支部 牵头支部 承办党组织 实施党支部"), _words("支部")),
    Column("category", _words("项目类别 类别 项目类型 民生类别 类型 领域 所属领域 民生领域 项目分类 分类 事项类别 服务类别 所属类别 项目领域 类别名称 任务类别")),
    Column("content_class", _words("内容分类 内容类别 实践内容分类 办实事内容分类 实事内容分类 服务内容分类")),
    Column("audience", _words("对内/对外 对内对外 对内外 对内或对外 内外 服务对象范围 服务范围 对象范围 内部/外部 受众范围")),
    Column("place", _words("实施地点 项目地点 建设地点 地点 所在地 项目所在地 所在地区 项目地址 实施地区 地址 所在区域 实施区域 建设地址 所在市州 所在县区"), _words("区域 地区")),
    Column("measures", _words(
        "主要举措 工作举措 具体举措 工作措施 具体措施 主要措施 推进措施 实施措施 落实措施 建设内容 主要建设内容 建设内容及规模 主要内容 实施内容 项目内容 工作内容 具体内容 举措 措施 项目简介 "
        "项目概况 具体做法 主要做法 实施方案 任务内容 事项内容 办实事内容 实事内容 建设规模及内容 建设规模"), _words("内容")),
    Column("beneficiaries", _words(
        "受益群众 受益人数 惠及人数 受益对象 惠及群众 受益人群 惠及对象 受益户数 惠及户数 受益范围 服务对象 惠及范围 覆盖人数 服务人数 受益群体 惠及人群 受益群众数量 受益面 预计受益人数 受益职工")),
    Column("investment", _words("总投资 投资额 总投资额 项目总投资 预算 投资金额 计划投资 计划总投资 投资总额 项目预算 投入资金 资金投入 预算金额 项目投资 估算投资 投资估算 经费预算 所需资金"), _words("投资 资金 经费 金额")),
    Column("start", _words(
        "开工时间 开始时间 启动时间 起始时间 计划开工 计划开工时间 开工日期 开始日期 启动日期 计划开始时间 实际开工时间 计划启动时间 拟开工时间 起始日期 预计开工时间 实施时间起 开工 启动 开始年月 "
        "开工年月 动工时间 实际开始时间 计划开始日期"), _words("开始 起始 起")),
    Column("deadline", _words(
        "完成时限 计划完成时间 完成时间 办结时限 时限要求 计划竣工时间 完工时间 竣工时间 截止时间 完成日期 完成期限 截止日期 办理时限 计划完工时间 计划完成日期 计划完成时限 办结时间 结束时间 结束日期 "
        "预计完成时间 拟完成时间 拟竣工时间 预计竣工时间 预计完工时间 目标完成时间 竣工日期 要求完成时间 完成年月 完工日期 整改时限 期限 时限 工作时限 推进时限 实施时限 实际完成时间 计划办结时间"),
        _words("完成 截止 竣工 完工 结束 止 时间 计划完成 时间要求 完成节点")),
    Column("progress", _words(
        "完成进度 当前进度 形象进度 进度 完成率 完成比例 项目进度 工作进度 目前进度 总体进度 完成百分比 进度百分比 整体进度 累计进度 进度% 完成% 实施进度 工程进度 推进进度 完成进度百分比")),
    Column("progress_note", _words(
        "进展情况 目前进展 工作进展 项目进展 目前进展情况 当前进展 进展 工作进展情况 项目进展情况 推进情况 落实情况 进度情况 最新进展 推进落实情况 实施情况 完成进展 进展说明 目前推进情况 工作开展情况 "
        "进度说明 工作推进情况 阶段性成效 取得成效 工作成效")),
    Column("status", _words("状态 项目状态 完成情况 是否完成 完成状态 当前状态 办理状态 推进状态 进展状态 是否办结 办结情况 是否已完成 实施状态 工作状态")),
    Column("phase", _words("阶段 所处阶段 当前阶段 项目阶段 推进阶段 实施阶段 工作阶段")),
    Column("accountable_lead", _words(
        "第一责任人 责任领导 牵头领导 分管领导 主要负责人 主要责任人 企业责任领导 公司领导 包案领导 责任单位领导 分管负责人 第一责任领导")),
    Column("direct_lead", _words("直接责任人 直接负责人 项目负责人 部门负责人 直接责任领导 项目责任人")),
    Column("coordinator", _words("具体负责人 联系人 经办人 责任人 具体责任人 具体联系人 联络人 工作联系人 承办人 具体经办人 专责 联络员 责任人员"), _words("负责人")),
    Column("liaison_leader", _words("挂点领导 联系领导 包保领导 挂联领导 挂钩领导 联点领导 委领导 督导领导 包联领导 挂点联系领导 国资委挂点领导 市领导 包抓领导")),
    Column("is_key", _words("是否重点 重点项目 是否重点项目 是否为重点 是否重点民生项目 是否为重点项目 重点标识")),
    Column("milestones", _words(
        "节点 时间节点 推进计划 工作计划 进度安排 推进节点 关键节点 工作节点 节点安排 时间安排 进度计划 实施计划 里程碑 计划节点 项目节点 阶段目标 阶段性目标 推进安排 推进步骤 实施步骤 工作安排 节点计划 "
        "月度计划 序时进度")),
    Column("note", _words("备注 备注说明 其他 其他说明 备注信息 说明 附注")),
    Column("credit_code", _words("统一社会信用代码 社会信用代码 信用代码 统一信用代码 企业信用代码 统一社会信用编码 责任单位统一社会信用代码")),
)  # fmt: skip

KEYS = tuple(column.key for column in COLUMNS)
#: A loser of its first field may take this one.
SECOND_CHOICE = {
    "完成情况": "progress_note",
    "当前进度": "progress_note",
    "形象进度": "progress_note",
    "重点任务": "category",
}
#: Headings that name a field beyond doubt, for the sentence about what is needed.
NEEDED = ("项目名称",)

_EXACT: dict[str, tuple[str, float]] = {}
_WEAK: dict[str, tuple[str, float]] = {}


def _bare(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).upper()


for _column in COLUMNS:
    for _at, _alias in enumerate(_column.aliases):
        _EXACT.setdefault(_bare(_alias), (_column.key, 100 - _at / 100))
    for _at, _alias in enumerate(_column.weak):
        _WEAK.setdefault(_bare(_alias), (_column.key, 40 - _at))


@dataclass(frozen=True, slots=True)
class Match:
    """Which field a heading names and how surely (the higher; weak below 50)."""

    key: str
    score: float


def normalised(text: str) -> str:
    """A heading without blanks, line ends, full-width forms, hints in brackets and examples."""
    bare = _bare(text)
    without = _EXAMPLE.sub("", _BRACKETS.sub("", bare))
    return without or _EXAMPLE.sub("", "".join(_BRACKETS.findall(bare)))


def match(path: list[str]) -> Match | None:
    """The field that a column's heading names.

    Args:
        path: the texts above the column, group first, as in the file.
    """
    parts: list[str] = []
    for text in path:
        part = normalised(text)
        if part and (not parts or parts[-1] != part):
            parts.append(part)
    if not parts:
        return None
    last = parts[-1]
    bare = _bare(path[-1])
    joined = ["".join(parts), "".join(parts[-2:])] if len(parts) > 1 else []
    for at, text in enumerate([*joined, last, _BRACKETS.sub(r"\1", bare)]):
        if text in _EXACT:
            key, score = _EXACT[text]
            return Match(key, score - at / 1000)
    if len(parts) > 1 and last in _GENERIC:
        found = _EXACT.get(parts[-2]) or _EXACT.get(parts[0])
        if found is not None:
            return Match(found[0], found[1] - 5)
    for text in [last, *joined]:
        near = _near(text)
        if near is not None:
            return near
    for text in [last, *joined]:
        if text in _WEAK and not (text in _GENERIC and len(parts) > 1):
            return Match(*_WEAK[text])
    return None


def _near(text: str) -> Match | None:
    """A known name with something before it, something empty behind it, or as one of two names."""
    for first in _JOINT.split(text):
        if first in _EXACT and first != text:
            key, score = _EXACT[first]
            return Match(key, score - 20)
    for noise in _NOISE:
        short = text.removesuffix(noise)
        if short != text and short in _EXACT:
            key, score = _EXACT[short]
            return Match(key, score - 25)
    if len(text) > 20:
        return None
    for start in range(1, len(text) - 2):
        tail = text[start:]
        if len(tail) >= 3 and tail in _EXACT:  # in Chinese the noun that counts stands at the end
            key, score = _EXACT[tail]
            if key == "enterprise" and text.startswith(("配合", "协办", "参与", "协同")):
                key = "supporting"
            return Match(key, score - 30)
    return None


_NUMERAL = {numeral: at for at, numeral in enumerate("一二三四五六七八九十", start=1)}
_MILESTONE = re.compile(
    r"^(?:第?(?P<a>\d{1,2}|[一二三四五六七八九十])个?(?:关键|时间|推进)?(?:节点|里程碑)"
    r"|(?:关键|时间|推进|计划)?(?:节点|里程碑)(?P<b>\d{1,2}|[一二三四五六七八九十]))(?P<rest>.*)$"
)
_MILESTONE_FIELD = re.compile(
    r"^(?:关键|推进)?(?:节点|里程碑)(?P<field>名称|内容|事项|任务|目标|时间|时限|日期|完成时间|完成时限|计划时间|计划完成时间)(?P<n>\d{1,2}|[一二三四五六七八九十])?$"
)
_IS_DATE = re.compile(r"时间|时限|日期|期限")


def milestone(path: list[str]) -> tuple[int, str] | None:
    """Number and part ("name" or "date") of a milestone column (节点1, 节点名称1, 节点1时间), None for another one.

    A single pair without numbers (节点名称, 节点时间) is number 0.
    """
    text = "".join(dict.fromkeys(normalised(part) for part in path))
    found = _MILESTONE.match(text)
    if found is not None:
        number = found["a"] or found["b"]
        return _NUMERAL.get(number) or int(number), "date" if _IS_DATE.search(found["rest"]) else "name"
    found = _MILESTONE_FIELD.match(text)
    if found is not None:
        number = found["n"] or "0"
        return _NUMERAL.get(number) or int(number), "date" if _IS_DATE.search(found["field"]) else "name"
    return None
