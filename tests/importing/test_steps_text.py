"""Milestones in one cell: each part with a date is a step, what cannot be read says so, prose has none."""

import pytest

from projects.importing.dates import DateContext
from projects.importing.steps_text import read_steps

IN_2021 = DateContext(programme_year=2021)


def told(text):
    return [
        (step.name, step.starts_on and f"{step.starts_on:%m-%d}", step.due_on and f"{step.due_on:%m-%d}")
        for step in read_steps(text, IN_2021)
    ]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            "3-4月:招标 5月底:开工 9月-12月:施工",
            [("招标", "03-01", "04-30"), ("开工", None, "05-31"), ("施工", "09-01", "12-31")],
        ),
        ("①3月底前完成招标；②6月底前开工", [("完成招标", None, "03-31"), ("开工", None, "06-30")]),
        ("1.3月底前完成招标 2.6月底前开工", [("完成招标", None, "03-31"), ("开工", None, "06-30")]),
        (
            "第一季度：摸底调查；第二季度：方案设计",
            [("摸底调查", None, "03-31"), ("方案设计", None, "06-30")],
        ),
        ("2021年3月 招标\n2021年5月 开工", [("招标", None, "03-31"), ("开工", None, "05-31")]),
        ("招标（3月底）、开工（5月底）", [("招标", None, "03-31"), ("开工", None, "05-31")]),
        ("3月招标5月开工", [("招标", None, "03-31"), ("开工", None, "05-31")]),
        ("1-3月招标,4-6月施工", [("招标", "01-01", "03-31"), ("施工", "04-01", "06-30")]),
        ("3月：招标，签约；5月：开工", [("招标，签约", None, "03-31"), ("开工", None, "05-31")]),
        ("方案设计:3月31日；施工:4月1日-9月30日", [("方案设计", None, "03-31"), ("施工", "04-01", "09-30")]),
        ("三月底前完成一号楼招标；年底前竣工", [("完成一号楼招标", None, "03-31"), ("竣工", None, "12-31")]),
        ("4月起:施工；12月底:竣工", [("施工", "04-01", None), ("竣工", None, "12-31")]),
    ],
)
def test_steps_are_found_with_their_dates(text, steps):
    assert told(text) == steps


@pytest.mark.parametrize(
    "text",
    [
        "加强党建引领，服务群众",
        "计划2021年底前建成并投入使用",
        "项目已于3月启动，因疫情推迟到5月。",
        "",
        "无",
        "服务群众；加强管理",
    ],
)
def test_plain_prose_has_no_steps(text):
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("2月30日:招标；5月底:开工", "招标"),
        ("3月底前招标；节前完工", "节前完工"),
        ("3月底前招标；尽快开工", "尽快开工"),
        ("3月底前招标；12月前竣工", "竣工"),
    ],
)
def test_a_part_that_cannot_be_read_is_not_dropped(text, unread):
    steps = read_steps(text, IN_2021)
    assert len(steps) == 2
    (lost,) = [step for step in steps if step.due_on is None]
    assert lost.name == unread
    assert "MILESTONE_UNREAD" in [found.code for found in lost.findings]


def test_a_very_long_list_is_cut_and_says_so():
    steps = read_steps("\n".join(f"{month % 12 + 1}月:第{month}步" for month in range(200)), IN_2021)
    assert "MILESTONE_UNREAD" in [found.code for found in steps[-1].findings]
