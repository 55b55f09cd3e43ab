"""Deadlines and starts are read as the ledger rules say, line by line; what is not certain is asked about."""

import datetime

import pytest

from projects.importing.date_words import WHY
from projects.importing.dates import DateContext, read_deadline, read_start

IN_2021 = DateContext(programme_year=2021)


def codes(reading):
    return {found.code for found in reading.findings}


def iso(day):
    return day.isoformat() if day else None


@pytest.mark.parametrize(
    ("value", "deadline", "start"),
    [
        ("2021年7月", "2021-07-31", "2021-07-01"),
        ("2021年7月底(前)", "2021-07-31", "2021-07-31"),
        ("2021年7月底", "2021-07-31", "2021-07-31"),
        ("7月底前", "2021-07-31", "2021-07-31"),
        ("7月底之前", "2021-07-31", "2021-07-31"),
        ("2021.07", "2021-07-31", "2021-07-01"),
        ("2021-07", "2021-07-31", "2021-07-01"),
        ("2021/7", "2021-07-31", "2021-07-01"),
        (2021.07, "2021-07-31", "2021-07-01"),
        (2021.12, "2021-12-31", "2021-12-01"),
        ("2021.1", "2021-01-31", "2021-01-01"),
        ("2021.10", "2021-10-31", "2021-10-01"),
        ("2021年2月上旬", "2021-02-10", "2021-02-01"),
        ("2021年2月中旬", "2021-02-20", "2021-02-11"),
        ("2021年2月下旬", "2021-02-28", "2021-02-21"),
        ("2024年2月下旬", "2024-02-29", "2024-02-21"),
        ("一季度", "2021-03-31", "2021-01-01"),
        ("第二季度", "2021-06-30", "2021-04-01"),
        ("2021年第三季度", "2021-09-30", "2021-07-01"),
        ("四季度", "2021-12-31", "2021-10-01"),
        ("3季度", "2021-09-30", "2021-07-01"),
        ("Q3", "2021-09-30", "2021-07-01"),
        ("2021Q3", "2021-09-30", "2021-07-01"),
        ("三季度末", "2021-09-30", "2021-09-30"),
        ("上半年", "2021-06-30", "2021-01-01"),
        ("下半年", "2021-12-31", "2021-07-01"),
        ("年底", "2021-12-31", "2021-12-31"),
        ("年末", "2021-12-31", "2021-12-31"),
        ("年内", "2021-12-31", "2021-01-01"),
        ("全年", "2021-12-31", "2021-01-01"),
        ("年底前", "2021-12-31", "2021-12-31"),
        ("元月", "2021-01-31", "2021-01-01"),
        ("十二月底", "2021-12-31", "2021-12-31"),
        ("二〇二一年", "2021-12-31", "2021-01-01"),
        ("二〇二一年七月三十一日", "2021-07-31", "2021-07-31"),
        ("二○二一年七月", "2021-07-31", "2021-07-01"),
        ("２０２１年７月３１日", "2021-07-31", "2021-07-31"),
        ("2021 年 7 月", "2021-07-31", "2021-07-01"),
        ("3-12月", "2021-12-31", "2021-03-01"),
        ("11月-次年1月", "2022-01-31", "2021-11-01"),
        ("2021年3月~2022年5月", "2022-05-31", "2021-03-01"),
        ("2021年11月至2022年1月", "2022-01-31", "2021-11-01"),
        ("3月至5月", "2021-05-31", "2021-03-01"),
        ("3月—5月", "2021-05-31", "2021-03-01"),
        ("2021.3-2021.12", "2021-12-31", "2021-03-01"),
        ("2021-03-01至2021-12-31", "2021-12-31", "2021-03-01"),
        ("2021年7月1日-15日", "2021-07-15", "2021-07-01"),
        ("一至三季度", "2021-09-30", "2021-01-01"),
        ("7、8月", "2021-08-31", "2021-07-01"),
        ("10月1日前", "2021-10-01", "2021-10-01"),
        ("7月31号", "2021-07-31", "2021-07-31"),
        ("7月份", "2021-07-31", "2021-07-01"),
        ("2021-7-31", "2021-07-31", "2021-07-31"),
        ("2021.7.31", "2021-07-31", "2021-07-31"),
        ("2021/7/31 0:00:00", "2021-07-31", "2021-07-31"),
        ("2021年7月31日18时前", "2021-07-31", "2021-07-31"),
        ("2021年7月31日(周六)", "2021-07-31", "2021-07-31"),
        ("20210731", "2021-07-31", "2021-07-31"),
        (20210731, "2021-07-31", "2021-07-31"),
        ("202107", "2021-07-31", "2021-07-01"),
        (202107, "2021-07-31", "2021-07-01"),
        (44408, "2021-07-31", "2021-07-31"),
        ("44408", "2021-07-31", "2021-07-31"),
        (44408.75, "2021-07-31", "2021-07-31"),
        ("21.7.31", "2021-07-31", "2021-07-31"),
        ("7.31", "2021-07-31", "2021-07-31"),
        ("明年3月", "2022-03-31", "2022-03-01"),
        ("今年", "2021-12-31", "2021-01-01"),
        ("去年", "2020-12-31", "2020-01-01"),
        ("预计7月底", "2021-07-31", "2021-07-31"),
        ("5月中下旬", "2021-05-31", "2021-05-11"),
        (datetime.date(2021, 7, 31), "2021-07-31", "2021-07-31"),
        (datetime.datetime(2021, 7, 31, 8), "2021-07-31", "2021-07-31"),
    ],
)
def test_a_deadline_is_the_end_and_a_start_the_beginning_of_what_is_said(value, deadline, start):
    assert (read_deadline(value, IN_2021).kind, iso(read_deadline(value, IN_2021).on)) == ("date", deadline)
    assert (read_start(value, IN_2021).kind, iso(read_start(value, IN_2021).on)) == ("date", start)


