"""Why a whole file is not read, and what its reader is told: what it is, that nothing was saved, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ENCRYPTED = "ENCRYPTED"
CORRUPT = "CORRUPT"
EMPTY_FILE = "EMPTY_FILE"
UNSUPPORTED_CONTENT = "UNSUPPORTED_CONTENT"
TOO_LARGE_UNCOMPRESSED = "TOO_LARGE_UNCOMPRESSED"
XML_DTD_FORBIDDEN = "XML_DTD_FORBIDDEN"
MACRO_FORBIDDEN = "MACRO_FORBIDDEN"
HEADER_NOT_FOUND = "HEADER_NOT_FOUND"
UNSUPPORTED_TYPE = "UNSUPPORTED_TYPE"

EXTENSION_MISMATCH = "EXTENSION_MISMATCH"
HIDDEN_SHEET_SKIPPED = "HIDDEN_SHEET_SKIPPED"

_NOTHING_SAVED = gettext_lazy("Nothing was saved.")

#: What it is, and the cure; kept apart so that the sentence between them is the same everywhere.
_WORDS: dict[str, tuple[Any, Any]] = {
    ENCRYPTED: (
        gettext_lazy("The file is protected by a password."),
        gettext_lazy("Open it, remove the password, save it and upload it again."),
    ),
    CORRUPT: (
        gettext_lazy("The file is damaged or not complete."),
        gettext_lazy("Open it, save it as .xlsx once more and upload the copy; or ask for it again."),
    ),
    EMPTY_FILE: (
        gettext_lazy("The file is empty."),
        gettext_lazy("Check whether it was sent completely, and upload it again."),
    ),
    UNSUPPORTED_CONTENT: (
        gettext_lazy("The file is a web page that was saved under the name of a workbook."),
        gettext_lazy("Open it in Excel or WPS, choose “Save as” and the type .xlsx, and upload that file."),
    ),
    TOO_LARGE_UNCOMPRESSED: (
        gettext_lazy("The file is too large when unpacked."),
        gettext_lazy("Copy the table alone, as values, into a new workbook, or split it into several."),
    ),
    XML_DTD_FORBIDDEN: (
        gettext_lazy(
            "The file holds definitions of its own (DTD) that no ledger needs, and is not read for safety."
        ),
        gettext_lazy("Copy the table into a new workbook, save it as .xlsx and upload that file."),
    ),
    MACRO_FORBIDDEN: (
        gettext_lazy("The workbook holds macros (programs), and is not read for safety."),
        gettext_lazy("Save it as .xlsx without macros and upload that file."),
    ),
}

_SAVE_AS = gettext_lazy("Open it, save it as .xlsx and upload that file.")
_NO_TABLE = gettext_lazy("Upload the ledger itself as .xlsx, .xls or .csv.")
_UNPACK = gettext_lazy("Unpack it and upload the ledger inside, one file at a time.")
_COPY_TABLE = gettext_lazy("Copy the table into Excel or WPS, save it as .xlsx and upload that file.")

#: Kinds that are recognised but not read: what it is, and the cure.
OTHER_KINDS: dict[str, tuple[Any, Any]] = {
    "docx": (gettext_lazy("The file is a Word document."), _COPY_TABLE),
    "doc": (gettext_lazy("The file is a document of Word or WPS Writer."), _COPY_TABLE),
    "pptx": (gettext_lazy("The file is a presentation."), _COPY_TABLE),
    "pdf": (gettext_lazy("The file is a PDF document."), _COPY_TABLE),
    "rtf": (gettext_lazy("The file is a text document (RTF)."), _COPY_TABLE),
    "xlsb": (gettext_lazy("The file is a binary workbook (.xlsb)."), _SAVE_AS),
    "ods": (gettext_lazy("The file is an OpenDocument file."), _SAVE_AS),
    "et": (
        gettext_lazy("The file is a workbook of an old version, or of WPS in its own form (.et)."),
        _SAVE_AS,
    ),
    "xml": (gettext_lazy("The file is an XML file."), _SAVE_AS),
    "image": (gettext_lazy("The file is a picture."), _NO_TABLE),
    "zip": (gettext_lazy("The file is an archive."), _UNPACK),
    "other": (gettext_lazy("The file is no ledger that can be read."), _NO_TABLE),
}


class FileRefused(Exception):
    """The file is not read at all.

    Attributes:
        code: one of this module's codes.
        message: for the person who uploaded it, in the reader's language.
    """

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message or _sentence(*_WORDS[code])
        super().__init__(f"{code}: {self.message}")


@dataclass(frozen=True, slots=True)
class FileWarning:
    """Something about the whole file that its reader should know; it was read nevertheless."""

    code: str
    message: str


def unsupported(kind: str) -> FileRefused:
    """The refusal of a kind of file that is not read (a key of `OTHER_KINDS`)."""
    return FileRefused(UNSUPPORTED_TYPE, _sentence(*OTHER_KINDS[kind]))


def header_not_found(found: list[str], needed: list[str]) -> FileRefused:
    """No table: the columns that were seen, and those that a ledger needs."""
    seen = "、".join(found[:30]) or _("none")
    what = _("No header with the project's name was found. Columns found: %(found)s. Needed: %(needed)s.") % {
        "found": seen,
        "needed": "、".join(needed),
    }
    cure = _("Check the header row, or use the template of the portal.")
    return FileRefused(HEADER_NOT_FOUND, _sentence(what, cure))


def extension_mismatch(name: str, kind: str) -> FileWarning:
    words = _("The name “%(name)s” does not fit the content; the file was read as %(kind)s.")
    return FileWarning(EXTENSION_MISMATCH, words % {"name": name, "kind": kind})


def hidden_sheet(name: str) -> FileWarning:
    words = _(
        "The hidden sheet “%(name)s” was not read. Show it in the workbook if it belongs to the ledger."
    )
    return FileWarning(HIDDEN_SHEET_SKIPPED, words % {"name": name})


def _sentence(what: Any, cure: Any) -> str:
    parts = [str(what), str(_NOTHING_SAVED), str(cure)]
    return ("" if parts[1].endswith("。") else " ").join(parts)
