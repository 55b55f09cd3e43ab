"""Whatever stands in a cell: nothing raises, and no date comes out that does not stand in it."""

import calendar
import datetime
import re

from hypothesis import example, given
from hypothesis import strategies as st

from projects.importing.cleaning import machine_form
from projects.importing.date_places import places
from projects.importing.date_words import with_digits
from projects.importing.dates import DateContext, read_deadline, read_start
from projects.importing.steps_text import read_steps

IN_2021 = DateContext(programme_year=2021)
pieces = st.lists(
    st.sampled_from(
        [
            "2021",
            "年",
            "月",
            "日",
            "号",
            "7",
            "31",
            "2",
            "30",
            "12",
            "13",
            ".",
            "-",
            "/",
            "~",
            "至",
            "前",
            "底",
            "上旬",
            "中旬",
            "下旬",
            "初",
            "中",
            "末",
            "季度",
            "第",
            "Q",
            "三",
            "十二",
            "二〇二一",
            "元",
            "次年",
            "明年",
            "今年",
            "年底",
            "长期",
            "起",
            "后",
            "国庆",
            "春节",
            "(",
            ")",
            "、",
            "，",
            "；",
            ":",
            "约",
            "完成",
            "开工",
            "原定",
            "周六",
            "18:00",
            "0",
            "99",
            "20210731",
            "202107",
            "44408",
            "〇",
            "半年",
            "上",
            "个工作日",
            "到",
        ]
    )
    | st.just(" "),
    max_size=9,
).map("".join)
values = (
    st.text()
    | pieces
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)
days = st.dates(datetime.date(2017, 1, 1), datetime.date(2025, 12, 31))


@given(values, st.sampled_from([IN_2021, DateContext(), DateContext(2021, 2022, True), DateContext(1)]))
def test_no_cell_however_odd_raises(value, context):
    for reading in (read_deadline(value, context), read_start(value, context)):
        assert (reading.on is not None) == (reading.kind == "date")
        assert not reading.candidates or reading.kind == "ambiguous"


@given(pieces)
@example("国庆国庆")
def test_a_month_comes_out_only_when_it_stands_in_the_text(text):
    """Its number stands there, or a word for a longer period whose end it is."""
    reading = read_deadline(text, IN_2021)
    if reading.kind != "date":
        return
    form = with_digits(machine_form(text))
    numbers = {int(number) for number in re.findall(r"\d+", form)}
    is_named = reading.on.month in numbers or bool(re.search("季|半年|年|Q", form))
    is_packed = bool(re.search(r"\d{5,8}", form))
    assert is_named or is_packed


@given(pieces)
def test_the_deadline_never_lies_before_the_start_of_the_same_text(text):
    deadline, start = read_deadline(text, IN_2021), read_start(text, IN_2021)
    if deadline.on and start.on:
        assert deadline.on >= start.on


@given(
    st.text(
        st.characters(
            exclude_categories=("Nd", "No", "Nl"),
            exclude_characters="年月日季旦节〇零○一二三四五六七八九十廿卅百",
        )
    )
)
def test_without_a_number_or_a_word_of_the_calendar_there_is_no_date(text):
    assert read_deadline(text, IN_2021).kind in ("none", "ambiguous", "open_ended")


@given(
    st.integers(1, 12),
    st.integers(1, 31),
    st.sampled_from(["2021年{}月{}日", "2021-{}-{}", "2021.{}.{}", "2021/{}/{}", "{}月{}日"]),
)
def test_a_day_is_read_exactly_or_refused(month, day, form):
    reading = read_deadline(form.format(month, day), IN_2021)
    if day <= calendar.monthrange(2021, month)[1]:
        assert reading.on == datetime.date(2021, month, day)
    else:
        assert (reading.kind, reading.on) == ("invalid", None)


_WIDE = str.maketrans("0123456789.-/()", "０１２３４５６７８９．－／（）")


@given(pieces)
def test_full_width_signs_mean_the_same(text):
    assert read_deadline(text.translate(_WIDE), IN_2021).kind == read_deadline(text, IN_2021).kind
    assert read_deadline(text.translate(_WIDE), IN_2021).on == read_deadline(text, IN_2021).on


@given(days, st.data())
def test_blanks_between_the_words_and_invisible_signs_anywhere_mean_nothing(day, data):
    words = [str(day.year), "年", str(day.month), "月", str(day.day), "日"]
    blanks = st.sampled_from(["", " ", "\u3000", "\xa0", "\n"])
    spaced = "".join(word + data.draw(blanks) for word in words)
    position = data.draw(st.integers(0, len(spaced)))
    assert read_deadline(spaced[:position] + "\u200b" + spaced[position:], IN_2021).on == day


@given(days)
def test_a_date_written_by_the_portal_comes_back(day):
    for written in (day.isoformat(), f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", day):
        assert read_deadline(written, IN_2021).on == read_start(written, IN_2021).on == day


@given(st.text() | pieces)
def test_steps_never_raise_and_never_invent_a_date(text):
    for step in read_steps(text, IN_2021):
        assert step.due_on is not None or step.findings


@given(st.text() | pieces)
def test_places_lie_within_the_text_and_do_not_overlap(text):
    last = 0
    for begin, end in places(text, 2021):
        assert last <= begin <= end <= len(text)
        last = end
