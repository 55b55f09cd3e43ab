"""Guarding a form outside the admin: any page that edits a watched row with a ModelForm (see `Edit`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from enterprises.edit_conflicts import Comparison
from enterprises.edit_tokens import Token, Versions, is_fresh, related_ids, related_shown
from journal.versions import versions_of


class Edit:
    """One save of one row by a form outside the admin; whoever comes second is told.

    On opening, the page carries the hidden input `_version`::

        context["edit_version"] = edit_version(request, form)       # form = ReportForm(instance=report)

    On saving, inside the transaction and with the row locked (`select_for_update`)::

        edit = Edit(request, report, lambda data: ReportForm(data, instance=report))
        if edit.in_conflict:
            return edit.response(site.each_context(request), back=url)
        if edit.form.is_valid(): ...

    The conflict page posts to the address of the request and brings everything back that was typed.

    Args:
        request: the POST.
        obj: the locked row of a watched model, found through the wall.
        make_form: posted data → bound form on `obj`. Called with what was posted, and again with what was
            chosen; it must not validate. Files are not carried over by the conflict page.

    Attributes:
        form: bound to what is to be saved.
        in_conflict: whether the person has to be asked first; nothing may be saved then.
    """

    def __init__(
        self, request: HttpRequest, obj: models.Model, make_form: Callable[[QueryDict], forms.ModelForm]
    ) -> None:
        self.request, self.obj = request, obj
        model, pk = type(obj), obj.pk
        token = Token.read(request, model, pk)
        self.present: Versions = {"": versions_of(model._base_manager.filter(pk=pk))}
        form = make_form(request.POST)
        names = related_shown(form)
        self.related = related_ids(model, pk, names)
        self.in_conflict = False
        self.comparison: Comparison | None = None
        self.form = form
        if not is_fresh(token, self.present, self.related):
            self.comparison = Comparison(request, token, self.present, self.related)
            side = self.comparison.side("", pk, obj, model)
            self.comparison.add(self.comparison.form(form, side))
            self.in_conflict = not self.comparison.settled
            if not self.in_conflict:
                self.form = make_form(self.comparison.data())

    @property
    def version(self) -> str:
        """For the hidden input, when the form is shown again because of mistakes in it."""
        offered = {"": list(self.form.fields)}
        return Token(self.present, self.related, offered).signed(self.request, type(self.obj), self.obj.pk)

    def response(self, context: dict[str, Any], *, back: str) -> HttpResponse:
        """The page on which the person chooses, with status 409.

        Args:
            context: what every page of the site is given (`site.each_context(request)`).
            back: where "discard my changes" leads.
        """
        if self.comparison is None:
            raise ValueError("there is no conflict to show")
        offered = {"": list(self.form.fields)}
        token = Token(self.present, self.related, offered, first=self.comparison.opened)
        signed = token.signed(self.request, type(self.obj), self.obj.pk)
        return conflict_page(self.comparison, context, self.obj, signed, back)


def edit_version(request: HttpRequest, form: forms.ModelForm) -> str:
    """The hidden input of a form that has just been made from its row.

    The row was read before its version, so it is compared with the row as it is now: if it has changed in
    between, the token says that nothing is known, and the save will ask.
    """
    model, pk = type(form.instance), form.instance.pk
    versions = versions_of(model._base_manager.filter(pk=pk))
    columns = [c.attname for c in model._meta.concrete_fields if c.name in form.fields]
    again = model._base_manager.filter(pk=pk).values(*columns).first()
    shown = {name: getattr(form.instance, name) for name in columns}
    token = Token({"": versions if again == shown else {}}, related_shown(form), {"": list(form.fields)})
    return token.signed(request, model, pk)


def conflict_page(
    comparison: Comparison, context: dict[str, Any], obj: models.Model, token: str, back: str
) -> HttpResponse:
    page = {
        **context,
        "title": _("Somebody saved before you"),
        "opts": obj._meta,
        "object": obj,
        "groups": comparison.groups,
        "authors": comparison.authors[-5:],
        "kept": comparison.kept(),
        "asked_again": comparison.token.first is not None,
        "choices": any(not line.frozen for line in comparison.lines),
        "edit_version": token,
        "back": back,
    }
    return TemplateResponse(comparison.request, "admin/conflict.html", page, status=409)
