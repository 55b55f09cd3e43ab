"""What every page shows around its content: navigation, the last patrol, the day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from enterprises.roles import PERMISSIONS
from notices.services.inbox import header_of
from portal.health import PATROL_LATE_AFTER
from projects.services.patrol import last_run


@dataclass(frozen=True)
class NavItem:
    label: Any
    url: str
    here: bool


@dataclass(frozen=True)
class NavGroup:
    """What stands under a heading behind “More”."""

    label: Any
    items: list[NavItem]


#: As many stand in one row at 1000 pixels, in English too; whoever has more finds the seldom used behind “More”.
ONE_ROW = 8

#: Label, URL name, permission that opens it. The order is the order of a working day.
NAVIGATION = (
    (_("Home"), "admin:index", None),
    (_("Cockpit"), "admin:cockpit", "projects.view_project"),
    (_("Review desk"), "admin:review", "projects.review_progressreport"),
    (_("Projects"), "admin:projects_project_changelist", "projects.view_project"),
    (_("Milestones"), "admin:projects_milestone_changelist", "projects.view_milestone"),
    (_("Wall chart"), "admin:wall", "projects.view_project"),
    (_("Ledgers"), "admin:projects_ledgerimport_changelist", "projects.add_ledgerimport"),
    (_("Reports"), "admin:projects_progressreport_changelist", "projects.change_progressreport"),
    (_("Extensions"), "admin:projects_extensionrequest_changelist", "projects.change_extensionrequest"),
    (_("Liaison projects"), "admin:liaison", "projects.add_sitevisit"),
)

#: What is looked up or set up now and then, in the same form.
SELDOM = (
    (
        _("Follow-up"),
        (
            (
                _("Overdue records"),
                "admin:projects_overdueepisode_changelist",
                "projects.view_overdueepisode",
            ),
            (_("Reminders"), "admin:projects_reminder_changelist", "projects.remind_project"),
            (_("Site visits"), "admin:projects_sitevisit_changelist", "projects.view_sitevisit"),
            (_("Action items"), "admin:projects_actionitem_changelist", "projects.view_actionitem"),
        ),
    ),
    (
        _("Registers"),
        (
            (_("Enterprises"), "admin:enterprises_enterprise_changelist", "enterprises.view_enterprise"),
            (
                _("Party organisations"),
                "admin:enterprises_partybranch_changelist",
                "enterprises.view_partybranch",
            ),
            (_("Programmes"), "admin:projects_programme_changelist", "projects.view_programme"),
            (_("Working calendar"), "admin:projects_calendarday_changelist", "projects.change_calendarday"),
        ),
    ),
    (
        _("Administration"),
        (
            (_("Accounts"), "admin:enterprises_user_changelist", "enterprises.view_user"),
            (_("Memberships"), "admin:enterprises_membership_changelist", "enterprises.view_membership"),
            (_("Patrol"), "admin:patrol", "projects.view_patrolrun"),
            (_("Group robots"), "admin:notices_robot_changelist", "notices.view_robot"),
            (_("Delivery log"), "admin:notices_message_changelist", "notices.log_message"),
            (_("Mail server"), "admin:notices_mailserver_changelist", "notices.view_mailserver"),
            (_("Journal"), "admin:journal", "journal.view_entry"),
            (_("Exports of lists"), "admin:enterprises_listexport_changelist", "enterprises.view_listexport"),
        ),
    ),
)


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context of every page. Pages for people who are not logged in get no data."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.grants:
        return {"as_of": timezone.localdate()}
    run = last_run()
    late = run is None or (timezone.now() - run.finished_at).total_seconds() > PATROL_LATE_AFTER  # type: ignore[operator]
    return {
        "as_of": timezone.localdate(),
        "navigation": _navigation(user.roles, request.path),
        "last_patrol": run,
        "patrol_is_late": late,
        "patrol_every": settings.PATROL_SECONDS,
        "header": header_of(reader=user),
    }


def navigation_of(roles: frozenset[str], path: str) -> dict[str, Any]:
    """What the holder of these roles may open: `nav` in a row, `nav_more` behind “More”, with the page at `path` marked."""
    nav = _items(roles, path, NAVIGATION)
    more = [NavGroup(label, items) for label, rows in SELDOM if (items := _items(roles, path, rows))]
    if len(nav) + sum(len(group.items) for group in more) <= ONE_ROW:
        nav, more = nav + [item for group in more for item in group.items], []
    here = next((item for group in more for item in group.items if item.here), None)
    return {"nav": nav, "nav_more": more, "nav_more_here": here}


def _items(roles: frozenset[str], path: str, rows: tuple[tuple[Any, str, str | None], ...]) -> list[NavItem]:
    items = []
    for label, name, permission in rows:
        if permission is None or any(permission in PERMISSIONS[role] for role in roles):
            url = reverse(name)
            items.append(NavItem(label, url, _is_here(url, path)))
    return items


def _is_here(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


@cache
def _urls() -> tuple[str, ...]:
    return tuple(
        reverse(name)
        for _label, name, _permission in (*NAVIGATION, *(row for _, rows in SELDOM for row in rows))
    )


def _navigation(roles: frozenset[str], path: str) -> SafeString:
    # Pages below one link look the same up there, so they share what was drawn.
    page = max((url for url in _urls() if _is_here(url, path)), key=len, default="")
    return _drawn(roles, page, get_language())


@lru_cache(maxsize=1_000)
def _drawn(roles: frozenset[str], page: str, language: str | None) -> SafeString:
    return SafeString(render_to_string("portal/navigation.html", navigation_of(roles, page)))
