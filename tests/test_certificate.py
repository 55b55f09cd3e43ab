"""The certificate of a close-out (销号证明): official layout, honest content, only for what was approved."""

from __future__ import annotations

import dataclasses
import datetime
import io
from typing import Any
from urllib.parse import quote

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from projects.certificate import certificate
from projects.certificate_facts import CertificateFacts, LateMilestone
from projects.models import CloseOut, Programme
from projects.services.lifecycle import change_status
from projects.services.reviews import decide
from tests import factories
from tests.factories import moment
from tests.test_pages import client_of

DAY = datetime.timedelta(days=1)
FACTS = CertificateFacts(
    year=2026,
    number=1,
    programme="2026年民生实事",
    project="上山门村供水改造",
    code="X1",
    enterprise="水务集团有限公司",
    issuer="某市人民政府国有资产监督管理委员会",
    promised="安装总表和分表\n抄表到户",
    achieved="全部完成",
    promised_reach="320户",
    reached="318户",
    first_promised_on=datetime.date(2026, 6, 1),
    due_on=datetime.date(2026, 7, 16),
    completed_on=datetime.date(2026, 7, 20),
    late_milestones=[LateMilestone("管网改造", 4)],
    cancelled_milestones=[],
    extensions=2,
    extended_days=45,
    shortfall="两户房屋闲置，未装表",
    follow_up="每季度巡检",
    follow_up_owner="李某某 13800000000",
    asked_on=datetime.date(2026, 7, 21),
    verified_by="张三",
    verified_on=datetime.date(2026, 7, 22),
    approved_by="王五",
    approved_on=datetime.date(2026, 8, 1),
    is_demo=False,
)


def opened(body: bytes) -> Any:
    return Document(io.BytesIO(body))


def text_of(body: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in opened(body).paragraphs)


def faces(paragraph: Any) -> set[tuple[str, Any]]:
    return {(run._r.rPr.rFonts.get(qn("w:eastAsia")), run.font.size) for run in paragraph.runs}


def test_the_page_is_that_of_an_official_document() -> None:
    document = opened(certificate(FACTS))
    section = document.sections[0]
    margins = section.top_margin, section.bottom_margin, section.left_margin, section.right_margin
    assert [round(margin.mm) for margin in margins] == [37, 35, 28, 26]
    assert (round(section.page_width / Mm(1)), round(section.page_height / Mm(1))) == (210, 297)
    title, number, _blank, addressee, *rest = document.paragraphs
    assert title.text == "民生项目销号证明"
    assert faces(title) == {("方正小标宋简体", Pt(22))}
    assert title.alignment == number.alignment == WD_ALIGN_PARAGRAPH.CENTER
    assert number.text == "〔2026〕第0001号"
    assert addressee.text == "水务集团有限公司："
    assert faces(rest[0]) == {("仿宋_GB2312", Pt(16))}
    assert rest[0]._p.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"
    normal = document.styles["Normal"]
    assert normal.paragraph_format.line_spacing == Pt(28)
    assert normal.element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    heads = [p for p in document.paragraphs if p.text.startswith("一、")]
    assert faces(heads[0]) == {("黑体", Pt(16))}


def test_each_page_bears_its_number_outside() -> None:
    document = opened(certificate(FACTS))
    assert document.settings.odd_and_even_pages_header_footer
    section = document.sections[0]
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = footer.paragraphs[0]
        assert paragraph.text == "—  —"
        assert "".join(node.text for node in paragraph._p.iter(qn("w:instrText"))) == "PAGE"
        assert paragraph._p.pPr.find(qn("w:ind")).get(qn(f"w:{side}Chars")) == "100"
        assert {size for _face, size in faces(paragraph)} == {Pt(14)}


def test_the_order_of_a_paragraphs_properties_is_the_one_that_word_accepts() -> None:
    order = ["pStyle", "keepNext", "keepLines", "spacing", "ind", "jc"]
    document = opened(certificate(dataclasses.replace(FACTS, is_demo=True)))
    section = document.sections[0]
    parts = (document, section.footer, section.even_page_footer, section.header)
    for paragraph in (p for part in parts for p in part.paragraphs):
        if paragraph._p.pPr is not None:
            names = [child.tag.split("}")[1] for child in paragraph._p.pPr]
            assert names == sorted(names, key=order.index), names


def test_it_says_what_was_promised_what_was_done_and_how_late() -> None:
    text = text_of(certificate(FACTS))
    for stated in (
        "安装总表和分表", "抄表到户", "全部完成", "承诺受益320户；实际受益318户。",
        "首次承诺期限2026年6月1日", "现行期限2026年7月16日", "实际完成日期2026年7月20日", "逾期4天",
        "延期2次，累计45天", "“管网改造”逾期4天", "两户房屋闲置，未装表", "李某某 13800000000",
        "2026年7月22日由张三核实", "2026年8月1日由王五批准", "某市人民政府国有资产监督管理委员会", "（印章）",
    ):  # fmt: skip
        assert stated in text, stated
    assert "按期完成" not in text
    assert "演示" not in text


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    bare = dataclasses.replace(
        FACTS,
        promised="", promised_reach="", reached="", first_promised_on=None, due_on=None, extensions=0,
        late_milestones=[], cancelled_milestones=["路面恢复"], shortfall="", follow_up="", issuer="",
    )  # fmt: skip
    text = text_of(certificate(bare))
    for stated in (
        "未填写承诺事项",
        "未填写受益数量",
        "未填报实际受益数量",
        "未设项目完成期限",
        "未办理延期",
    ):
        assert stated in text, stated
    assert "“路面恢复”" in text
    assert "按期完成" not in text
    in_time = dataclasses.replace(FACTS, completed_on=FACTS.due_on)
    assert "按期完成" in text_of(certificate(in_time))


