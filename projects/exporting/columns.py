"""The columns of the ledger that the portal writes: the headings that the importer knows best, and a few that only tell.

Headings are Chinese whatever language the page has: the file goes to people who never saw the page, and comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enterprises.spreadsheets import OutColumn
from projects.importing.columns import COLUMNS

_HEADINGS = {column.key: column.aliases[0] for column in COLUMNS}


@dataclass(frozen=True, slots=True)
class Told:
    """A column with what the explanation sheet says of it.

    Attributes:
        what: what belongs into it.
        example: as a person would write it.
        then: what happens to it when the ledger is taken in.
        in_template: whether somebody fills it in; the others only tell.
    """

    column: OutColumn
    what: str
    example: str
    then: str
    in_template: bool = True


def _told(
    key: str, width: float, what: str, example: str, then: str, *, kind: str = "text", locked: bool = False
) -> Told:
    wraps = width > 24
    return Told(OutColumn(key, _HEADINGS[key], kind, width, locked, wraps), what, example, then)


def _only_tells(key: str, heading: str, width: float, what: str, kind: str = "text") -> Told:
    return Told(OutColumn(key, heading, kind, width), what, "", "只供查看，导入时不取。", in_template=False)


_FIXED = "已批准的项目，此项不因导入而改变；确需调整的，请走延期申请。"
_TAKEN = "按所填内容写入；在导出的台账里清空即为清除。"

TOLD: Sequence[Told] = (
    _told("serial", 6, "本表的顺序号。", "1", "不写入系统。", kind="number"),
    _told("code", 14, "系统给项目的编号，由系统填写，请勿改动。", "SW-01", "凭编号认出是哪个项目；新项目留空，由系统编号。", locked=True),
    _told("version", 9, "导出时项目的版本，由系统填写，请勿改动。", "10234", "凭版本看出导出之后是否有人改过；有人改过的，导入时逐行提示。", kind="number", locked=True),
    _told("name", 40, "项目全称，必填，不超过200字。", "牛山上山门管网改造工程", "写入项目名称。" + _FIXED),
    _told("enterprise", 28, "牵头负责的企业，只填一家；用下拉选，或填全称、简称。", "东莞市水务集团有限公司", "必须与企业名册一致；名册里没有的会请您选定，不会自动新建。"),
    _told("supporting", 24, "配合的企业，可填多家，用顿号隔开。", "轨道公司、能源集团", "与名册一致的才写入。"),
    _told("party_branches", 24, "承办的党组织，可填多个，用顿号隔开。", "水务集团第一党支部", "与名册一致的才写入；重名的请填编码。"),
    _told("category", 14, "本方案的类别，用下拉选。", "供水", "必须是本方案已有的类别。"),
    _told("content_class", 14, "内容分类。", "民生服务", _TAKEN),
    _told("audience", 10, "服务对象在企业内还是企业外，用下拉选。", "对外", _TAKEN),
    _told("place", 20, "在哪里实施。", "莞城街道牛山社区", _TAKEN),
    _told("measures", 44, "做什么、怎么做。", "更换老旧管网3公里，抄表到户。", "写入主要举措。" + _FIXED),
    _told("beneficiaries", 16, "惠及多少人或户。", "约2000户", "文字照录，其中的数字和单位另行识别。" + _FIXED),
    _told("investment", 14, "总投资，写明单位。", "1200万元", _TAKEN),
    _told("start", 13, "什么时候开工。", "2021年4月", "读作所说期间的第一天：4月为4月1日，上旬为1日，中旬为11日，下旬为21日。" + _FIXED, kind="date"),
    _told("deadline", 13, "什么时候完成；没有期限、长年坚持的填“长期”。", "2021年7月底前", "读作所说期间的最后一天：7月为7月31日，三季度为9月30日，年底为12月31日。“春节前”等拿不准的会请您选定日期。" + _FIXED, kind="date"),
    _told("progress", 10, "完成的百分比。", "60%", "只在新建项目时作为起点；已有项目的进度由进展填报更新，此处不改。", kind="percent"),
    _told("progress_note", 30, "目前进展，一两句话。", "主管网已完成，正在接户。", _TAKEN),
    _told("status", 10, "未启动、推进中、暂缓等，用下拉选。", "推进中", "只在新建项目时作为起点；已有项目的状态由审核流程更新，此处不改。"),
    _told("phase", 12, "三个阶段之一，用下拉选。", "组织实施", _TAKEN),
    _told("accountable_lead", 20, "第一责任人姓名、电话。", "张某某 13800000000", _TAKEN),
    _told("direct_lead", 20, "直接责任人姓名、电话。", "李某某", _TAKEN),
    _told("coordinator", 20, "具体负责人姓名、电话。", "王某某", _TAKEN),
    _told("liaison_leader", 12, "挂点的委领导，须是系统里的账号。", "陈某某", "与账号姓名一致且不重名的才写入。"),
    _told("is_key", 10, "是或否，用下拉选。", "是", "写入是否重点。" + _FIXED),
    _told("milestones", 36, "分几步走，一行一步，写明日期。", "4月底前完成设计；7月底前完工", "只在新建项目时拆成节点；已有项目的节点请在系统中调整。"),
    _told("note", 30, "备注。", "与道路改造同步", _TAKEN),
    _only_tells("light", "灯号", 8, "系统按进度和期限判定的红黄绿灯。"),
    _only_tells("planned", "计划进度", 10, "按计划今天应完成的百分比。", "percent"),
    _only_tells("overdue", "逾期天数", 10, "未办结节点中最长的逾期天数。", "number"),
    _only_tells("programme", "所属方案", 28, "项目属于哪个年度方案。"),
)  # fmt: skip

BY_KEY = {told.column.key: told for told in TOLD}
TEMPLATE: Sequence[OutColumn] = tuple(told.column for told in TOLD if told.in_template)
#: A plan is exported as a sheet of its own, not in one cell.
LEDGER: Sequence[OutColumn] = tuple(told.column for told in TOLD if told.column.key != "milestones")
#: No heading here is a name of a project's name, so that the importer takes the sheet for no table.
STEPS: Sequence[OutColumn] = (
    OutColumn("code", "项目编号", width=14),
    OutColumn("project", "所属项目", width=40, wraps=True),
    OutColumn("enterprise", "责任单位", width=28),
    OutColumn("order", "节点序号", "number", 9),
    OutColumn("name", "节点内容", width=36, wraps=True),
    OutColumn("weight", "节点权重", "number", 9),
    OutColumn("starts_on", "计划开始", "date", 13),
    OutColumn("due_on", "完成时限", "date", 13),
    OutColumn("percent", "完成进度", "percent", 10),
    OutColumn("state", "节点状态", width=12),
)

LEDGER_SHEET, STEPS_SHEET, HELP_SHEET, CHOICES_SHEET = "台账", "节点", "填表说明", "选项"
#: Words that are the same in every language of the page, and that the importer reads.
STATUSES = {
    "not_started": "未启动",
    "in_progress": "推进中",
    "awaiting": "待验收",
    "closed_out": "已销号",
    "suspended": "暂缓",
    "terminated": "中止",
}
#: What a new project may begin with.
BEGINNINGS = ("未启动", "推进中", "暂缓")
PHASES = {"planning": "筹划部署", "execution": "组织实施", "inspection": "检查验收"}
AUDIENCES = {"internal": "对内", "external": "对外"}
LIGHTS = {"red": "红灯", "yellow": "黄灯", "green": "绿灯", "grey": "灰灯", "blue": "蓝灯"}
STATES = {
    "not_started": "未开始",
    "in_progress": "进行中",
    "submitted": "待审核",
    "returned": "已退回",
    "accepted": "已验收",
    "cancelled": "已取消",
}
