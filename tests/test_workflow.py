"""The table of transitions: nothing in it leads nowhere, and every step is held by somebody."""

from __future__ import annotations

import pytest

from enterprises.roles import roles_with
from projects.states import CloseOutState, ExtensionState, MilestoneState, ProjectStatus, ReportState
from projects.workflow import WORKFLOW, Subject, step_of, transition

STATES = {
    Subject.MILESTONE: MilestoneState,
    Subject.REPORT: ReportState,
    Subject.EXTENSION: ExtensionState,
    Subject.CLOSE_OUT: CloseOutState,
    Subject.PROJECT: ProjectStatus,
}
FIRST = {
    Subject.MILESTONE: "not_started",
    Subject.REPORT: "draft",
    Subject.EXTENSION: "draft",
    Subject.CLOSE_OUT: "draft",
    Subject.PROJECT: "not_started",
}


@pytest.mark.parametrize("subject", Subject)
def test_every_state_is_reached_from_the_first_one(subject: Subject) -> None:
    reached = {FIRST[subject]}
    for _round in STATES[subject].values:
        reached |= {s.to_state for s in WORKFLOW[subject] if reached & set(s.from_states)}
    assert reached == set(STATES[subject].values)


@pytest.mark.parametrize("subject", Subject)
def test_steps_name_real_states_and_each_name_once(subject: Subject) -> None:
    known = {*STATES[subject].values, ""}
    names = [step.action for step in WORKFLOW[subject]]
    assert len(names) == len(set(names))
    for step in WORKFLOW[subject]:
        assert {*step.from_states, step.to_state} <= known


def test_a_step_is_either_taken_by_somebody_or_follows_a_step_that_is() -> None:
    for subject, steps in WORKFLOW.items():
        for step in steps:
            assert bool(step.permission) != bool(step.follows), (subject, step.action)
            if step.permission:
                assert roles_with(f"projects.{step.permission}_{subject}"), (subject, step.action)
            for name in step.follows:
                cause, action = name.split(".")
                assert step_of(Subject(cause), action).permission


def test_whatever_refuses_says_why_and_every_review_is_by_another() -> None:
    for steps in WORKFLOW.values():
        for step in steps:
            if step.action in ("return", "reject") and step.permission:
                assert step.comment_needed
            if step.permission in ("review", "approve"):
                assert step.by_another


def test_an_unknown_step_is_none_for_a_page_and_an_error_for_code() -> None:
    assert transition(Subject.PROJECT, "no-such-step") is None
    with pytest.raises(LookupError):
        step_of(Subject.PROJECT, "no-such-step")
