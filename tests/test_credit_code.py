"""The unified social credit code: what GB 32100-2015 promises, and where its promise ends."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enterprises.credit_code import (
    ALPHABET,
    LENGTH,
    check_character,
    is_valid,
    normalise,
    organisation_code_is_consistent,
)

# The worked example that accompanies GB 32100-2015: the weighted sum is 1640, the check is 3.
WORKED_EXAMPLE = "91350100M000100Y43"

characters = st.sampled_from(ALPHABET)
first_seventeen = st.tuples(
    st.text(characters, min_size=2, max_size=2),
    st.text(st.sampled_from("0123456789"), min_size=6, max_size=6),
    st.text(characters, min_size=9, max_size=9),
).map("".join)
valid_codes = first_seventeen.map(lambda first17: first17 + check_character(first17))


def swapped(code: str, left: int, right: int) -> str:
    letters = list(code)
    letters[left], letters[right] = letters[right], letters[left]
    return "".join(letters)


def check_agrees(code: str) -> bool:
    """The check character alone, without the rule that positions 3-8 are digits."""
    return check_character(code[:-1]) == code[-1]


def test_the_alphabet_has_31_characters_and_none_that_is_misread():
    assert len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set("IOSVZ")


def test_the_worked_example_of_the_standard_is_valid():
    assert check_character(WORKED_EXAMPLE[:-1]) == "3"
    assert is_valid(WORKED_EXAMPLE)
    assert organisation_code_is_consistent(WORKED_EXAMPLE)


def test_a_remainder_of_zero_gives_the_character_zero():
    assert check_character("0" * 17) == "0"


@given(valid_codes)
def test_a_code_with_its_computed_check_character_is_valid(code):
    assert is_valid(code)


@given(first_seventeen)
def test_the_eighteen_values_sum_to_zero_modulo_31(first17):
    total = sum(ALPHABET.index(c) * 3**i for i, c in enumerate(first17))
    assert (total + ALPHABET.index(check_character(first17))) % 31 == 0


@given(valid_codes)
def test_every_substitution_of_one_character_is_found(code):
    for position in range(LENGTH):
        for other in ALPHABET:
            if other != code[position]:
                wrong = code[:position] + other + code[position + 1 :]
                assert not check_agrees(wrong)
                assert not is_valid(wrong)


@given(valid_codes)
def test_every_exchange_of_two_different_characters_is_found_but_first_with_last(code):
    for left in range(LENGTH):
        for right in range(left + 1, LENGTH):
            if code[left] != code[right] and (left, right) != (0, LENGTH - 1):
                assert not check_agrees(swapped(code, left, right))
                assert not is_valid(swapped(code, left, right))


@given(valid_codes)
def test_the_exchange_of_the_first_and_the_last_character_is_never_found(code):
    assume(code[0] != code[-1])
    assert is_valid(swapped(code, 0, LENGTH - 1))


@pytest.mark.parametrize("letter", "IOSVZ")
@pytest.mark.parametrize("position", [0, 9, 17])
def test_a_letter_outside_the_alphabet_is_not_valid(letter, position):
    assert not is_valid(WORKED_EXAMPLE[:position] + letter + WORKED_EXAMPLE[position + 1 :])


def test_a_letter_in_the_administrative_division_is_not_valid():
    first17 = "91A50100M000100Y4"
    assert not is_valid(first17 + check_character(first17))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9",
        WORKED_EXAMPLE[:-1],
        WORKED_EXAMPLE + "3",
        WORKED_EXAMPLE.lower(),
        "９" * 18,
        "٣" * 18,
    ],
)
def test_anything_but_eighteen_characters_of_the_alphabet_is_not_valid(text):
    assert not is_valid(text)


@given(st.text())
def test_no_text_makes_the_checks_fail_with_an_error(text):
    is_valid(text)
    organisation_code_is_consistent(text)
    organisation_code_is_consistent(text[:18].ljust(18, "0"))
    normalise(text)


@given(st.text(st.sampled_from("0123456789abcxyzIOSVZ０９ＡＺａｚ -－—　\t\u200b")))
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "written",
    [
        "91350100m000100y43",
        " 9135 0100 M000 100Y 43\n",
        "91350100-M000100Y4-3",
        "９１３５０１００Ｍ０００１００Ｙ４３",
        "\ufeff91350100\u3000M000100Y43\u200b",
    ],
)
def test_normalise_brings_the_usual_spellings_to_one(written):
    assert normalise(written) == WORKED_EXAMPLE


def test_normalise_does_not_guess_a_digit_for_a_letter():
    assert normalise("9135O1OOM") == "9135O1OOM"


@pytest.mark.parametrize("first17", ["", "0" * 16, "0" * 18, "0" * 16 + "I", "0" * 16 + "a"])
def test_check_character_refuses_what_is_not_seventeen_characters_of_the_alphabet(first17):
    with pytest.raises(ValueError, match=r"17 characters|not a character"):
        check_character(first17)


@pytest.mark.parametrize(
    ("organisation", "consistent"),
    [
        ("M000100Y4", True),
        ("M000100Y5", False),
        ("000000000", True),  # a remainder of 0 is written 0
        ("10000001X", False),
        ("00000006X", True),  # a check value of 10 is written X
    ],
)
def test_the_organisation_code_inside_has_its_own_check(organisation, consistent):
    assert organisation_code_is_consistent("91350100" + organisation + "0") is consistent


def test_the_organisation_check_cannot_tell_letters_eleven_apart():
    assert organisation_code_is_consistent("91350100M000100Y40")
    assert organisation_code_is_consistent("91350100B000100Y40")
