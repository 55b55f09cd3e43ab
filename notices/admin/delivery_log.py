"""The delivery log (投递记录): what left the portal for whom, and how it went. Never what it said."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from enterprises.scoped_admin import ScopedModelAdmin
from enterprises.scoping import may
from notices.models import Message
from notices.reasons import in_words

_TONES = {
    Message.State.WAITING: "blue",
    Message.State.SENT: "green",
    Message.State.FAILED: "red",
    Message.State.DROPPED: "grey",
    Message.State.MERGED: "grey",
}
_SHOWN = (
    "state_badge",
    "to_whom",
    "channel",
    "kind",
    "created_at",
    "attempts",
    "why_not",
    "next_try",
    "finished_at",
)


@admin.register(Message)
class MessageAdmin(ScopedModelAdmin):
    """Seen by whoever may read the log ("log"), not by the rule of personal rows: those are the inbox."""

    class Media:
        css: ClassVar[dict[str, Any]] = {"all": ["portal/notices.css"]}

    list_display = _SHOWN
    list_display_links = None
    fields = readonly_fields = _SHOWN
    list_filter = ("state", "channel", "kind")
    search_fields = ("recipient__name", "recipient__username", "robot__name")
    search_help_text = gettext_lazy("Recipient or group")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            Message.objects.permitted(request.user, "log")
            .select_related("recipient", "robot")
            .order_by("-id")
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not request.user.has_perm("notices.log_message"):
            return False
        return obj is None or may(request.user, "log", obj)  # type: ignore[arg-type]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, obj: Message) -> Any:
        tone, label = _TONES[Message.State(obj.state)], capfirst(str(obj.get_state_display()))
        return format_html('<span class="badge" data-tone="{}">{}</span>', tone, label)

    @admin.display(description=gettext_lazy("recipient"))
    def to_whom(self, obj: Message) -> Any:
        return format_html('<span class="row-title">{}</span>', str(obj.robot or obj.recipient))

    @admin.display(description=gettext_lazy("last error"), ordering="last_error", empty_value="—")
    def why_not(self, obj: Message) -> str:
        return in_words(obj.last_error)

    @admin.display(description=gettext_lazy("next try"), empty_value="—")
    def next_try(self, obj: Message) -> Any:
        return obj.next_try_at if obj.state == Message.State.WAITING else None