@pytest.mark.parametrize(
    ("value", "deadline"),
    [
        ("12月底前完成", "2021-12-31"),
        ("已完成(2021.5)", "2021-05-31"),
        ("年中", "2021-06-30"),
        ("年末之前全部完成", "2021-12-31"),
        ("10月份全部建成通水", "2021-10-31"),
        ("计划于5月完成泵房改造并投入使用", "2021-05-31"),
        ("预计2022年1月10日", "2022-01-10"),
        ("20217月下旬", "2021-07-31"),
    ],
)
def test_a_deadline_in_a_sentence_is_found(value, deadline):
    assert iso(read_deadline(value, IN_2021).on) == deadline


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("4月起", "2021-04-01"),
        ("今年4月23日进场施工", "2021-04-23"),
        ("从9月24日起封闭", "2021-09-24"),
        ("7月中旬起意向调查", "2021-07-11"),
        ("2021年元旦起", "2021-01-01"),
        ("12月28日集中开工", "2021-12-28"),
    ],
)
def test_a_start_in_a_sentence_is_found(value, start):
    assert iso(read_start(value, IN_2021).on) == start


@pytest.mark.parametrize("text", ["长期", "长期坚持", "持续推进", "常态化", "每年", "日常", "長期堅持"])
def test_a_standing_duty_is_open_ended(text):
    assert read_deadline(text, IN_2021).kind == "open_ended"
    assert read_deadline(text, IN_2021).on is None


@pytest.mark.parametrize("value", ["待定", "/", "—", "——", "-", "无", "暂无", "", "  ", None, "／"])
def test_nothing_said_is_no_date_and_listed_as_missing(value):
    assert read_deadline(value, IN_2021).kind == "none"
    assert codes(read_deadline(value, IN_2021)) == {"DEADLINE_MISSING"}
    assert read_start(value, IN_2021).kind == "none"
    assert not read_start(value, IN_2021).findings


@pytest.mark.parametrize(
    ("value", "candidates"),
    [
        ("12月前", ["2021-11-30", "2021-12-31"]),
        ("力争8月前", ["2021-07-31", "2021-08-31"]),
        ("国庆前", ["2021-09-30", "2021-10-01"]),
        ("春节前", ["2021-02-11", "2021-02-12", "2022-01-31", "2022-02-01"]),
        ("建党100周年前", ["2021-06-30", "2021-07-01"]),
        (2021.1, ["2021-01-31", "2021-10-31"]),
        ("01/02/21", ["2021-01-02", "2021-02-01"]),
        ("7-8", ["2021-07-08", "2021-08-31"]),
        ("11月-1月", ["2022-01-31"]),
        (7, ["2021-07-31"]),
        (2021, ["2021-12-31"]),
        ("2021年底前，长期坚持", ["2021-12-31"]),
        ("2021年9月开工", ["2021-09-30"]),
        ("12月底(首批区域)", ["2021-12-31"]),
        ("原定7月底", ["2021-07-31"]),
        ("合同后90个工作日", []),
        ("节前", []),
        ("月底", []),
        ("本月底", []),
        ("尽快", []),
        ("抓紧", []),
        ("3年", []),
        ("三个月内", []),
        (True, []),
    ],
)
def test_what_can_be_read_in_several_ways_is_offered_not_chosen(value, candidates):
    reading = read_deadline(value, IN_2021)
    assert (reading.kind, reading.on) == ("ambiguous", None)
    assert [iso(candidate.on) for candidate in reading.candidates] == candidates
    assert "AMBIGUOUS_DEADLINE" in codes(reading)
    assert all(candidate.why in WHY for candidate in reading.candidates)
    assert "AMBIGUOUS_DEADLINE" not in codes(read_start(value, IN_2021))


