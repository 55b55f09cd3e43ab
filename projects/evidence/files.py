"""What an uploaded file is, by its bytes: what it is called and claims to be proves nothing."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files import File
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects.evidence import documents, headers, pictures
from projects.evidence.pictures import Prepared
from projects.evidence.unreadable import Unreadable

__all__ = ["MAX_BYTES", "Judged", "Kind", "Prepared", "Unreadable", "clean_name", "judge"]

MAX_BYTES = 20 * 1024 * 1024
_MOST_NAME = 120

_PICTURES = {"JPEG": (".jpg", "image/jpeg"), "PNG": (".png", "image/png"), "WEBP": (".webp", "image/webp")}
_OPENXML = "application/vnd.openxmlformats-officedocument."
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": _OPENXML + "wordprocessingml.document",
    ".xlsx": _OPENXML + "spreadsheetml.sheet",
    ".pptx": _OPENXML + "presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".wps": "application/kswps",
    ".et": "application/kset",
    ".dps": "application/ksdps",
    ".ofd": "application/ofd",
}


class Kind(models.TextChoices):
    PHOTO = "photo", gettext_lazy("Photo")
    DOCUMENT = "document", gettext_lazy("Document")


@dataclass(frozen=True)
class Judged:
    """A file that may be kept.

    Args:
        extension: with its dot, by content.
        name: for display and download; always ends in `extension`.
        size: of the file as it came, in bytes.
        sha256: of the file as it came, in hexadecimal.
        picture: what to keep of a photograph; None for documents.
        body: the file as it came. Of photographs it still holds place and camera.
    """

    kind: Kind
    content_type: str
    extension: str
    name: str
    size: int
    sha256: str
    picture: Prepared | None
    body: bytes


def judge(file: File[bytes] | BinaryIO, name: str) -> Judged:
    """Say what the file is and make a photograph ready to be kept.

    Args:
        file: open for reading; read from its beginning.
        name: as the browser sent it.

    Raises:
        Unreadable: the file is not taken; the sentence in it is for the person who chose it.
    """
    size = _size(file)
    if size > MAX_BYTES:
        raise _too_big(size)
    file.seek(0)
    body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise _too_big(len(body))
    if not body:
        raise Unreadable(_("This file is empty (0 bytes). Choose the file itself, not a shortcut to it."))
    picture: Prepared | None = None
    if (format := headers.format_of(body)) is not None:
        kind, (extension, content_type) = Kind.PHOTO, _PICTURES[format]
        picture = pictures.prepare(body)
    elif (document := documents.extension_of(body, name)) is not None:
        kind, extension, content_type = Kind.DOCUMENT, document, _DOCUMENTS[document]
    else:
        raise _refusal(body)
    return Judged(
        kind=kind,
        content_type=content_type,
        extension=extension,
        name=clean_name(name, extension),
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        picture=picture,
        body=body,
    )


def _size(file: File[bytes] | BinaryIO) -> int:
    size = getattr(file, "size", None)
    if isinstance(size, int):
        return size
    return file.seek(0, os.SEEK_END)


# -- names ----------------------------------------------------------------------------------------

#: What Windows does not allow in a file name would be changed by each browser in its own way.
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
#: Control, format (marks that turn the writing direction, zero width), surrogate, private, unassigned,
#: line and paragraph ends: "exe.jpg" written backwards is the oldest trick with names.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean_name(name: str, extension: str = "") -> str:
    """A name to show and to download under, of at most 120 characters.

    Args:
        name: as it came, perhaps with folders of the sender's machine.
        extension: the one of the content, with its dot; replaces the name's own. Empty keeps that.
    """
    plain = unicodedata.normalize(
        "NFC", "".join(c if _seen(c) else " " if c in "\t\r\n" else "" for c in name)
    )
    stem = _NOT_IN_NAMES.sub("_", re.split(r"[/\\]", plain)[-1])
    own = _EXTENSION.search(stem)
    if own:
        stem = stem[: own.start()]
        extension = extension or own.group()
    stem = " ".join(stem.split()).strip(". ")
    return (stem[: _MOST_NAME - len(extension)].rstrip(". ") or _("Unnamed")) + extension


def _seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN


# -- refusals -------------------------------------------------------------------------------------


def _too_big(size: int) -> Unreadable:
    # Rounded up, so that a file just above the limit is never said to have exactly the limit.
    tenths = -(-size * 10 // 1024**2)
    return Unreadable(
        _("This file has %(size)s MB; %(limit)s MB is the limit. Make it smaller or split it.")
        % {"size": f"{tenths / 10:.1f}", "limit": MAX_BYTES // 1024**2}
    )


_OTHER_PICTURES = (
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"II[*+]\0|MM\0[*+]", re.S), "TIFF"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.S), "BMP"),
    (re.compile(rb"8BPS"), "Photoshop"),
    (re.compile(rb"\0\0\0\x0cj[Px]  |\xff\x4f\xff\x51", re.S), "JPEG 2000"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ", re.S), "JPEG XL"),
    (
        re.compile(
            rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg", re.S
        ),
        "SVG",
    ),
)
_ARCHIVE = re.compile(rb"PK\x03\x04|PK\x05\x06|Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ")
_HEIC = {
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"msf1",
    b"mif2",
    b"miaf",
}
_AVIF = {b"avif", b"avis"}


def _refusal(body: bytes) -> Unreadable:
    """What the file is, if it can be told, and what to do instead."""
    start = body[:1024]
    if start[4:8] == b"ftyp":
        return _refused_media(start)
    for pattern, format in _OTHER_PICTURES:
        if pattern.match(start):
            return Unreadable(
                _("%(format)s pictures are not taken. Save it as JPEG or PNG and choose that file.")
                % {"format": format}
            )
    if _ARCHIVE.match(start):
        return Unreadable(_("This is a compressed archive. Unpack it and choose the files in it one by one."))
    return Unreadable(
        _(
            "Files of this kind are not taken, whatever their name. Taken are photographs (JPEG, PNG, WebP) and documents (PDF, OFD, Word, Excel, PowerPoint, WPS)."
        )
    )


def _refused_media(start: bytes) -> Unreadable:
    """HEIC and AVIF name their brand first or among the compatible ones; all else here is film."""
    length = int.from_bytes(start[:4], "big")
    brands = {start[8:12]} | {start[at : at + 4] for at in range(16, min(length, len(start)), 4)}
    if brands & _AVIF:
        return Unreadable(
            _("%(format)s pictures are not taken. Save it as JPEG or PNG and choose that file.")
            % {"format": "AVIF"}
        )
    if brands & _HEIC:
        return Unreadable(
            _(
                "This is a HEIC photograph, which cannot be read here. On the iPhone choose Settings → Camera → Formats → Most Compatible for new photographs; for this one, open the portal in the phone's browser and choose it from the photo library, which then hands over a JPEG."
            )
        )
    return Unreadable(
        _("Films and sound recordings are not taken. Choose a photograph of it or a document about it.")
    )
