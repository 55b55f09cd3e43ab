"""The cockpit as a bulletin (通报) in official layout: what is on the page, with its day and its filter.

Chinese whatever the language of the page, as an official document is. It goes to print and is read out, so it names
units and projects, and the persons who answer, without their telephone numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import translation

from projects.cockpit.reading import Cockpit, Line
from projects.cockpit.red_list import RedProject
from projects.official_document import CENTER, DEMO, OfficialDocument, chinese
from projects.services.search import person_name
from projects.tallies import SILENT_AFTER_DAYS, Counts

_NUMERALS = "一二三四五六七"


def bulletin(cockpit: Cockpit, red: Sequence[RedProject]) -> bytes:
    """The bulletin as docx.

    Args:
        red: all red projects that are to be listed; `cockpit.red` holds the first of them only.
    """
    with translation.override("zh-hans"):
        return _written(cockpit, red)


def title_of(cockpit: Cockpit) -> str:
    question = cockpit.question
    return f"{question.unit.name}关于{question.programme.name}推进情况的通报"


def _written(cockpit: Cockpit, red: Sequence[RedProject]) -> bytes:
    question, counts = cockpit.question, cockpit.counts
    page = OfficialDocument()
    if question.programme.is_demo:
        page.banner(f"【{DEMO}】本通报由演示项目生成，不反映任何真实单位的情况")
    page.title(title_of(cockpit))
    page.plain(f"（截至{chinese(question.on)}）", CENTER)
    page.plain("")
    page.body(
        f"根据民生项目督办门户数据，现将{question.unit.name}及所属单位{question.programme.name}推进情况通报如下。"
    )
    parts = [
        ("总体情况", lambda: page.body(_whole(cockpit))),
        ("红灯项目", lambda: _red(page, cockpit, red)),
        ("各企业推进情况", lambda: _lines(page, cockpit.units, "单位")),
        ("各类别推进情况", lambda: _lines(page, cockpit.categories, "类别")),
        ("延期和审核情况", lambda: page.body(_decisions(counts))),
    ]
    for numeral, (head, write) in zip(_NUMERALS, parts, strict=False):
        page.head(f"{numeral}、{head}")
        write()
    page.body(
        f"注：统计范围为{question.unit.name}及所属单位；专项行动为{question.programme.name}；数据截至"
        f"{chinese(question.on)}。按期率按现行期限计算，按原定时间兑现率按首次承诺期限计算；"
        f"久未上报指推进中且连续{SILENT_AFTER_DAYS}天没有上报。"
    )
    page.signature(question.unit.name, chinese(question.on), seal="")
    page.page_numbers(DEMO if question.programme.is_demo else "")
    return page.bytes(title_of(cockpit))


def _whole(cockpit: Cockpit) -> str:
    counts = cockpit.counts
    text = (
        f"共有项目{counts.projects:,}个，其中红灯{counts.red:,}个、黄灯{counts.yellow:,}个、绿灯{counts.green:,}个、"
        f"蓝灯（已销号）{counts.blue:,}个、灰灯{counts.grey:,}个。"
    )
    if counts.planned_percent is not None and counts.actual_percent is not None:
        text += f"平均序时进度{counts.planned_percent:.0f}%，平均实际进度{counts.actual_percent:.0f}%。"
    text += f"逾期节点{counts.overdue:,}个，临期节点{counts.due_soon:,}个"
    if counts.on_time_rate is not None:
        text += f"；节点按期率{counts.on_time_rate:.0f}%"
    if counts.first_rate is not None:
        text += f"，按原定时间兑现率{counts.first_rate:.0f}%"
    text += f"。久未上报项目{counts.silent:,}个。"
    if cockpit.before is not None and cockpit.before_on is not None:
        text += (
            f"与{chinese(cockpit.before_on)}相比，红灯项目{_changed(cockpit.change('red'))}，"
            f"逾期节点{_changed(cockpit.change('overdue'))}，已销号项目{_changed(cockpit.change('blue'))}。"
        )
    return text


def _changed(change: int | None) -> str:
    if not change:
        return "持平"
    return f"增加{change:,}个" if change > 0 else f"减少{-change:,}个"


def _red(page: OfficialDocument, cockpit: Cockpit, red: Sequence[RedProject]) -> None:
    if not red:
        page.body("无红灯项目。")
        return
    page.table(
        ("序号", "项目名称", "责任单位", "亮灯原因", "连续天数", "责任人"),
        [
            (
                str(number),
                row.name,
                row.enterprise,
                row.reason,
                str(row.days),
                person_name(row.who) or "未明确",
            )
            for number, row in enumerate(red, 1)
        ],
        (12, 42, 30, 40, 14, 18),
    )
    if len(red) < cockpit.counts.red:
        page.body(f"另有{cockpit.counts.red - len(red):,}个红灯项目未列出，详见门户红灯清单。")


def _lines(page: OfficialDocument, lines: Sequence[Line], head: str) -> None:
    if not lines:
        page.body("无。")
        return
    page.table(
        (head, "项目", "红灯", "黄灯", "正常", "逾期节点", "按期率", "久未上报"),
        [_line(line) for line in lines],
        (44, 16, 16, 16, 16, 16, 16, 16),
    )


def _line(line: Line) -> tuple[str, ...]:
    counts = line.counts
    name = (line.name or "未分类") + ("（本级）" if line.alone else "")
    rate = "—" if counts.on_time_rate is None else f"{counts.on_time_rate:.0f}%"
    numbers = (counts.projects, counts.red, counts.yellow, counts.on_plan, counts.overdue)
    return (name, *(f"{number:,}" for number in numbers), rate, f"{counts.silent:,}")


def _decisions(counts: Counts) -> str:
    return (
        f"累计批准延期{counts.extensions:,}次、共{counts.extension_days:,}天；待批延期{counts.extensions_waiting:,}件。"
        f"待审上报{counts.reports_waiting:,}件，待审销号{counts.close_outs_waiting:,}件。"
        f"已上传佐证材料的项目{counts.with_evidence:,}个。"
    )
