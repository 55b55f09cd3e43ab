"""How a person wants to be told: address, a way for each group, and a test message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from journal.context import because
from notices.admin import ways_out
from notices.admin.mail_server import too_soon
from notices.models import Message
from notices.services.health import mail_server
from notices.services.inbox import choose, ways_of
from notices.services.trying import TooSoon, try_mail
from notices.ways import Group, Way

_OWN = ("", gettext_lazy("as the notice asks"))


class OwnSettingsForm(forms.Form):
    """One field for the address, one for each group of notices."""

    email = forms.EmailField(
        label=gettext_lazy("e-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "email"}),
        help_text=gettext_lazy("Blank: what the portal tells you stays in its inbox."),
    )

    def __init__(self, data: Any, *, reader: User) -> None:
        ways = ways_of(reader=reader)
        super().__init__(data, initial={"email": reader.email, **ways})
        for group in Group:
            self.fields[group.value] = forms.ChoiceField(
                label=capfirst(str(group.label)), required=False, choices=[_OWN, *Way.choices]
            )

    def group_fields(self) -> list[Any]:
        return [self[group.value] for group in Group]


def own_settings_page(site: Any, request: HttpRequest) -> HttpResponse:
    reader = person(request)
    form = OwnSettingsForm(request.POST or None, reader=reader)
    if request.method == "POST" and form.is_valid():
        ways = {group.value: form.cleaned_data[group.value] for group in Group}
        with because(_("personal settings")):
            choose(actor=reader, email=form.cleaned_data["email"], ways=ways)
        messages.success(request, _("Your settings are kept. They hold for notices from now on."))
        return HttpResponseRedirect(reverse("admin:inbox_settings"))
    context = {
        **site.each_context(request),
        "title": _("How I am told"),
        "form": form,
        "mail_is_set_up": bool(settings.EMAIL_HOST),
        "mail_works": mail_server().works,
        "digest_at": settings.DIGEST_AT,
        "own_address": User._base_manager.values_list("email", flat=True).get(pk=reader.pk),
    }
    return TemplateResponse(request, "admin/notices/own_settings.html", context)


def try_own_address(site: Any, request: HttpRequest) -> HttpResponse:
    """Send a test message to oneself. A switched-off server is asked nothing: that is mended elsewhere."""
    reader, carrier = person(request), ways_out.postman()
    if request.method == "POST":
        if carrier is None:
            messages.warning(request, _("No mail server is set up: notices stay in the inbox of the portal."))
        elif not reader.email:
            messages.warning(request, _("Keep an address first."))
        elif not mail_server().works:
            messages.warning(request, _("The mail server is switched off at the moment."))
        else:
            _try(request, reader, carrier)
    return HttpResponseRedirect(reverse("admin:inbox_settings"))


def _try(request: HttpRequest, reader: User, carrier: Any) -> None:
    try:
        tried = try_mail(actor=reader, postman=carrier, at=timezone.now(), **ways_out.wording())
    except TooSoon:
        messages.warning(request, too_soon())
        return
    finally:
        carrier.close()
    if tried.state == Message.State.SENT:
        messages.success(
            request,
            _("A test message is on its way to %(address)s. If it does not come, look into the spam folder.")
            % {"address": reader.email},
        )
    else:
        messages.error(request, _("The test message did not leave: %(why)s") % {"why": tried.last_error})
