"""Pages of docs/ that are drawn from the code: python -m tools.docs write | check"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLES = ROOT / "docs" / "roles.md"


def roles_page() -> str:
    """docs/roles.md: who may do what, from `enterprises.roles`, and the steps, from `projects.workflow`."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.utils import translation

    from enterprises.roles import PERMISSIONS, Role, duty_of
    from projects.workflow import TRANSITIONS

    lines = [
        "# Roles",
        "",
        "Drawn from `enterprises/roles.py` and `projects/workflow.py` by `python -m tools.docs write`;",
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
    lines += [
        "",
        "## Steps on a milestone",
        "",
        "| step | from | to | permission | comment |",
        "| --- | --- | --- | --- | --- |",
    ]
    for step in TRANSITIONS:
        origin = ", ".join(state.value for state in step.from_states)
        lines.append(
            f"| {step.action} | {origin} | {step.to_state.value} | {step.permission} |"
            f" {'mandatory' if step.comment_needed else 'optional'} |"
        )
    return "\n".join(lines) + "\n"


def main(verb: str) -> int:
    page = roles_page()
    if verb == "write":
        ROLES.write_text(page, encoding="utf-8")
        return 0
    if ROLES.read_text(encoding="utf-8") != page:
        print("docs/roles.md is behind the code: run `python -m tools.docs write`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
