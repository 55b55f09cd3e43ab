"""Amounts keep their unit and say when they are rough; credit codes are checked by the one rule there is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.importing.numbers import check_credit_code, read_amount


@pytest.mark.parametrize(
    ("value", "number", "unit", "codes"),
    [
        (2000, "2000", "", []),
        (2000.5, "2000.5", "", []),
        ("2000", "2000", "", []),
        ("45741户", "45741", "户", []),
        ("２０００户", "2000", "户", []),
        ("1,234.5万元", "1234.5", "万元", []),
        ("46500元", "46500", "元", []),
        ("37万农村居民", "370000", "农村居民", []),
        ("一千二百户", "1200", "户", []),
        ("500户（1200人）", "500", "户", []),
        ("约2000户", "2000", "户", ["NUMBER_APPROX"]),
        ("2千余人", "2000", "人", ["NUMBER_APPROX"]),
        ("2000余户", "2000", "户", ["NUMBER_APPROX"]),
        ("近2.3万户", "23000", "户", ["NUMBER_APPROX"]),
        ("3900户以上", "3900", "户", ["NUMBER_APPROX"]),
        ("3000多万元", "3000", "万元", ["NUMBER_APPROX"]),
        ("约55.84亿元", "55.84", "亿元", ["NUMBER_APPROX"]),
        ("三百多人", "300", "人", ["NUMBER_APPROX"]),
        ("三万人?", "30000", "人", ["NUMBER_APPROX"]),
        ("70多户300多人", None, "", ["INVALID_NUMBER"]),
        ("50-60户", None, "", ["INVALID_NUMBER"]),
        ("2021年7月", None, "", ["INVALID_NUMBER"]),
        ("若干", None, "", ["INVALID_NUMBER"]),
        (-5, None, "", ["INVALID_NUMBER"]),
        (True, None, "", ["INVALID_NUMBER"]),
        (float("inf"), None, "", ["INVALID_NUMBER"]),
        ("", None, "", []),
        (None, None, "", []),
    ],
)
def test_an_amount_is_read_with_its_unit(value, number, unit, codes):
    amount = read_amount(value)
    assert amount.value == (None if number is None else Decimal(number))
    assert amount.unit == unit
    assert [found.code for found in amount.findings] == codes


@given(
    st.text()
    | st.text("0123456789,.约余多千万亿元户人一二三百（）()?-", max_size=12)
    | st.floats()
    | st.integers()
)
def test_no_cell_raises_and_no_amount_is_negative(value):
    amount = read_amount(value)
    assert amount.value is None or 0 <= amount.value < Decimal(10) ** 20


def test_a_credit_code_is_checked_by_its_check_character():
    assert not check_credit_code("91350100M000100Y43")
    assert not check_credit_code(" 91350100-m000100y43 ")
    assert [found.code for found in check_credit_code("91350100M000100Y44")] == ["INVALID_USCC"]
    assert [found.code for found in check_credit_code("123")] == ["INVALID_USCC"]
