"""Sentences of Django that the portal words in its own way.

They are marked here so that they stand in our catalogue: a catalogue of LOCALE_PATHS goes before Django's own.
Nothing imports this module.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = (
    gettext_noop("This field is required."),
    gettext_noop("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
)
