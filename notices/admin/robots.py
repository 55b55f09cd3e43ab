"""Group robots: kept by staff and officers for their units. Address and secret are typed and never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import ScopedModelAdmin, person
from notices.admin import ways_out
from notices.admin.mail_server import too_soon
from notices.channels.robots import check_address
from notices.channels.webhook import AddressRefused
from notices.models import Message, Robot
from notices.services.health import switch_on
from notices.services.trying import TooSoon, try_robot


class AddressForm(forms.ModelForm):
    """A new address and secret. What is kept is in neither field."""

    class Meta:
        model = Robot
        fields = ("address", "secret")
        widgets = {
            "address": forms.TextInput(
                attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}
            ),
            "secret": forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "new-password"}),
        }
        help_texts = {
            "address": gettext_lazy(
                "Copy it whole from the settings of the robot in the group. It is a key to the group and is not shown again."
            ),
            "secret": gettext_lazy(
                "DingTalk and Feishu: the key of “signing”, where it is switched on. WeCom has none."
            ),
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind") or self.instance.kind
        if (address := data.get("address")) and kind:
            try:
                check_address(address, kind, settings.NOTICES_ROBOT_HOSTS)
            except AddressRefused as error:
                self.add_error("address", str(error))
        return data


class NewRobotForm(AddressForm):
    class Meta(AddressForm.Meta):
        fields: Any = ("enterprise", "name", "kind", "address", "secret")


class ReplaceAddressForm(AddressForm):
    """On a page of its own, empty: keeping the address needs no form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {}


@admin.register(Robot)
class RobotAdmin(ScopedModelAdmin):
    list_display = ("name", "enterprise", "kind", "health_badge", "is_on", "last_ok_at")
    list_filter = ("kind", "is_on")
    search_fields = ("name", "enterprise__name")
    search_help_text = gettext_lazy("Group or unit")
    autocomplete_fields = ("enterprise",)
    add_fieldsets = ((None, {"fields": ("enterprise", "name", "kind", "address", "secret")}),)
    fieldsets = (
        (None, {"fields": ("name", "is_on")}),
        (gettext_lazy("The group"), {"fields": ("enterprise", "kind", "address_state")}),
        (
            gettext_lazy("How it does"),
            {"fields": ("health_badge", "off_because", "last_ok_at", "error_told", "last_error_at")},
        ),
    )
    readonly_fields = (
        "address_state",
        "health_badge",
        "off_because",
        "last_ok_at",
        "error_told",
        "last_error_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("enterprise", "set_by")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Another unit or service is another robot: its address would not fit, and its log would change hands.
        return (*self.readonly_fields, "enterprise", "kind") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewRobotForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.set_at, obj.set_by = timezone.now(), person(request)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        self.message_user(request, _("The robot is kept. Next: send a test message."))
        return HttpResponseRedirect(self._page(obj))

    # -- pages of its own -----------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:object_id>/address/", view(self.address_view), name="notices_robot_address"),
            path("<int:object_id>/try/", view(self.try_view), name="notices_robot_try"),
        ]
        return own + super().get_urls()

    def address_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        robot = self.get_object(request, str(object_id))
        if robot is None or not self.has_change_permission(request, robot):
            return self.missing(request, object_id)
        form = ReplaceAddressForm(request.POST or None, instance=robot)
        if request.method == "POST" and form.is_valid():
            robot.set_at, robot.set_by = timezone.now(), person(request)
            robot.save(update_fields=["address", "secret", "set_at", "set_by"])
            self.message_user(request, _("The new address is kept. Next: send a test message."))
            return HttpResponseRedirect(self._page(robot))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New address for %(name)s") % {"name": robot},
            "opts": self.opts,
            "form": form,
            "robot": robot,
            "back": self._page(robot),
        }
        return TemplateResponse(request, "admin/notices/robot/address.html", context)

    def try_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Send a test message into the group; where that works, use a robot again that was switched off."""
        robot = self.get_object(request, str(object_id))
        if robot is None or not self.has_change_permission(request, robot):
            return self.missing(request, object_id)
        if request.method == "POST":
            self._try(request, robot)
        return HttpResponseRedirect(self._page(robot))

    def _try(self, request: HttpRequest, robot: Robot) -> None:
        actor, now = person(request), timezone.now()
        try:
            tried = try_robot(
                actor=actor, robot=robot, messenger=ways_out.messenger(), at=now, **ways_out.wording()
            )
        except TooSoon:
            self.message_user(request, too_soon(), messages.WARNING)
            return
        if tried.state == Message.State.FAILED:
            self.message_user(
                request,
                _("The test message did not leave: %(why)s") % {"why": tried.last_error},
                messages.ERROR,
            )
        elif robot.works:
            self.message_user(request, _("The group has a test message."), messages.SUCCESS)
        else:
            count = switch_on(robot, actor=actor, at=now)
            self.message_user(
                request,
                _("The robot works again and is switched on. Messages that waited: %(count)d.")
                % {"count": count},
                messages.SUCCESS,
            )

    def _page(self, robot: Robot) -> str:
        return reverse("admin:notices_robot_change", args=[robot.pk])

    # -- columns --------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("webhook address"))
    def address_state(self, obj: Robot) -> str:
        if obj.set_at is None:
            return _("Set")
        day = date_format(timezone.localtime(obj.set_at), "DATE_FORMAT")
        signed = _("signed") if obj.secret else _("not signed")
        return _("Set · %(day)s · %(signed)s") % {"day": day, "signed": signed}

    @admin.display(description=gettext_lazy("condition"))
    def health_badge(self, obj: Robot) -> Any:
        tone, label = _condition(obj)
        return format_html('<span class="badge" data-tone="{}">{}</span>', tone, label)

    @admin.display(description=gettext_lazy("switched off because"), empty_value="—")
    def off_because(self, obj: Robot) -> str:
        return obj.off_in_words

    @admin.display(description=gettext_lazy("last error"), empty_value="—")
    def error_told(self, obj: Robot) -> str:
        return obj.last_error_in_words


def _condition(robot: Robot) -> tuple[str, str]:
    if not robot.is_on:
        return "grey", _("Not in use")
    if not robot.works:
        return "red", _("Switched off")
    if robot.failures:
        return "yellow", _("Failing")
    if robot.last_ok_at is None:
        return "grey", _("Not tried yet")
    return "green", _("Works")
