"""Pages of docs/ that are drawn from the code: python -m tools.docs write | check"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"


def roles_page() -> str:
    """docs/roles.md: who may do what, from `enterprises.roles`."""
    from django.utils import translation

    from enterprises.roles import PERMISSIONS, Role, duty_of

    lines = [
        "# Roles",
        "",
        "Drawn from `enterprises/roles.py` by `python -m tools.docs write`;",
        "a test compares. A role is held through a membership at a unit and reaches that unit and everything",
        "below it (`enterprises/scoping.py`). There is no superuser. Roles of different duty exclude each",
        "other for one person at one time, by a constraint of the database.",
        "",
        "| role | 角色 | code | duty |",
        "| --- | --- | --- | --- |",
    ]
    for role in Role:
        with translation.override("zh-hans"):
            chinese = str(role.label)
        with translation.override("en"):
            lines.append(f"| {role.label} | {chinese} | `{role.value}` | {duty_of(role.value)} |")
    everything = sorted(set().union(*PERMISSIONS.values()))
    subjects = sorted({p.split(".")[0] + "." + p.rsplit("_", 1)[1] for p in everything})
    lines += ["", "## Permissions", "", "| on | " + " | ".join(f"`{r.value}`" for r in Role) + " |"]
    lines += ["| --- |" + " --- |" * len(Role)]
    for subject in subjects:
        app, model = subject.split(".")
        cells = []
        for role in Role:
            held = [
                p.split(".")[1].rsplit("_", 1)[0]
                for p in PERMISSIONS[role]
                if p.startswith(app + ".") and p.endswith("_" + model)
            ]
            order = ("view", "add", "change", "delete")
            held.sort(key=lambda a: (order.index(a) if a in order else len(order), a))
            cells.append(" ".join(held))
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def workflow_page() -> str:
    """docs/workflow.md: the steps and their diagrams, from `projects.workflow`."""
    from django.utils import translation

    from projects import states
    from projects.workflow import WORKFLOW, Subject

    words: dict[Subject, Any] = {
        Subject.MILESTONE: states.MilestoneState,
        Subject.REPORT: states.ReportState,
        Subject.EXTENSION: states.ExtensionState,
        Subject.CLOSE_OUT: states.CloseOutState,
        Subject.PROJECT: states.ProjectStatus,
    }
    lines = [
        "# Workflow",
        "",
        "Drawn from `projects/workflow.py`, the only table of transitions, by `python -m tools.docs write`; a",
        "test compares. A step with a permission is taken by a person; one that follows another happens with it,",
        "in the same transaction. Nobody decides on what they handed in or verified themselves.",
    ]
    for subject, steps in WORKFLOW.items():
        lines += ["", f"## {subject}", "", "```mermaid", "stateDiagram-v2"]
        with translation.override("zh-hans"):
            lines += [
                f"    {_node(value)}: {label}（{value or '—'}）" for value, label in words[subject].choices
            ]
        with translation.override("en"):
            lines += [
                f"    {_node(origin)} --> {_node(step.to_state)}: {step.action}"
                for step in steps
                for origin in step.from_states
                if origin
            ]
            lines += ["```", "", "| step | from | to | who | comment | by another |"]
            lines += ["| --- | --- | --- | --- | --- | --- |"]
            for step in steps:
                origin = ", ".join(str(state) or "blank" for state in step.from_states)
                who = f"`{step.permission}`" if step.permission else "follows " + ", ".join(step.follows)
                lines.append(
                    f"| {step.action} ({step.label}) | {origin} | {step.to_state} | {who} |"
                    f" {'mandatory' if step.comment_needed else ''} | {'yes' if step.by_another else ''} |"
                )
    return "\n".join(lines) + "\n"


def _node(state: str) -> str:
    return str(state) or "blank"


def main(verb: str) -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    behind = 0
    for name, page in (("roles.md", roles_page()), ("workflow.md", workflow_page())):
        path = DOCS / name
        if verb == "write":
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            print(f"docs/{name} is behind the code: run `python -m tools.docs write`.", file=sys.stderr)
            behind = 1
    return behind


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