def test_demonstration_data_is_marked_on_every_page() -> None:
    document = opened(certificate(dataclasses.replace(FACTS, is_demo=True)))
    assert "演示数据" in document.paragraphs[0].text
    section = document.sections[0]
    assert section.header.paragraphs[0].text == section.even_page_header.paragraphs[0].text == "演示数据"


def test_control_characters_do_not_make_a_file_that_no_word_opens() -> None:
    text = text_of(certificate(dataclasses.replace(FACTS, achieved="管\x0b沟\x00\ud800开挖\ufffe")))
    assert "管" in text
    assert "开挖" in text


@pytest.fixture
def world(today: datetime.date) -> dict[str, Any]:
    root = factories.sasac()
    group = factories.enterprise(parent=root)
    project = factories.project(
        group, factories.programme(root, starts_on=datetime.date(2026, 1, 1)), due_on=today, measures="抄表到户", approved_on=datetime.date(2026, 1, 5),
        beneficiaries_number=320, beneficiaries_unit="户",
    )  # fmt: skip
    done = {"state": "accepted", "percent": 100, "claimed_on": today + DAY, "accepted_on": today + DAY}
    factories.milestone(project, today - DAY * 3, **done)
    return {
        "root": root,
        "project": project,
        "officer": factories.user("officer", group),
        "staff": factories.user("staff", root),
        "chief": factories.user("staff", root),
        "leader": factories.user("leader", root),
        "stranger": factories.user("officer", factories.enterprise("燃气集团", parent=root)),
        "elsewhere": factories.user("staff", factories.sasac("外市国资委")),
    }


def approved(world: dict, on: datetime.date) -> CloseOut:
    row = factories.close_out(
        world["project"], world["officer"], on, beneficiaries_reached=318, beneficiaries_unit="户",
        completed_on=on,
    )  # fmt: skip
    for action, who in (("verify", "staff"), ("approve", "chief")):
        decide(
            kind=CloseOut, pk=row.pk, action=action, actor=world[who], at=moment(on + DAY), comment="现场核实"
        )
    row.refresh_from_db()
    return row


@pytest.mark.django_db
def test_the_certificate_of_an_approved_close_out_states_its_facts(world: dict, today: datetime.date) -> None:
    row = approved(world, today + DAY)
    response = client_of(world["leader"]).get(f"/projects/closeout/{row.pk}/certificate/")
    assert response.status_code == 200
    assert response.headers["Content-Type"].endswith("wordprocessingml.document")
    name = quote("民生项目销号证明〔2026〕第0001号.docx")
    assert response.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    text = text_of(response.content)
    for stated in (
        "〔2026〕第0001号", "抄表到户", "承诺受益320户；实际受益318户。", "逾期1天", "逾期4天",
        world["root"].name, world["staff"].name, world["chief"].name, "2026年6月12日",
    ):  # fmt: skip
        assert stated in text, stated


@pytest.mark.django_db
def test_there_is_no_certificate_before_the_approval_and_none_behind_the_wall(
    world: dict, today: datetime.date
) -> None:
    row = factories.close_out(world["project"], world["officer"], today + DAY)
    url = f"/projects/closeout/{row.pk}/certificate/"
    assert client_of(world["staff"]).get(url).status_code == 302
    for action, who in (("verify", "staff"), ("approve", "chief")):
        decide(kind=CloseOut, pk=row.pk, action=action, actor=world[who], at=moment(today + DAY), comment="")
    for who, status in {
        "officer": 200,
        "staff": 200,
        "leader": 200,
        "stranger": 302,
        "elsewhere": 302,
    }.items():
        assert client_of(world[who]).get(url).status_code == status, who


@pytest.mark.django_db
def test_without_an_issuer_of_the_programme_the_top_of_the_tree_signs(
    world: dict, today: datetime.date
) -> None:
    Programme.objects.update(owner=None)
    row = approved(world, today + DAY)
    url = f"/projects/closeout/{row.pk}/certificate/"
    for who in ("leader", "officer"):
        assert world["root"].name in text_of(client_of(world[who]).get(url).content)


@pytest.mark.django_db
def test_a_certificate_stays_after_the_project_was_reopened(world: dict, today: datetime.date) -> None:
    row = approved(world, today + DAY)
    change_status(
        project_id=world["project"].pk,
        action="reopen",
        actor=world["staff"],
        as_of=today + DAY * 2,
        reason="复查",
    )
    assert client_of(world["leader"]).get(f"/projects/closeout/{row.pk}/certificate/").status_code == 200
