"""Change forms on which nobody overwrites a colleague without knowing it.

Every change form carries the state that it was opened on: of its row and of all rows of its inlines. A save
locks these rows and compares. If somebody else has changed what the form shows, nothing is saved: the
second person sees both versions field by field and chooses (`enterprises.edit_conflicts`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.db import models, transaction
from django.forms.models import _get_foreign_key  # type: ignore[attr-defined]
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from enterprises.edit_conflicts import THEIRS, Comparison, Group, Line, row_title
from enterprises.edit_tokens import Token, Versions, is_fresh, related_ids, related_shown
from enterprises.edit_words import Words, is_secret, label_of, raw_of, send
from enterprises.edits import conflict_page
from journal.versions import versions_of

#: Where a request keeps the versions that belong to the form being shown.
_READ = "edit_versions"
#: And the fields that the form had offered when it was opened.
_OFFERED = "edit_offered"


class SafeEdits(admin.ModelAdmin):
    """The part of every scoped admin that guards its change form."""

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        pk = unquote(object_id)[:18] if object_id is not None else ""
        if not pk.isdecimal() or not self.has_change_permission(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        if request.method != "POST":
            # Before the rows themselves are read: a change in between makes the form look older than it is,
            # which costs a comparison. The other way round it would be overwritten unseen.
            setattr(request, _READ, self._versions(request, pk))
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            answer = self._compared(request, object_id, pk)
            if answer is not None:
                return answer
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave alone what the form did not offer when it was opened.

        Rights can widen between opening and saving; a field that has become editable in between was not
        sent by the browser, and nothing sent reads as "blank".
        """
        form = super().get_form(request, obj, change=change, **kwargs)
        offered = getattr(request, _OFFERED, None)
        if offered is not None:
            for name in set(form.base_fields) - set(offered):
                form.base_fields[name] = copy.copy(form.base_fields[name])
                form.base_fields[name].disabled = True
        return form

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        versions = getattr(request, _READ, None)
        if change and obj is not None and versions is not None and self.has_change_permission(request, obj):
            form = context["adminform"].form
            formsets = [
                inline.formset for inline in context["inline_admin_formsets"] if inline.has_change_permission
            ]
            token = Token(versions, related_shown(form), _offered(form, formsets))
            context["edit_version"] = token.signed(request, self.model, obj.pk)
        return super().render_change_form(request, context, add, change, form_url, obj)

    # -- versions -----------------------------------------------------------------------------

    def _beneath(self, request: HttpRequest, pk: str) -> dict[str, tuple[Any, models.QuerySet[Any]]]:
        """Prefix of an inline → its class, and its rows through the wall."""
        found = {}
        for inline in self.inlines:
            key: Any = _get_foreign_key(self.model, inline.model, fk_name=inline.fk_name)
            prefix = key.remote_field.get_accessor_name(model=inline.model).replace("+", "")
            rows: Any = inline.model._default_manager
            found[prefix] = (inline, rows.visible_to(request.user).filter(**{key.attname: pk}))
        return found

    def _versions(self, request: HttpRequest, pk: str) -> Versions:
        own = versions_of(self.model._base_manager.filter(pk=pk))
        return {"": own} | {
            prefix: versions_of(rows) for prefix, (_inline, rows) in self._beneath(request, pk).items()
        }

    def _above(self) -> list[tuple[type[models.Model], str]]:
        """The rows on whose forms this row stands in an inline: model and the column that names them."""
        return [
            (above.model, _get_foreign_key(above.model, inline.model, fk_name=inline.fk_name).attname)
            for above in self.admin_site._registry.values()
            for inline in (above.inlines if isinstance(above, SafeEdits) else ())
            if inline.model is self.model
        ]

    def _lock(self, request: HttpRequest, pk: str) -> None:
        """Lock everything that the form can write, in the order that the services keep.

        From the root to the leaves, rows of one table by ascending id: two savers, or a saver and a step on
        a milestone, then never wait for each other in a circle.
        """
        own = self.model._base_manager.filter(pk=pk)
        for model, column in self._above():
            _locked(model, own.values_list(column, flat=True))
        _locked(self.model, [int(pk)])
        for inline, rows in self._beneath(request, pk).values():
            _locked(inline.model, rows.order_by().values_list("pk", flat=True))

    # -- the comparison -----------------------------------------------------------------------

    def _compared(self, request: HttpRequest, object_id: str, pk: str) -> HttpResponse | None:
        """The page on which the person chooses; None when the form may be saved as it is (now) posted."""
        self._lock(request, pk)
        token = Token.read(request, self.model, pk)
        present = self._versions(request, pk)
        if token is not None and token.opened.offered is not None:
            setattr(request, _OFFERED, token.opened.offered.get("", []))
        related = related_ids(self.model, pk, token.related if token else ())
        if is_fresh(token, present, related):
            setattr(request, _READ, present)
            return None
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._gone(request, token) if token is not None else None
        if not self.has_change_permission(request, obj):
            return None  # the stock view refuses
        form_class = self.get_form(
            request, obj, change=True, fields=flatten_fieldsets(self.get_fieldsets(request, obj))
        )
        form = form_class(request.POST, request.FILES, instance=obj)
        formsets, inlines = self._create_formsets(request, obj, change=True)  # type: ignore[attr-defined]
        related = related_shown(form)
        found = Comparison(request, token, present, related)
        offered = (found.opened.offered or {}).get("", [])

        side = found.side("", obj.pk, obj, self.model)
        group = found.form(form, side)
        shown = [
            name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if isinstance(name, str)
        ]
        lost = [name for name in offered if name not in form.fields]
        found.frozen(group, self.model, side, lost, shown, self._field_for(request, self))
        found.add(group)
        for formset, inline in zip(formsets, inlines, strict=True):
            if inline.has_view_or_change_permission(request, obj):
                self._compare_rows(request, found, formset, inline, obj)
        if found.settled:
            request.POST = found.data()  # type: ignore[assignment]
            setattr(request, _READ, present)
            return None
        signed = Token(present, related, _offered(form, formsets), first=found.opened)
        context = self.admin_site.each_context(request)
        return conflict_page(
            found, context, obj, signed.signed(request, self.model, obj.pk), request.get_full_path()
        )

    def _compare_rows(
        self, request: HttpRequest, found: Comparison, formset: Any, inline: Any, obj: models.Model
    ) -> None:
        prefix, model = formset.prefix, formset.model
        offered = (found.opened.offered or {}).get(prefix, [])
        field_for = self._field_for(request, inline)
        gone: list[int] = []
        for index, form in enumerate(formset.forms):
            here = f"{prefix}-{index}"
            if index >= formset.initial_form_count():
                self._compare_new(found, model, offered, here, form, field_for, inline, request, obj)
                continue
            raw = found.posted.get(f"{here}-id", "")
            if not raw.isdecimal():
                continue  # the formset says what is wrong with it
            row_id = int(raw[:18])
            now = form.instance if form.instance.pk else None
            side = found.side(prefix, row_id, now, model)
            deleting = formset.can_delete and f"{here}-DELETE" in found.posted
            if now is None:
                gone.append(index)
                if row_id in found.opened.versions.get(prefix, {}) and not deleting:
                    found.add(self._row_gone(found, model, side, offered, here, field_for))
                continue
            if f"{here}-DELETE" in found.posted:
                found.add(self._row_deleted(found, form, side, prefix, here, can_delete=formset.can_delete))
                continue
            group = found.form(form, side, group=prefix, title=row_title(now))
            lost = [name for name in offered if name not in form.fields]
            found.frozen(group, model, side, lost, inline.get_fields(request, obj), field_for, here)
            found.add(group)
        if gone:
            found.take(lambda data, prefix=prefix, gone=gone: _drop_rows(data, prefix, gone))  # type: ignore[misc]

    def _row_gone(
        self, found: Comparison, model: Any, side: Any, offered: list[str], here: str, field_for: Any
    ) -> Group:
        name = getattr(side.base, "name", "") if side.base is not None else ""
        title = f"{capfirst(str(model._meta.verbose_name))}{' · ' if name else ''}{name}"
        group = Group(
            title,
            _(
                "This row is no longer there: somebody deleted it. What you wrote into it cannot be saved; add it as a new row if it is still needed."
            ),
        )
        found.frozen(group, model, side, offered, (), field_for, here)
        found.blocked = True
        return group

    def _row_deleted(
        self, found: Comparison, form: Any, side: Any, prefix: str, here: str, *, can_delete: bool
    ) -> Group:
        """I marked it for deletion; did somebody change it, or is it no longer mine to delete?"""
        group = Group(row_title(form.instance))
        if not can_delete:
            found.blocked = True
            group.note = _("You marked this row for deletion; it can no longer be deleted and stays.")
            found.take(lambda data, name=f"{here}-DELETE": data.pop(name, None))  # type: ignore[misc]
            return group
        changes, author = [], ("", None)
        for name in form.fields:
            column = next((c for c in form._meta.model._meta.concrete_fields if c.name == name), None)
            if column is None or column.primary_key:
                continue
            before, now = side.before(column), getattr(form.instance, column.attname)
            if before != now:
                author = side.author(column) if author == ("", None) else author
                words = found.words
                changes.append(
                    f"{label_of(form.fields[name], column)}: {words.of(column, before)} → {words.of(column, now)}"
                )
        if changes:
            line = Line(
                f"{here}-DELETE",
                _("The whole row"),
                _("as you opened it"),
                "\n".join(changes),
                _("delete the row"),
                by=author[0],
                at=author[1],
            )
            found.decision(group, line, prefix, form.instance.pk)
            if line.taken == THEIRS:
                found.take(lambda data: _untouched(data, form, here))
        return group

    def _compare_new(
        self, found: Comparison, model: Any, offered: list[str], here: str, form: Any, field_for: Any,
        inline: Any, request: HttpRequest, obj: models.Model,
    ) -> None:  # fmt: skip
        """Rows that I added stay as they are; if none can be added any more, that is said."""
        if inline.has_add_permission(request, obj):
            return
        group = Group(
            _("New row: %(kind)s") % {"kind": model._meta.verbose_name},
            _("No row can be added any more; this one cannot be saved."),
        )
        blank = model()
        for name in offered:
            column = model._meta.get_field(name)
            form_field = field_for(column)
            if form_field is None or is_secret(form_field):
                continue
            raw = raw_of(form_field, found.posted, f"{here}-{name}")
            if form_field.has_changed(getattr(blank, column.attname), raw):
                group.lines.append(
                    Line(
                        f"{here}-{name}",
                        label_of(form_field, column),
                        "",
                        "",
                        found.words.typed(column, form_field, raw),
                        frozen=True,
                    )
                )
        if group.lines:
            found.blocked = True
            found.add(group)

    def _field_for(self, request: HttpRequest, owner: Any) -> Any:
        return lambda column: owner.formfield_for_dbfield(column, request)

    def _gone(self, request: HttpRequest, token: Token) -> HttpResponse:
        """The row has been deleted, or taken out of reach; which of the two is not said."""
        words, posted = Words(request.user), request.POST
        groups = []
        for prefix, names in (token.opened.offered or {}).items():
            owner: Any = self
            if prefix:
                owner = next((i(self.model, self.admin_site) for p, (i, _rows) in self._beneath(request, "0").items() if p == prefix), None)  # fmt: skip
                if owner is None:
                    continue
            total = posted.get(f"{prefix}-TOTAL_FORMS", "0") if prefix else "1"
            for index in range(min(int(total), 1000) if total.isdecimal() else 0):
                here = f"{prefix}-{index}-" if prefix else ""
                title = _("Row %(number)s: %(kind)s") % {"number": index + 1, "kind": owner.model._meta.verbose_name} if prefix else ""  # fmt: skip
                group = Group(title)
                for name in names:
                    column = owner.model._meta.get_field(name)
                    form_field = owner.formfield_for_dbfield(column, request)
                    if form_field is None or is_secret(form_field):
                        continue
                    text = words.typed(column, form_field, raw_of(form_field, posted, f"{here}{name}"))
                    if text:
                        group.lines.append(Line(f"{here}{name}", label_of(form_field, column), "", "", text))
                if group.lines:
                    groups.append(group)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The record is no longer there"),
            "opts": self.opts,
            "groups": groups,
        }
        return TemplateResponse(request, "admin/conflict_gone.html", context, status=409)


