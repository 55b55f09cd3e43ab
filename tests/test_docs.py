"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from tools.docs import roles_page, workflow_page

ROOT = Path(__file__).resolve().parent.parent
_READ = re.compile(
    r"""env\.\w+\(\s*["']([A-Z0-9_]+)["']|environ(?:\)?\.get)?[\[(]\s*["']([A-Z0-9_]+)["']|number\(environ, ["']([A-Z0-9_]+)["']"""
)
#: Read by the code, but nobody sets them by hand.
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE", "PYTEST_VERSION", "LINEAR_MIGRATIONS", "XDG_RUNTIME_DIR"}


def settings_read() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "portal").rglob("*.py"):
        for groups in _READ.findall(path.read_text(encoding="utf-8")):
            found |= {name for name in groups if name}
    return found - NOT_SETTINGS


def test_every_setting_is_documented_and_no_other_is() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", page, re.M))
    assert settings_read() - documented == set()
    assert documented - settings_read() <= {"PYTHON", "E2E", "CI", "ARGS"}


def test_the_roles_page_is_drawn_from_the_code() -> None:
    assert (ROOT / "docs" / "roles.md").read_text(encoding="utf-8") == roles_page()


def test_the_workflow_page_is_drawn_from_the_table() -> None:
    assert (ROOT / "docs" / "workflow.md").read_text(encoding="utf-8") == workflow_page()


def test_links_between_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_readme_names_both_commands_and_every_login() -> None:
    from projects.management.commands.load_demo import LOGINS

    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "make run" in text
        assert "make test" in text
        for username, _role, _units, _name in LOGINS:
            assert f"`{username}`" in text
