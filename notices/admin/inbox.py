"""The inbox (收件箱) and the settings of one person: pages that belong to no register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoped_lists import CappedPaginator
from notices.kinds import kind_of
from notices.models import Notice
from notices.services.inbox import mark, notices_of
from notices.ways import Group

PAGE = 30
#: More than a page; a form that names more was not made by the page.
MOST_AT_ONCE = 500
_TONES = {Group.OVERDUE: "red", Group.DUE: "yellow", Group.REMINDER: "blue", Group.DECISION: "green"}


@dataclass(frozen=True)
class Row:
    """A notice in words."""

    notice: Notice
    title: str
    label: str
    tone: str
    leads_on: bool

    @property
    def unread(self) -> bool:
        return self.notice.read_at is None and self.notice.settled_at is None


@dataclass(frozen=True)
class Choice:
    """A filter as the page offers it."""

    label: str
    url: str
    here: bool
    unread: bool = False


def inbox_page(site: Any, request: HttpRequest) -> HttpResponse:
    """What the portal told the person, newest first; a POST marks."""
    reader = person(request)
    if request.method == "POST":
        return _mark(request, reader)
    asked = {name: request.GET.get(name, "")[:60].strip() for name in ("show", "group", "q")}
    rows = notices_of(reader=reader, show=asked["show"], group=asked["group"], text=asked["q"])
    page = CappedPaginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        **site.each_context(request),
        "title": _("Inbox"),
        "rows": [_row(notice) for notice in page.object_list],
        "page": page,
        "pages": [
            (number, _link(asked, page=number) if isinstance(number, int) else "")
            for number in page.paginator.get_elided_page_range(page.number, on_each_side=2)
        ],
        "tabs": [
            Choice(_("All"), _link(asked, show=""), asked["show"] not in ("unread", "settled")),
            Choice(_("Unread"), _link(asked, show="unread"), asked["show"] == "unread", unread=True),
            Choice(_("No longer so"), _link(asked, show="settled"), asked["show"] == "settled"),
        ],
        "groups": [
            Choice(_("Everything"), _link(asked, group=""), asked["group"] not in Group.values),
            *(
                Choice(capfirst(str(group.label)), _link(asked, group=group.value), asked["group"] == group)
                for group in Group
            ),
        ],
        "asked": asked,
        "filtered": any(asked.values()),
        "here": request.get_full_path(),
        "mail_is_set_up": bool(settings.EMAIL_HOST),
        "own_address": reader.email,
    }
    return TemplateResponse(request, "admin/notices/inbox.html", context)


def open_notice(site: Any, request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark one as read and lead on to what it is about. A foreign one is answered like a missing one."""
    reader = person(request)
    notice = Notice.objects.visible_to(reader).filter(pk=notice_id).first()
    if notice is None:
        messages.warning(request, _("This notice does not exist (any more)."))
        return HttpResponseRedirect(reverse("admin:inbox"))
    mark(reader=reader, ids=[notice.pk], read=True, at=timezone.now())
    return HttpResponseRedirect(_target(notice) or reverse("admin:inbox"))


def _mark(request: HttpRequest, reader: User) -> HttpResponse:
    now, back = timezone.now(), request.POST.get("next", "")
    ticked = [int(text) for text in request.POST.getlist("notice") if _is_id(text)][:MOST_AT_ONCE]
    action = request.POST.get("action", "")
    one = request.POST.get("read") or request.POST.get("unread") or ""
    if _is_id(one):
        mark(reader=reader, ids=[int(one)], read="read" in request.POST, at=now)
    elif action == "all":
        count = mark(reader=reader, ids=None, read=True, at=now)
        messages.success(
            request, ngettext("%d notice marked as read.", "%d notices marked as read.", count) % count
        )
    elif action in ("read", "unread"):
        if ticked:
            mark(reader=reader, ids=ticked, read=action == "read", at=now)
        else:
            messages.warning(request, _("Tick the notices first."))
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(back if safe and back.startswith("/inbox/") else reverse("admin:inbox"))


def _row(notice: Notice) -> Row:
    kind = kind_of(notice.kind)
    try:
        title = str(kind.title(notice.data))
    except (
        Exception
    ):  # the words of a kind are code of others: one old row must not take the whole inbox away
        title = str(kind.label)
    tone = kind.tone or _TONES.get(Group(kind.group), "grey")
    return Row(
        notice,
        title,
        capfirst(str(kind.label)),
        "grey" if notice.settled_at else tone,
        bool(_target(notice)),
    )


def _target(notice: Notice) -> str:
    """Where the notice leads, within the portal; "" for nowhere."""
    try:
        url = kind_of(notice.kind).url(notice)
    except Exception:
        return ""
    return url if url.startswith("/") and not url.startswith("//") else ""


def _link(asked: dict[str, str], **changed: Any) -> str:
    query = {
        name: value for name, value in {**asked, **changed}.items() if value and (name, value) != ("page", 1)
    }
    return f"?{urlencode(query)}"


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
