"""SQL made of `projects.lights.RULES`: one CASE that asks them in their order.

Every word that becomes SQL here comes from that table, none from a request; numbers go as parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from projects.lights import NUMBERS, RULES, LightPolicy, Rule, Test

Sql = tuple[str, list[Any]]


def number_case(policy: LightPolicy, facts: str) -> Sql:
    """The position in `RULES` of the first rule that fits.

    Args:
        facts: alias of a row that has a column for each fact of `ProjectFacts.shown`.
    """
    words, params = ["CASE"], []
    for number, rule in enumerate(RULES):
        if rule.is_asked(policy):
            condition, values = _condition(rule, policy, facts)
            words.append(f"WHEN {condition} THEN {number}")
            params += values
    return " ".join([*words, "END"]), params


def light_case(number: str) -> str:
    """The light of the rule whose position is the expression `number`."""
    return f"(ARRAY[{', '.join(repr(rule.light.value) for rule in RULES)}])[{number} + 1]"


def name_case(number: str) -> str:
    """The name of the rule whose position is `number`."""
    return f"(ARRAY[{', '.join(repr(rule.name) for rule in RULES)}])[{number} + 1]"


def reason_case(number: str, facts: str) -> str:
    """The reason as `judge` keeps it, as jsonb."""
    words = [f"CASE {number}"]
    for position, rule in enumerate(RULES):
        words.append(f"WHEN {position} THEN {_reason(rule, facts)}")
    return " ".join([*words, "END"])


def kept_reason_case(number: str, facts: str) -> str:
    """The reason as a project keeps it (`lights.kept`), as jsonb."""
    words = [f"CASE {number}"]
    for position, rule in enumerate(RULES):
        words.append(f"WHEN {position} THEN {_reason(replace(rule, keeps=_kept(rule)), facts)}")
    return " ".join([*words, "END"])


def reason_differs(number: str, facts: str, stored: str) -> str:
    """Whether a project keeps another reason than that.

    Cheaper by half than making the new reason and comparing: on an ordinary day nearly all rows are as they were.

    Args:
        stored: the reason that is stored.
    """
    words = [f"CASE {number}"]
    for position, rule in enumerate(RULES):
        tests = [f"{stored}->>'rule' IS DISTINCT FROM '{rule.name}'"]
        tests += [
            f"{stored}->>'{name}' IS DISTINCT FROM {facts}.{fact}::text" for name, fact in _kept(rule).items()
        ]
        words.append(f"WHEN {position} THEN {' OR '.join(tests)}")
    return " ".join([*words, "END"])


def _kept(rule: Rule) -> dict[str, str]:
    return {name: fact for name, fact in rule.keeps.items() if name not in NUMBERS}


def _reason(rule: Rule, facts: str) -> str:
    if not rule.keeps:
        return f"""'{{"rule": "{rule.name}"}}'::jsonb"""  # a constant is parsed once, not once a row
    kept = ", ".join(f"'{name}', {facts}.{fact}" for name, fact in rule.keeps.items())
    return f"jsonb_build_object('rule', '{rule.name}', {kept})"


def _condition(rule: Rule, policy: LightPolicy, facts: str) -> Sql:
    if not rule.when:
        return "TRUE", []
    words, params = [], []
    for test in rule.when:
        word, values = _test(test, policy, facts)
        words.append(word)
        params += values
    return " AND ".join(words), params


def _test(test: Test, policy: LightPolicy, facts: str) -> Sql:
    if test.operator in ("known", "unknown"):
        return f"{facts}.{test.fact} IS {'NOT ' if test.operator == 'known' else ''}NULL", []
    return f"{facts}.{test.fact} {test.operator} %s", [test.limit(policy)]
