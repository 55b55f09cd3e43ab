"""Versions of a programme's light policy, kept by the database.

Thresholds may be set by the sandbox page, a script or raw SQL; whichever it was, the light of a day must
be traceable to the thresholds of that day. So the programme's own triggers count and keep the versions.
"""

from __future__ import annotations

import pgtrigger

#: The columns that make up a policy (`projects.lights.LightPolicy`).
POLICY_COLUMNS = ("warning_days", "yellow_gap", "red_gap", "red_fades", "reporting_cycle")


def policy_is_numbered() -> pgtrigger.Trigger:
    """Counts the version up whenever a threshold changes, and only then."""
    old, new = (", ".join(f"{row}.{name}" for name in POLICY_COLUMNS) for row in ("OLD", "NEW"))
    return pgtrigger.Trigger(
        name="policy_is_numbered",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(*POLICY_COLUMNS, "policy_number"),
        func=f"""
            NEW.policy_number := OLD.policy_number;
            IF ROW({new}) IS DISTINCT FROM ROW({old}) THEN
                NEW.policy_number := OLD.policy_number + 1;
                -- A version without its own day began today; one without its own words has none.
                IF NEW.policy_since IS NOT DISTINCT FROM OLD.policy_since
                        AND NEW.policy_reason IS NOT DISTINCT FROM OLD.policy_reason THEN
                    NEW.policy_since := (now() AT TIME ZONE 'Asia/Shanghai')::date;
                    NEW.policy_reason := '';
                    NEW.policy_by_id := NULL;
                END IF;
            END IF;
            RETURN NEW;
        """,
    )


def policy_is_kept() -> pgtrigger.Trigger:
    """Writes each version down in `LightPolicyVersion`."""
    columns = ", ".join(POLICY_COLUMNS)
    values = ", ".join(f"NEW.{name}" for name in POLICY_COLUMNS)
    return pgtrigger.Trigger(
        name="policy_is_kept",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(*POLICY_COLUMNS, "policy_number"),
        func=f"""
            INSERT INTO projects_lightpolicyversion
                (programme_id, number, since, {columns}, reason, made_by_id, made_at)
            VALUES (NEW.id, NEW.policy_number, NEW.policy_since, {values},
                NEW.policy_reason, NEW.policy_by_id, now())
            ON CONFLICT (programme_id, number) DO NOTHING;
            RETURN NULL;
        """,
    )
