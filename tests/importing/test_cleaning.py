"""Texts of a ledger are made fit to read, and what was done to them is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.importing.cleaning import clean, machine_form, matching_key, shortened


@pytest.mark.parametrize(
    ("raw", "text", "codes"),
    [
        ("城市供水管网改造（一期）：测试，完成；", "城市供水管网改造（一期）：测试，完成；", ()),
        ("２０２１年ＡＢ", "2021年AB", ("FULLWIDTH_NORMALISED",)),
        ("张　三", "张 三", ("FULLWIDTH_NORMALISED",)),
        ("管\u200b网\ufeff改\xad造", "管网改造", ("INVISIBLE_REMOVED",)),
        ("abc\u202edef", "abcdef", ("INVISIBLE_REMOVED",)),
        ("管网\xa0改造", "管网 改造", ("INVISIBLE_REMOVED",)),
        ("  管网改造\n", "管网改造", ("WHITESPACE_TRIMMED",)),
        ("自來水改造項目", "自来水改造项目", ("TRADITIONAL_CONVERTED",)),
        ("完成，，推进。。", "完成，推进。", ("TEXT_NOISE_CLEANED",)),
        ("管网  改造", "管网 改造", ("TEXT_NOISE_CLEANED",)),
        ("⼀期⼯程", "一期工程", ("TEXT_NOISE_CLEANED",)),
        ("a\x00\ud800b", "ab", ("INVISIBLE_REMOVED",)),
        ("第一行\r\n第二行", "第一行\n第二行", ()),
        ("", "", ()),
    ],
)
def test_a_text_is_cleaned_and_every_change_has_its_code(raw, text, codes):
    assert clean(raw) == (text, codes)


@pytest.mark.parametrize(
    "text",
    ["乾县供水工程", "后勤", "① 招标 ② 开工", "面积 20㎡", "项目Ⅱ期", "……", "《办法》——试行", "周某某著"],
)
def test_simplified_texts_and_chinese_signs_stay_as_they_are(text):
    assert clean(text).text is text


@pytest.mark.parametrize("text", ["＝SUM（A1）", "＋1", "－附件", "＠all"])
def test_a_sign_that_would_be_a_formula_when_narrow_stays_wide(text):
    assert clean(text).text[0] == text[0]


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    once = clean(text).text
    assert clean(once).text == once


@given(st.text())
def test_no_code_is_given_when_nothing_was_changed(text):
    cleaned = clean(text)
    if cleaned.codes:
        assert cleaned.text != text


@given(st.text())
def test_a_cleaned_text_can_be_stored(text):
    cleaned = clean(text).text
    assert "\x00" not in cleaned
    cleaned.encode()


def test_rules_read_one_form_of_all_spellings():
    assert machine_form("２０２１ 年 ７月—８月") == machine_form("2021年7月－8月") == "2021年7月-8月"
    assert machine_form("2021 7 31") == "2021 7 31"
    assert matching_key("东莞市水务集团（一期）") == matching_key(" 东莞市水務集團 (一期)")


def test_a_long_text_is_shortened_for_a_finding():
    assert len(shortened("长" * 500)) == 60
