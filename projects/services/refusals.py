"""Why a step was refused, in words for the person who tried it."""

from __future__ import annotations


class Refused(Exception):
    """A rule says no. The message tells what happened and what to do; nothing was changed."""
