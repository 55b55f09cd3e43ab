"""The page of the mail server: how it does, and how it is switched on again after it was mended."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from enterprises.scoped_admin import ScopedModelAdmin, person
from notices.admin import ways_out
from notices.models import MailServer, Message
from notices.services.health import mail_server, switch_on
from notices.services.trying import PAUSE, TooSoon, try_mail
from notices.ways import Channel


@admin.register(MailServer)
class MailServerAdmin(ScopedModelAdmin):
    """One row, one page: the list is the page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # nothing is typed; switching on asks `_may_mend`

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        own = [
            path("try/", self.admin_site.admin_view(self.try_view), name="notices_mailserver_try"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        waiting = Message.objects.filter(channel=Channel.EMAIL, state=Message.State.WAITING)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Mail server"),
            "opts": self.opts,
            "server": mail_server(),
            "host": settings.EMAIL_HOST,
            "port": settings.EMAIL_PORT,
            "security": "SSL" if settings.EMAIL_USE_SSL else "STARTTLS" if settings.EMAIL_USE_TLS else "",
            "account": settings.EMAIL_HOST_USER,
            "sender": settings.DEFAULT_FROM_EMAIL,
            "waiting": waiting.count(),
            "may_mend": _may_mend(request),
            "own_address": person(request).email,
        }
        return TemplateResponse(request, "admin/notices/mail_server.html", context)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:notices_mailserver_changelist"))

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Send a test message to oneself; where that works, use the server again."""
        if not _may_mend(request):
            raise PermissionDenied
        if request.method == "POST":
            self._try(request)
        return HttpResponseRedirect(reverse("admin:notices_mailserver_changelist"))

    def _try(self, request: HttpRequest) -> None:
        actor, now, carrier = person(request), timezone.now(), ways_out.postman()
        if carrier is None:
            self.message_user(request, _("No mail server is set up."), messages.WARNING)
            return
        if not actor.email:
            self.message_user(
                request,
                _("Fill in your own e-mail address first: the test message goes there."),
                messages.WARNING,
            )
            return
        try:
            tried = try_mail(actor=actor, postman=carrier, at=now, **ways_out.wording())
        except TooSoon:
            self.message_user(request, too_soon(), messages.WARNING)
            return
        finally:
            carrier.close()
        if tried.state == Message.State.FAILED:
            self.message_user(
                request,
                _("The test message did not leave: %(why)s") % {"why": tried.last_error},
                messages.ERROR,
            )
            return
        server = mail_server()
        if server.works:
            said = _("The test message to %(address)s was accepted.") % {"address": actor.email}
        else:
            count = switch_on(server, actor=actor, at=now)
            said = _("The mail server works again and is switched on. Messages that waited: %(count)d.") % {
                "count": count
            }
        self.message_user(request, said, messages.SUCCESS)


def too_soon() -> str:
    return _("A test message was sent just now. Wait %(seconds)d seconds.") % {
        "seconds": int(PAUSE.total_seconds())
    }


def _may_mend(request: HttpRequest) -> bool:
    return person(request).has_perm("notices.change_mailserver")