def _locked(model: type[models.Model], ids: Iterable[int]) -> None:
    rows = model._base_manager.select_for_update(of=("self",), no_key=True)
    list(rows.filter(pk__in=list(ids)).order_by("pk").values_list("pk"))


def _offered(form: Any, formsets: Any) -> dict[str, list[str]]:
    """The fields that a change form offers for change, by group."""
    return {"": [name for name, form_field in form.fields.items() if not form_field.disabled]} | {
        formset.prefix: [name for name in formset.form.base_fields if name != "id"] for formset in formsets
    }


def _untouched(data: QueryDict, form: Any, here: str) -> None:
    """Leave a row as it is now, whatever was typed into it."""
    data.pop(f"{here}-DELETE", None)
    for name, form_field in form.fields.items():
        if name not in ("id", "DELETE"):
            value = form_field.prepare_value(form.get_initial_for_field(form_field, name))
            send(data, form_field.widget, f"{here}-{name}", value)


def _drop_rows(data: QueryDict, prefix: str, gone: list[int]) -> None:
    """Take rows out of a posted formset and close the gaps in its numbering."""
    pattern = re.compile(rf"{re.escape(prefix)}-(\d+)-(.+)")
    found = {name: match for name in data if (match := pattern.fullmatch(name))}
    kept = {name: data.getlist(name) for name in found}
    for name in found:
        del data[name]
    for name, match in found.items():
        index = int(match[1])
        if index not in gone:
            data.setlist(f"{prefix}-{index - sum(g < index for g in gone)}-{match[2]}", kept[name])
    for count in ("TOTAL_FORMS", "INITIAL_FORMS"):
        name = f"{prefix}-{count}"
        data[name] = str(max(0, int(data.get(name) or 0) - len(gone)))
