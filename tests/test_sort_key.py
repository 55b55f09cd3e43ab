"""The order of names by pinyin."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pypinyin import Style, lazy_pinyin

from enterprises.sort_key import pinyin_key

DATA = Path(__file__).resolve().parent.parent / "projects" / "data"


def _names() -> list[str]:
    found = []
    for file in ("demo_projects.csv", "dongguan_2021.csv"):
        with (DATA / file).open(encoding="utf-8-sig") as rows:
            found += [row["name"] for row in csv.DictReader(rows)]
    return found


@pytest.mark.parametrize(
    "odd", ["〇一", "A、银行 B", "重庆 ", "䶮𠀀x", "", "TOD(2022年)1、2号线", "长期 调度", "0%"]
)
def test_odd_names_have_the_key_of_the_library(odd: str) -> None:
    assert pinyin_key(odd) == " ".join(lazy_pinyin(odd.strip(), style=Style.NORMAL)).lower()


def test_real_names_have_the_key_of_the_library() -> None:
    names = _names()
    assert len(names) > 100
    for name in names:
        assert pinyin_key(name) == " ".join(lazy_pinyin(name.strip(), style=Style.NORMAL)).lower(), name
