"""Names of the kinds of notices about projects, as they are kept in rows (`projects.telling` has their words)."""

from __future__ import annotations

DUE = "due"
OVERDUE = "overdue"
REMINDER = "reminder"
DECISION = "decision"
INSTRUCTION = "instruction"
ANSWER = "answer"
ITEM_OVERDUE = "item_overdue"
