"""The state in words or ticks; what is denied or only nearly so never reads as done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.importing.status import conflict, read_status

WORDS = {
    "done": "已销号 已完成 完成 办结 已办结 竣工 已完工 全部完成 提前完成 超额完成 已完成整改 完成100% 供水管网已完成 已竣工验收",
    "in_progress": "基本完成 部分完成 即将完成 主体完工 完成80% 完成过半 推进中 进行中 有序推进 在建 正在推进 施工中 实施中 正常推进 "
    "已完成招标，正在施工 完成立项 未完成 尚未完工 没有完成 未按期完成 不能完成 已复工 预计6月完成",
    "not_started": "未启动 未开始 尚未启动 待启动 未开工 前期 计划 筹备中 谋划阶段",
    "ongoing": "长期坚持 常态化推进 持续推进",
    "suspended": "暂缓 暂停 已停工",
}


@pytest.mark.parametrize(
    ("status", "text"), [(status, text) for status, texts in WORDS.items() for text in texts.split()]
)
def test_words_of_state(status, text):
    assert read_status(text).status == status


@pytest.mark.parametrize(
    ("sign", "status"),
    [
        ("√", "done"),
        ("✓", "done"),
        ("☑", "done"),
        ("●", "done"),
        ("✔️", "done"),
        ("○", "not_started"),
        ("×", "not_started"),
    ],
)
def test_a_tick_is_read_and_said_to_be_one(sign, status):
    reading = read_status(sign)
    assert (reading.status, [found.code for found in reading.findings]) == (status, ["STATUS_SYMBOL"])


@pytest.mark.parametrize("text", ["滞后", "受阻", "进展缓慢", "推进中（滞后）", "未按期完成"])
def test_words_of_delay_are_noticed(text):
    assert "SELF_REPORTED_DELAY" in [found.code for found in read_status(text).findings]


def test_a_delay_that_is_denied_is_none():
    assert not read_status("推进中，无滞后").findings


@pytest.mark.parametrize("text", ["蓝天", "abc", "红"])
def test_unknown_words_are_asked_about(text):
    reading = read_status(text)
    assert (reading.status, [found.code for found in reading.findings]) == (None, ["UNKNOWN_STATUS"])


@pytest.mark.parametrize("text", ["", "—", "/", "无"])
def test_an_empty_state_is_silence(text):
    assert read_status(text) == read_status("")


@given(
    st.sampled_from(["未", "尚未", "没有", "没", "不能", "无法", "基本", "部分", "即将", "接近"]),
    st.sampled_from(["完成", "完工", "竣工", "办结", "销号", "建成", "交付"]),
)
def test_what_is_denied_or_only_nearly_so_is_not_done(before, word):
    assert read_status(before + word).status != "done"


@given(st.text())
def test_no_text_raises(text):
    reading = read_status(text)
    assert reading.status or not reading.findings or reading.findings[-1].code == "UNKNOWN_STATUS"


def test_state_and_progress_may_contradict_each_other():
    assert conflict("in_progress", 100)
    assert conflict("done", 80)
    assert conflict("not_started", 10)
    assert conflict("suspended", 100)


def test_silence_and_standing_duties_contradict_nothing():
    assert not conflict("in_progress", 80)
    assert not conflict("in_progress", None)
    assert not conflict(None, 100)
    assert not conflict("done", 100)
    assert not conflict("not_started", 0)
    assert not conflict("ongoing", 100)
