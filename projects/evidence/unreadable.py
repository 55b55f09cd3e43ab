"""Why a file is not taken, in sentences for the person who chose it."""

from __future__ import annotations

from django.utils.translation import gettext as _


class Unreadable(Exception):
    """The file is not taken; `str()` is a whole sentence that says what is wrong and what to do."""


def damaged_picture() -> Unreadable:
    return Unreadable(
        _(
            "This picture is damaged or did not arrive whole. If it opens on your device, save it anew as JPEG and choose that file."
        )
    )


def damaged_document() -> Unreadable:
    return Unreadable(
        _(
            "This document is damaged or did not arrive whole. If it opens on your device, save it anew and choose that file."
        )
    )


def picture_too_large(width: int, height: int) -> Unreadable:
    """Args: width and height in pixels, as the file's header states them."""
    return Unreadable(
        _(
            "This picture measures %(width)s × %(height)s pixels, which is more than can be shown. Make it smaller, for instance 4,000 pixels wide, and choose it again."
        )
        % {"width": f"{width:,}", "height": f"{height:,}"}
    )
