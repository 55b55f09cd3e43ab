"""Membership: a role at a unit, for a time. The only source of rights."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.utils.translation import gettext_lazy as _

from enterprises.models.enterprise import Enterprise
from enterprises.models.user import User
from enterprises.querysets import MembershipQuerySet
from enterprises.roles import BUSINESS_ROLES, Role
from enterprises.scoping import Within
from journal.tracking import tracked

#: The duty of a role, in SQL: the twin of `roles.duty_of`, pinned to it by a test.
_DUTY = Case(
    When(role__in=[str(role.value) for role in BUSINESS_ROLES], then=Value("business")),
    default=F("role"),
    output_field=models.CharField(),
)


class _DateRange(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


@tracked(parent="user", named_by="role")
class Membership(models.Model):
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("account")
    )
    role = models.CharField(_("role"), max_length=8, choices=Role.choices)
    unit = models.ForeignKey(
        Enterprise, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("unit")
    )
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_until = models.DateField(
        _("until"), null=True, blank=True, help_text=_("Inclusive; blank means until further notice.")
    )
    acting_for = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deputies",
        verbose_name=_("acting for"),
        help_text=_("What this colleague would be told comes here too, while this membership is in force."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = MembershipQuerySet.as_manager()
    scope = Within("unit")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["user", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="membership_ends_after_it_begins",
                violation_error_message=_("The last day must not lie before the first."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=[str(role.value) for role in Role]), name="membership_role_known"
            ),
            # 三员分立 in the database: accounts, settings, journal and business are four duties,
            # and nobody holds two of them on the same day, whichever way the row was written.
            ExclusionConstraint(
                name="membership_separation_of_duties",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    (_DUTY, RangeOperators.NOT_EQUAL),
                    (_DateRange("valid_from", "valid_until", Value("[]")), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_(
                    "Separation of duties: this account already holds a role of another kind at that time."
                ),
            ),
        ]

    def clean(self) -> None:
        super().clean()
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            # Said here, at the field: the exclusion constraint below cannot even be asked with such dates.
            raise ValidationError({"valid_until": _("The last day must not lie before the first.")})

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.unit}"