def test_an_uncertain_start_has_its_own_code():
    assert codes(read_start("12月前", IN_2021)) == {"AMBIGUOUS_START", "YEAR_INFERRED"}


@pytest.mark.parametrize(
    "value",
    ["2021年6月30日、2021年9月30日", "9月完工、10月具备通车条件", "原定年底开工,提前至3月份", "7月8月"],
)
def test_two_dates_in_one_cell_are_asked_about(value):
    reading = read_deadline(value, IN_2021)
    assert reading.kind == "ambiguous"
    assert "MULTI_DATE" in codes(reading)
    assert len(reading.candidates) == 2


@pytest.mark.parametrize(
    "value",
    ["2月30日", "13月", "2021年2月29日", "4月31日", "2021.13", 2021.13, "20211301", 20210230, "5季度", "0月", "7月0日",
     "2021-00-10", "99月", "2021-02-30", -1, float("nan"), float("inf"), datetime.time(8), datetime.timedelta(1)],
)  # fmt: skip
def test_a_day_that_the_calendar_does_not_have_is_refused_and_never_rolled_over(value):
    for reading in (read_deadline(value, IN_2021), read_start(value, IN_2021)):
        assert (reading.kind, reading.on, reading.candidates) == ("invalid", None, ())
        assert codes(reading) == {"INVALID_DATE"}


def test_a_range_that_ends_before_it_begins_is_refused():
    assert codes(read_deadline("2021.12-2021.3", IN_2021)) == {"DEADLINE_BEFORE_START"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("7月", "YEAR_INFERRED"),
        ("明年3月", "YEAR_INFERRED"),
        (2021.07, "NUMERIC_MONTH"),
        (44408, "SERIAL_DATE"),
        ("44408", "SERIAL_DATE"),
        ("20210731", "COMPACT_DATE"),
        (20210731, "COMPACT_DATE"),
        ("21.7.31", "TWO_DIGIT_YEAR"),
        ("21年7月", "TWO_DIGIT_YEAR"),
        ("2021-07-31 18:00", "TIME_DROPPED"),
        (datetime.datetime(2021, 7, 31, 8), "TIME_DROPPED"),
        (44408.5, "TIME_DROPPED"),
        ("2005年末", "IMPLAUSIBLE_YEAR"),
        (datetime.date(1905, 7, 13), "IMPLAUSIBLE_YEAR"),
        ("2201年7月", None),
    ],
)
def test_what_was_assumed_is_said(value, code):
    assert code is None or code in codes(read_deadline(value, IN_2021))


def test_a_plain_date_needs_no_word():
    assert read_deadline("2021年7月31日", IN_2021).findings == ()
    assert read_deadline(datetime.datetime(2021, 7, 31), IN_2021).findings == ()


def test_the_year_comes_from_the_cell_then_the_sheet_then_the_programme():
    context = DateContext(programme_year=2021, sheet_year=2022)
    assert iso(read_deadline("2023年7月", context).on) == "2023-07-31"
    assert iso(read_deadline("7月", context).on) == "2022-07-31"
    assert iso(read_deadline("7月", IN_2021).on) == "2021-07-31"
    nowhere = read_deadline("7月", DateContext())
    assert (nowhere.kind, nowhere.candidates) == ("ambiguous", ())


def test_a_range_in_the_deadline_offers_its_start_and_the_other_way_round():
    deadline, start = read_deadline("3-12月", IN_2021), read_start("3-12月", IN_2021)
    assert iso(deadline.starts_on) == "2021-03-01"
    assert iso(start.until) == "2021-12-31"
    assert iso(read_deadline("2021年4月起长期坚持", IN_2021).starts_on) == "2021-04-01"
    assert read_deadline("2021年4月起长期坚持", IN_2021).kind == "open_ended"
    only_start = read_deadline("4月起", IN_2021)
    assert (only_start.kind, iso(only_start.starts_on)) == ("ambiguous", "2021-04-01")


def test_a_csv_has_no_numbers_so_2021_1_may_have_been_october():
    assert read_deadline("2021.1", DateContext(2021, is_untyped=True)).kind == "ambiguous"
    assert read_deadline("2021.1", IN_2021).kind == "date"


def test_numbers_that_are_equal_but_of_another_kind_are_not_mixed_up():
    assert read_deadline(1, IN_2021).candidates
    assert not read_deadline(True, IN_2021).candidates
