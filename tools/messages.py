"""Translations without gettext's C tools: python -m tools.messages update | check

`update` collects every text marked for translation into locale/zh_Hans; `check` fails when one has no
Chinese or when the file is behind the code. In Python (Babel), because GNU gettext is not on every
machine. The .mo that Django reads is made by portal/catalogue.py.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
PO = LOCALE / "django.po"
SOURCES = ("portal", "enterprises", "projects", "notices", "journal", "templates")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def _files() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and "migrations" not in path.parts:
                yield path


def collect() -> Catalog:
    """Every marked text of the code and the templates, with where it stands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    from django.utils.translation.template import templatize

    catalog = Catalog(locale="zh_Hans", project="livelihood-portal", charset="utf-8", fuzzy=False)
    for path in _files():
        origin = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # What stands between the tags is blanked, its indentation is not; Python would trip over it.
            text = "\n".join(line.lstrip() for line in templatize(text, origin=origin).splitlines())
        found = extract(extract_python, io.BytesIO(text.encode()), KEYWORDS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            catalog.add(message, locations=[(origin, 0)], context=context)
    return catalog


def current() -> Catalog:
    if not PO.exists():
        return Catalog(locale="zh_Hans")
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def update() -> int:
    """Bring the .po up to the code: new texts come in empty, gone ones go."""
    known = current()
    known.update(collect(), no_fuzzy_matching=True)
    known.obsolete.clear()
    LOCALE.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, known, width=100, sort_output=True, omit_header=False, include_lineno=False)
    missing = list(_untranslated(known))
    print(f"{len(known)} texts, {len(missing)} without Chinese")
    return 0


def check() -> int:
    """1 when a text has no Chinese, lost a placeholder, or is not in the file at all."""
    known, wanted = current(), collect()
    faults = [f"not in the .po: {m.id!r}" for m in wanted if m.id and known.get(m.id, m.context) is None]
    faults += [f"no Chinese: {m!r}" for m in _untranslated(known)]
    faults += [f"gone from the code: {m.id!r}" for m in known if m.id and wanted.get(m.id, m.context) is None]
    for message in known:
        faults += [f"{message.id!r}: {error}" for error in message.check(known) if message.id]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("Run `make messages`, then fill in locale/zh_Hans/LC_MESSAGES/django.po.", file=sys.stderr)
    return 1 if faults else 0


def _untranslated(catalog: Catalog) -> Iterator[str | tuple[str, ...]]:
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(strings)):
            yield message.id  # type: ignore[misc]


if __name__ == "__main__":
    verbs = {"update": update, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    sys.exit(verbs[sys.argv[1]]())
