"""The promise first made (`baseline_due_on`), guarded by the database.

Assessment counts from it (按原定时间考核), so no road may move it once the project is approved: not a
form, not a script, not raw SQL.
"""

from __future__ import annotations

import pgtrigger


def baseline_is_kept(approved: str) -> pgtrigger.Trigger:
    """Fills the baseline from the first due date and refuses to move it after approval.

    Args:
        approved: SQL condition on NEW/OLD that is true once the promise stands.
    """
    return pgtrigger.Trigger(
        name="baseline_is_kept",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("baseline_due_on", "due_on"),
        func=f"""
            IF TG_OP = 'INSERT' THEN
                NEW.baseline_due_on := COALESCE(NEW.baseline_due_on, NEW.due_on);
            ELSIF {approved} THEN
                IF OLD.baseline_due_on IS NOT NULL
                        AND NEW.baseline_due_on IS DISTINCT FROM OLD.baseline_due_on THEN
                    RAISE EXCEPTION 'the date first promised never moves after approval'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'baseline_never_moves';
                END IF;
                NEW.baseline_due_on := COALESCE(OLD.baseline_due_on, NEW.due_on);
            ELSE
                -- Not approved yet: the promise is still being made.
                NEW.baseline_due_on := COALESCE(NEW.due_on, NEW.baseline_due_on);
            END IF;
            RETURN NEW;
        """,
    )
