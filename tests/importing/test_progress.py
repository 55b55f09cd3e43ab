"""Progress as people write it becomes a percentage only where one stands in the cell."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.importing.findings import words
from projects.importing.progress import read_progress


def read(value, is_percent=False):
    reading = read_progress(value, is_percent)
    return (None if reading.pct is None else float(reading.pct)), {found.code for found in reading.findings}


@pytest.mark.parametrize(
    ("value", "pct", "codes"),
    [
        (80, 80, set()),
        ("80", 80, set()),
        ("80%", 80, set()),
        ("８０％", 80, set()),
        ("100", 100, set()),
        (0, 0, set()),
        ("0", 0, set()),
        ("0.5%", 0.5, set()),
        (33.3333, 33.33, set()),
        ("百分之八十", 80, set()),
        ("百分之六十七点五", 67.5, set()),
        (0.8, 80, {"PERCENT_FRACTION"}),
        ("0.8", 80, {"PERCENT_FRACTION"}),
        (1, None, {"AMBIGUOUS_PERCENT"}),
        (1.0, None, {"AMBIGUOUS_PERCENT"}),
        ("1", None, {"AMBIGUOUS_PERCENT"}),
        ("约八成", 80, {"PROGRESS_APPROX"}),
        ("八成", 80, {"PROGRESS_APPROX"}),
        ("近九成", 90, {"PROGRESS_APPROX"}),
        ("八成五", 85, {"PROGRESS_APPROX"}),
        ("80%左右", 80, {"PROGRESS_APPROX"}),
        ("超过80%", 80, {"PROGRESS_APPROX"}),
        ("80%-90%", 80, {"PROGRESS_APPROX"}),
        ("39/40", 97.5, {"PROGRESS_FROM_RATIO"}),
        ("39／40户", 97.5, {"PROGRESS_FROM_RATIO"}),
        ("三分之二", 66.67, {"PROGRESS_FROM_RATIO"}),
        ("120%", 100, {"PERCENT_OVER_100"}),
        (150, 100, {"PERCENT_OVER_100"}),
        ("完成80%", 80, {"PROGRESS_FROM_TEXT"}),
        ("已完成工程量的80%", 80, {"PROGRESS_FROM_TEXT"}),
        ("截至6月30日完成投资6.8亿元,完成率57.6%", 57.6, {"PROGRESS_FROM_TEXT"}),
        ("已经完成80%左右", 80, {"PROGRESS_APPROX", "PROGRESS_FROM_TEXT"}),
        ("过半", None, {"PROGRESS_TEXT_ONLY"}),
        ("大部分", None, {"PROGRESS_TEXT_ONLY"}),
        ("清表和场地平整基本完成", None, {"PROGRESS_TEXT_ONLY"}),
        ("群众满意率98%", None, {"PROGRESS_TEXT_ONLY"}),
        ("计划完成80%", None, {"PROGRESS_TEXT_ONLY"}),
        ("甲标段完成80%，乙标段完成30%", None, {"PROGRESS_TEXT_ONLY"}),
        ("abc", None, {"INVALID_PERCENT"}),
        ("已完成", None, {"INVALID_PERCENT"}),
        (-5, None, {"INVALID_PERCENT"}),
        ("-5%", None, {"INVALID_PERCENT"}),
        ("3/0", None, {"INVALID_PERCENT"}),
        ("2021/7", None, {"INVALID_PERCENT"}),
        (44408, None, {"INVALID_PERCENT"}),
        (True, None, {"INVALID_PERCENT"}),
        (float("nan"), None, {"INVALID_PERCENT"}),
        (float("inf"), None, {"INVALID_PERCENT"}),
        (datetime.date(2021, 1, 2), None, {"INVALID_PERCENT"}),
        ("—", None, set()),
        ("", None, set()),
        (None, None, set()),
    ],
)
def test_progress_is_read_as_the_rules_say(value, pct, codes):
    assert read(value) == (pct, codes)


def test_a_cell_shown_as_a_percentage_is_one():
    assert read(0.8, True) == (80, set())
    assert read(1.0, True) == (100, set())
    assert read(1, True) == (100, set())
    assert read(0, True) == (0, set())
    assert read(1.2, True) == (100, {"PERCENT_OVER_100"})
    assert read(80, True) == (None, {"INVALID_PERCENT"})  # shown as 8000%


def test_words_are_kept_beside_the_number():
    assert read_progress("已完成工程量的80%").text == "已完成工程量的80%"
    assert read_progress("过半").text == "过半"
    assert read_progress("80%").text == ""


@given(
    st.text()
    | st.text("0123456789.%/约成半百分之八九完-", max_size=8)
    | st.floats()
    | st.integers()
    | st.dates(),
    st.booleans(),
)
def test_no_cell_raises_and_no_percentage_leaves_its_bounds(value, is_percent):
    pct = read_progress(value, is_percent).pct
    assert pct is None or (0 <= pct <= 100 and pct == pct.quantize(Decimal("0.01")))


@given(
    st.text(
        st.characters(
            exclude_categories=("Nd", "No", "Nl"), exclude_characters="零〇一二三四五六七八九十百半廿卅"
        )
    )
)
def test_without_a_number_there_is_no_percentage(text):
    assert read_progress(text).pct is None


@pytest.mark.parametrize(
    "value", ["1", "0.8", "约八成", "39/40", "120%", "过半", "abc", "完成80%", "群众满意率98%"]
)
def test_every_finding_can_be_put_into_words(value):
    """A percent sign in the words must not be taken for a place of a parameter."""
    for found in read_progress(value).findings:
        assert words(found)
