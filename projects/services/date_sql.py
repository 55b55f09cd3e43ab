"""Dates in SQL, as PostgreSQL has them."""

from __future__ import annotations

from django.db.models import Func, IntegerField


class Days(Func):
    """Whole days between two dates: PostgreSQL's own difference, where Django would make an interval."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = IntegerField()
