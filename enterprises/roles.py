"""Who may do what: the one table of roles, read by every check, by docs/roles.md and by the tests.

A permission is `app.action_model`, as Django writes it. A role is held through a membership, which
names the unit; *where* it holds is `enterprises.scoping`. Nobody is a superuser: the account model
has no such flag, so there is no road around this table.

Three administrators (三员分立): accounts, settings and the journal are three duties that no two of
which one person may hold at a time, and none of them includes business data.
"""

from __future__ import annotations

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    STAFF = "staff", _("SASAC staff")
    OFFICER = "officer", _("Enterprise party officer")
    LEADER = "leader", _("Leadership")
    SYSTEM = "system", _("System administrator")
    SECURITY = "security", _("Security administrator")
    AUDIT = "audit", _("Audit administrator")


class Duty(StrEnum):
    """Roles of different duties exclude each other for one person at one time."""

    BUSINESS = "business"
    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"


BUSINESS_ROLES = (Role.STAFF, Role.OFFICER, Role.LEADER)


def duty_of(role: str) -> Duty:
    return Duty.BUSINESS if role in BUSINESS_ROLES else Duty(role)


def _permissions(**models: str) -> frozenset[str]:
    """`projects__project="view change"` → {"projects.view_project", "projects.change_project"}."""
    return frozenset(
        "{}.{}_{}".format(label.split("__")[0], action, label.split("__")[1])
        for label, actions in models.items()
        for action in actions.split()
    )


_READ_BUSINESS = _permissions(
    enterprises__enterprise="view",
    enterprises__enterprisealias="view",
    enterprises__partybranch="view",
    projects__programme="view",
    projects__category="view",
    projects__project="view",
    projects__milestone="view",
    projects__overdueepisode="view",
    projects__progressreport="view",
    projects__extensionrequest="view",
    projects__extensionshift="view",
    projects__closeout="view",
    projects__evidence="view",
    projects__calendarday="view",
    projects__lightpolicyversion="view",
    projects__lightspan="view",
    projects__ladderrung="view",
    projects__escalation="view",
    projects__reminder="view",
    projects__sitevisit="view",
    projects__actionitem="view",
)

#: Everyone who may come in has an inbox and settings of their own.
_OWN_NOTICES = _permissions(notices__notice="view change", notices__preference="view change")

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.STAFF: _READ_BUSINESS
    | _OWN_NOTICES
    | _permissions(
        enterprises__enterprise="add change delete",
        enterprises__enterprisealias="add change delete",
        enterprises__partybranch="add change delete",
        enterprises__user="choose",
        projects__programme="add change archive",
        projects__category="add change delete",
        projects__project="add change delete approve suspend terminate reopen remind",
        projects__milestone="add change delete cancel",
        projects__progressreport="review",
        projects__extensionrequest="review",
        projects__closeout="review approve",
        projects__patrolrun="view",
        projects__setaside="view retry",
        projects__sitevisit="add change",
        projects__actionitem="add change",
        projects__calendarday="view add change delete",
        projects__ladderrung="view add change delete",
        projects__ledgerimport="view add change",
        projects__ledgerrow="view change",
        projects__ledgerpart="view",
        enterprises__exportlayout="view add delete",
        enterprises__savedview="view add change delete share",
        notices__robot="view add change delete",
        notices__mailserver="view",
        notices__message="log",
    ),
    Role.OFFICER: _READ_BUSINESS
    | _OWN_NOTICES
    | _permissions(
        enterprises__partybranch="change",
        enterprises__user="choose",
        projects__project="add change report",
        projects__milestone="add change report",
        projects__progressreport="change",
        projects__extensionrequest="change",
        projects__closeout="change",
        projects__actionitem="answer",
        projects__ledgerimport="view add change",
        projects__ledgerrow="view change",
        projects__ledgerpart="view",
        enterprises__exportlayout="view add delete",
        enterprises__savedview="view add change delete share",
        projects__patrolrun="view",
        notices__robot="view add change delete",
    ),
    Role.LEADER: _READ_BUSINESS
    | _OWN_NOTICES
    | _permissions(
        enterprises__user="choose",
        projects__sitevisit="add change",
        projects__actionitem="add change",
        projects__patrolrun="view",
        enterprises__exportlayout="view",
        enterprises__savedview="view add change delete",
    ),
    Role.SYSTEM: _OWN_NOTICES
    | _permissions(
        projects__patrolrun="view",
        projects__setaside="view retry",
        notices__mailserver="view change",
    ),
    Role.SECURITY: _OWN_NOTICES
    | _permissions(
        enterprises__user="view add change unlock",
        enterprises__membership="view add change",
        enterprises__enterprise="choose",
    ),
    Role.AUDIT: _OWN_NOTICES
    | _permissions(
        journal__entry="view export",
        enterprises__journalarchive="view",
        enterprises__journalexport="view",
        enterprises__listexport="view",
        enterprises__signin="view",
        enterprises__user="view",
        enterprises__membership="view",
        enterprises__enterprise="choose",
    ),
}


def roles_with(permission: str) -> frozenset[str]:
    return frozenset(role for role, held in PERMISSIONS.items() if permission in held)
