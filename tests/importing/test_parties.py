"""Units are split where people list them; persons are told from their telephones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.importing.parties import read_person, split_units


@pytest.mark.parametrize(
    ("text", "lead", "supporting"),
    [
        ("市水务集团", ["市水务集团"], []),
        ("水务集团、燃气集团；公交集团\n城投集团", ["水务集团", "燃气集团", "公交集团", "城投集团"], []),
        ("牵头单位：水务集团；配合单位：城管局、街道办", ["水务集团"], ["城管局", "街道办"]),
        ("牵头单位:水务集团\n配合单位:城管局\n街道办", ["水务集团"], ["城管局", "街道办"]),
        ("责任单位：水务集团、燃气集团", ["水务集团", "燃气集团"], []),
        ("水务集团（牵头）、燃气集团（配合）", ["水务集团"], ["燃气集团"]),
        ("【牵头单位】水务集团【配合单位】城管局", ["水务集团"], ["城管局"]),
        ("甲公司(下属乙、丙分公司)、丁公司", ["甲公司(下属乙、丙分公司)", "丁公司"], []),
        ("1.甲公司 2.乙公司", ["甲公司", "乙公司"], []),
        ("①甲公司②乙公司", ["甲公司", "乙公司"], []),
        ("甲公司、甲公司、", ["甲公司"], []),
        ("甲（未闭合、乙", ["甲（未闭合", "乙"], []),
        ("协办公司", ["协办公司"], []),
        ("第一党支部、第二党支部", ["第一党支部", "第二党支部"], []),
        ("无", [], []),
        ("", [], []),
    ],
)
def test_units_are_split_and_told_apart_by_their_part(text, lead, supporting):
    assert (list(split_units(text).lead), list(split_units(text).supporting)) == (lead, supporting)


@pytest.mark.parametrize(
    ("text", "persons"),
    [
        ("张三", [("张三", "")]),
        ("张三、李四", [("张三", ""), ("李四", "")]),
        ("张三13800138000", [("张三", "13800138000")]),
        ("张三 138-0013-8000", [("张三", "138-0013-8000")]),
        ("张三（0769-22112233）", [("张三", "0769-22112233")]),
        ("张三 0769-22112233转801", [("张三", "0769-22112233转801")]),
        ("张三13800138000、李四13900139000", [("张三", "13800138000"), ("李四", "13900139000")]),
        ("张三(13800138000)李四(13900139000)", [("张三", "13800138000"), ("李四", "13900139000")]),
        ("责任人：赵六，电话：+86 13800138000", [("赵六", "+86 13800138000")]),
        ("张三22112233", [("张三", "22112233")]),
        ("张三１３８００１３８０００", [("张三", "13800138000")]),
        ("13800138000", [("", "13800138000")]),
        ("李雷（党委书记）", [("李雷（党委书记）", "")]),
        ("无", []),
    ],
)
def test_persons_and_their_telephones(text, persons):
    reading = read_person(text)
    assert [(person.name, person.phone) for person in reading.persons] == persons
    has_phone = any(phone for _name, phone in persons)
    assert [found.code for found in reading.findings] == (["PHONE_IN_PERSON"] if has_phone else [])


@pytest.mark.parametrize("text", ["第3支部书记", "张三20210731", "张三 2021年"])
def test_other_numbers_are_no_telephones(text):
    assert not read_person(text).findings


@given(st.text() | st.text("甲乙牵头配合单位：、；（）【】 1.0138\n", max_size=30))
def test_no_text_raises_and_no_name_is_empty(text):
    parties = split_units(text)
    assert all(name.strip() for name in (*parties.lead, *parties.supporting))
    assert all(person.name or person.phone for person in read_person(text).persons)
