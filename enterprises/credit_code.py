"""The unified social credit code (统一社会信用代码) of an enterprise, per GB 32100-2015.

Eighteen characters: registering department (1), kind of body (2), administrative division
(3-8, digits), organisation code per GB 11714 (9-17), check character (18).

What the check character of GB 32100-2015 finds, and what it cannot find:

- Every substitution of one character is found. The 31 characters stand for the 31 different
  residues modulo the prime 31 and no weight is 0 modulo 31.
- Every exchange of two different neighbouring characters is found, the last pair included,
  because neighbouring weights differ.
- Every exchange of two different characters further apart is found too, except between
  positions 1 and 18. The powers of 3 do not repeat before the 30th, so the weights of
  positions 1 to 17 all differ; the check character counts with weight 1, and so does position 1.
- Two errors at once slip through with a probability of about 1 in 31.

The organisation code inside has a check character of its own, which is weaker; see
``organisation_code_is_consistent``. Pure functions: no clock, no settings, no database.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# GB 32100-2015, table of code characters: I, O, S, V and Z are left out because they are
# easily misread. The position of a character in this string is its value.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18

_MODULUS: Final = 31
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, position, _MODULUS) for position in range(LENGTH - 1))
_DIVISION: Final = slice(2, 8)

# GB 11714: digits count as themselves, A as 10 … Z as 35.
_ORGANISATION: Final = slice(8, 17)
_ORGANISATION_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)

# Spreadsheets and web pages bring these between the groups of a code that people split to read.
_SEPARATORS: Final = frozenset("-‐‑‒–—−_.·")


def normalise(text: str) -> str:
    """Return ``text`` as the standard writes a code: half-width, capitals, no separators.

    Spaces (full-width and invisible ones too), hyphens and dots are dropped. Letters that the
    standard does not use are kept: O for 0 or I for 1 would be a guess, and the check character
    could not tell a right guess from a wrong one. The result is not necessarily valid.
    """
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).upper()
        if character not in _SEPARATORS
        and not character.isspace()
        and unicodedata.category(character) not in ("Cc", "Cf")
    )


def check_character(first17: str) -> str:
    """Return the 18th character for the 17 before it (GB 32100-2015).

    It is the character with the value ``(31 - sum(value_i * weight_i) mod 31) mod 31`` where the
    weight of position i is ``3 ** (i - 1) mod 31``. The outer ``mod 31`` turns the remainder 0
    into the character 0.

    Raises ValueError when there are not exactly 17 characters of the standard's alphabet.
    """
    if len(first17) != LENGTH - 1:
        raise ValueError(f"17 characters are needed, not {len(first17)}")
    total = 0
    for character, weight in zip(first17, _WEIGHTS, strict=True):
        if character not in _VALUES:
            raise ValueError(f"{character!r} is not a character of GB 32100-2015")
        total += _VALUES[character] * weight
    return ALPHABET[-total % _MODULUS]


def is_valid(code: str) -> bool:
    """Say whether ``code`` is a well-formed code with the right check character (GB 32100-2015).

    Expects the normalised form, so lower case and separators are not valid. The organisation code
    inside is judged apart by ``organisation_code_is_consistent``, and whether the enterprise exists
    is a question to the register, not to arithmetic.
    """
    if len(code) != LENGTH or any(character not in _VALUES for character in code):
        return False
    # The alphabet is ASCII, so isdigit cannot let other scripts' digits through here.
    if not code[_DIVISION].isdigit():
        return False
    return check_character(code[:-1]) == code[-1]


def organisation_code_is_consistent(code: str) -> bool:
    """Say whether positions 9-17 of ``code`` carry the right check character of GB 11714.

    The weights are 3, 7, 9, 10, 5, 8, 4, 2 and the check value is ``11 - sum mod 11``, written X
    for 10 and 0 for 11. Letters reach 35 but the modulus is 11, so characters 11 or 22 apart
    (A and L, for example) cannot be told from each other: not every substitution is found.

    Apart from ``is_valid`` on purpose: a mismatch is a reason to look again, while the check
    character of the whole code decides. A text without 18 characters is not consistent.
    """
    if len(code) != LENGTH:
        return False
    organisation = code[_ORGANISATION]
    body, check = organisation[:-1], organisation[-1]
    if any(character not in _ORGANISATION_CHARACTERS for character in body):
        return False
    total = sum(
        _ORGANISATION_CHARACTERS.index(character) * weight
        for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11] == check
