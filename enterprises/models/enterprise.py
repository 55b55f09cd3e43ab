"""Enterprise: a node of the one tree that everything in the portal hangs on."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises import credit_code
from enterprises.models.tree import TreeNode, tree_triggers
from enterprises.querysets import EnterpriseQuerySet, ScopedQuerySet
from enterprises.scoping import Within
from enterprises.sort_key import pinyin_key
from journal.tracking import tracked


def validate_credit_code(value: str) -> None:
    """Refuse a unified social credit code whose check character is wrong (GB 32100-2015)."""
    from django.core.exceptions import ValidationError

    if value and not credit_code.is_valid(value):
        raise ValidationError(
            _(
                "%(code)s is not a valid unified social credit code: the check character does not fit (GB 32100-2015)."
            ),
            code="credit_code",
            params={"code": value},
        )


@tracked(exclude=["sort_key"])
class Enterprise(TreeNode):
    """A SASAC, a group, a subsidiary, a branch company or a department."""

    class Kind(models.TextChoices):
        SASAC = "sasac", _("SASAC")
        GROUP = "group", _("Group")
        SUBSIDIARY = "subsidiary", _("Subsidiary")
        BRANCH = "branch", _("Branch company")
        DEPARTMENT = "department", _("Department")

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        CLOSED = "closed", _("Closed or merged")

    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[0-9A-Za-z][0-9A-Za-z_.-]*\Z", _("Letters, digits, dot, hyphen and underscore only.")
            )
        ],
        help_text=_("The portal's own short code; imports find the enterprise by it."),
    )
    name = models.CharField(_("full name"), max_length=120)
    short_name = models.CharField(_("short name"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    credit_code = models.CharField(
        _("unified social credit code"),
        max_length=18,
        blank=True,
        validators=[validate_credit_code],
    )
    region_code = models.CharField(
        _("region code"),
        max_length=12,
        blank=True,
        validators=[
            RegexValidator(r"^\d{2}(\d{2}){0,2}(\d{3}){0,2}\Z", _("2, 4, 6, 9 or 12 digits (GB/T 2260)."))
        ],
    )
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE)
    is_demo = models.BooleanField(_("demonstration data"), default=False, editable=False)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)
    sort_key = models.CharField(max_length=200, blank=True, editable=False, db_collation="C")

    objects = EnterpriseQuerySet.as_manager()
    scope = Within("")

    class Meta:
        verbose_name = _("enterprise")
        verbose_name_plural = _("enterprises")
        ordering = ["sort_key", "id"]
        indexes = [models.Index(fields=["sort_key", "id"], name="enterprise_by_sort_key")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="enterprise_has_a_name"),
            models.CheckConstraint(
                condition=Q(parent__isnull=False) | Q(kind="sasac"),
                name="enterprise_root_is_a_sasac",
                violation_error_message=_("Only a SASAC may stand at the top: choose the parent unit."),
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="enterprise_not_own_parent"
            ),
            models.UniqueConstraint(
                fields=["credit_code"],
                condition=~Q(credit_code=""),
                name="enterprise_credit_code_unique",
                violation_error_message=_("Another enterprise has this credit code."),
            ),
            models.UniqueConstraint(
                fields=["parent", "name"],
                nulls_distinct=False,
                name="enterprise_name_unique_below_parent",
                violation_error_message=_("The parent unit already has an enterprise with this name."),
            ),
        ]
        triggers = tree_triggers("enterprises_enterprise")

    def __str__(self) -> str:
        return self.short_name or self.name

    @property
    def full_label(self) -> str:
        """For choices, where the short name alone would not say which one it is."""
        return f"{self.name}（{self.short_name}）" if self.short_name else self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.credit_code = credit_code.normalise(self.credit_code)
        self.sort_key = pinyin_key(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key", "credit_code"}
        super().save(*args, **kwargs)


@tracked(parent="enterprise")
class EnterpriseAlias(models.Model):
    """Another name under which an enterprise is written, with the days on which it was in use."""

    enterprise = models.ForeignKey(
        Enterprise, on_delete=models.CASCADE, related_name="aliases", verbose_name=_("enterprise")
    )
    name = models.CharField(_("alias"), max_length=120)
    valid_from = models.DateField(_("in use from"), null=True, blank=True)
    valid_until = models.DateField(_("in use until"), null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "name"], name="alias_once_per_enterprise"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="alias_ends_after_it_begins",
                violation_error_message=_("The last day must not lie before the first."),
            ),
        ]
        indexes = [models.Index(fields=["name"], name="alias_by_name")]

    def __str__(self) -> str:
        return self.name
