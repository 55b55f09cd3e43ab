"""The certificate that a project was struck off the list (民生项目销号证明), as a Word document.

Laid out by `official_document`. Pure: facts in, bytes out.
"""

from __future__ import annotations

from projects.certificate_facts import CertificateFacts
from projects.official_document import CENTER, DEMO, OfficialDocument, chinese


def certificate(facts: CertificateFacts) -> bytes:
    """The certificate as docx."""
    page = OfficialDocument()
    if facts.is_demo:
        page.banner(f"【{DEMO}】本证明由演示项目生成，不具有任何效力")
    page.title("民生项目销号证明")
    page.plain(facts.number_line, CENTER)
    page.plain("")
    page.plain(f"{facts.enterprise}：")
    page.body(
        f"你单位承担的{facts.programme}项目“{facts.project}”（编号：{facts.code}），"
        f"经核实和审批，准予销号。现将有关情况证明如下：",
    )
    sections = (
        ("承诺事项", facts.promised or "立项时未填写承诺事项。"),
        ("完成情况", facts.achieved),
        ("受益情况", _reach(facts)),
        ("完成时限", _dates(facts)),
        ("未完成事项及原因", _left_undone(facts)),
        ("后续责任", _follow_up(facts)),
        ("核实与批准", _decisions(facts)),
    )
    for number, (head, text) in zip("一二三四五六七", sections, strict=True):
        page.head(f"{number}、{head}")
        page.body(text)
    page.body("特此证明。")
    page.signature(facts.issuer or "（发证单位）", chinese(facts.approved_on))
    page.page_numbers(DEMO if facts.is_demo else "")
    return page.bytes(f"民生项目销号证明{facts.number_line}")


def _reach(facts: CertificateFacts) -> str:
    promised = f"承诺受益{facts.promised_reach}" if facts.promised_reach else "立项时未填写受益数量"
    return f"{promised}；" + (f"实际受益{facts.reached}。" if facts.reached else "未填报实际受益数量。")


def _dates(facts: CertificateFacts) -> str:
    parts = []
    if facts.first_promised_on:
        parts.append(f"首次承诺期限{chinese(facts.first_promised_on)}")
    parts.append(f"现行期限{chinese(facts.due_on)}" if facts.due_on else "未设项目完成期限")
    if facts.completed_on:
        parts.append(f"实际完成日期{chinese(facts.completed_on)}")
    text = "，".join(parts)
    if facts.due_on and facts.completed_on:
        text += f"，逾期{facts.days_late}天" if facts.days_late else "，按期完成"
    text += "。" + (
        f"实施期间节点经批准延期{facts.extensions}次，累计{facts.extended_days}天。"
        if facts.extensions
        else "实施期间未办理延期。"
    )
    if facts.late_milestones:
        named = "、".join(f"“{row.name}”逾期{row.days}天" for row in facts.late_milestones)
        text += f"节点逾期完成情况：{named}。"
    return text


def _left_undone(facts: CertificateFacts) -> str:
    text = facts.shortfall.strip() or "企业未申报未完成事项。"
    if facts.cancelled_milestones:
        text += "\n已取消的节点：" + "、".join(f"“{name}”" for name in facts.cancelled_milestones) + "。"
    return text


def _follow_up(facts: CertificateFacts) -> str:
    owner = f"后续责任人：{facts.follow_up_owner}。"
    return f"{facts.follow_up.strip()}\n{owner}" if facts.follow_up.strip() else owner


def _decisions(facts: CertificateFacts) -> str:
    asked = f"{chinese(facts.asked_on)}企业申请销号，" if facts.asked_on else ""
    verified = f"{chinese(facts.verified_on)}由{facts.verified_by}核实，" if facts.verified_on else ""
    return f"{asked}{verified}{chinese(facts.approved_on)}由{facts.approved_by}批准。"
