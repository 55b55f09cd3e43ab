"""Values of a form as a person reads them, and as a browser would send them."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

#: A value that nobody knows any more, as against None, which is one.
LOST: Any = object()


class Words:
    """Values in words for one reader: rows beyond the reader's wall are not named."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def of(self, column: Any, value: Any) -> str:
        """A value of a column (for relations: the id, or the ids) in words; "" for none."""
        if value is LOST:
            return _("not known")
        if column.is_relation:
            ids = value if isinstance(value, list | tuple) else [] if value is None else [value]
            return "、".join(self._names(column.related_model, ids))
        if value is None or value == "":
            return ""
        if column.choices:
            return str(dict(column.flatchoices).get(value, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, datetime.datetime):
            return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
        if isinstance(value, datetime.date):
            return formats.date_format(value, "DATE_FORMAT")
        if isinstance(value, decimal.Decimal | float):
            return formats.localize(value, use_l10n=True)
        return str(value)

    def typed(self, column: Any, field: forms.Field, raw: Any) -> str:
        """What was typed into a field in words; as it was typed where it makes no value."""
        try:
            value = field.to_python(raw)
        except ValidationError:
            return "、".join(map(str, raw)) if isinstance(raw, list | tuple) else str(raw)
        if isinstance(value, models.Model):
            value = value.pk
        elif column.is_relation and value is not None:
            value = [row.pk for row in value]
        return self.of(column, value)

    def _names(self, model: Any, ids: Iterable[int]) -> list[str]:
        ids = list(ids)
        if not ids:
            return []
        rows = model._default_manager.all()
        if hasattr(rows, "choosable_by"):
            rows = rows.choosable_by(self.reader)
        known = {row.pk: str(row) for row in rows.filter(pk__in=ids)}
        return [known[pk] for pk in ids if pk in known] + [_("not shown to you")] * (
            len(set(ids) - set(known)) > 0
        )


def label_of(field: forms.Field, column: Any) -> str:
    return str(capfirst(field.label or column.verbose_name))


def is_secret(field: forms.Field) -> bool:
    return getattr(field.widget, "input_type", "") == "password"


def raw_of(field: forms.Field, data: QueryDict, name: str) -> Any:
    """What a browser sent for a field."""
    return field.widget.value_from_datadict(data, {}, name)


def differs(field: forms.Field, value: Any, raw: Any) -> bool:
    """Whether what was typed is another value than `value` (of the database)."""
    return field.has_changed(_one_newline(value), _one_newline(raw))


def _one_newline(value: Any) -> Any:
    # Browsers send every line break as two characters; a text nobody touched would count as changed.
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def send(data: QueryDict, widget: forms.Widget, name: str, value: Any) -> None:
    """Put `value` into `data` as if the browser had sent it for this widget.

    Args:
        data: a mutable copy of what was posted.
        value: prepared by the field (`prepare_value`).
    """
    data.pop(name, None)
    if isinstance(widget, forms.MultiWidget):
        several: Any = widget
        parts = several.decompress(value)
        for part, end, inner in zip(several.widgets, several.widgets_names, parts, strict=True):
            send(data, part, f"{name}{end}", inner)
    elif isinstance(widget, forms.CheckboxInput):
        if value:
            data[name] = "on"
    else:
        sent = widget.format_value(value)
        data.setlist(
            name,
            [str(s) for s in sent] if isinstance(sent, list | tuple) else [str("" if sent is None else sent)],
        )
