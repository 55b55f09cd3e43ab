"""The compiled translations (.mo), made from the .po when the portal starts and they are older.

They are not committed: a binary beside its source is wrong as soon as somebody forgets it. GNU gettext
is not needed, so a machine with only Python reads Chinese too.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings


def compile_stale() -> None:
    """Compile every catalogue whose .po is newer. Safe in several processes at once."""
    for folder in settings.LOCALE_PATHS:
        for po in Path(folder).glob("*/LC_MESSAGES/*.po"):
            mo = po.with_suffix(".mo")
            if not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime:
                _compile(po, mo)


def _compile(po: Path, mo: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with po.open("rb") as file:
        catalogue = read_po(file)
    draft = mo.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as out:
            write_mo(out, catalogue)
        draft.replace(mo)
    except OSError:
        # A read-only source folder: then whoever built it has compiled before, or English is shown.
        draft.unlink(missing_ok=True)
