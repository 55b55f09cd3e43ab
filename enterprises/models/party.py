"""Party organisations: a tree of their own beside the tree of enterprises."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from enterprises.models.enterprise import Enterprise
from enterprises.models.tree import TreeNode, tree_triggers
from enterprises.querysets import TreeQuerySet
from enterprises.scoping import Within
from journal.tracking import tracked


@tracked()
class PartyBranch(TreeNode):
    """A party committee, general branch, branch, joint or temporary branch of an enterprise."""

    class Kind(models.TextChoices):
        COMMITTEE = "committee", _("Party committee")
        GENERAL_BRANCH = "general_branch", _("General party branch")
        BRANCH = "branch", _("Party branch")
        JOINT_BRANCH = "joint_branch", _("Joint party branch")
        TEMPORARY_BRANCH = "temporary_branch", _("Temporary party branch")

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    enterprise = models.ForeignKey(
        Enterprise, on_delete=models.PROTECT, related_name="party_branches", verbose_name=_("enterprise")
    )
    secretary = models.CharField(_("secretary"), max_length=60, blank=True)
    member_count = models.PositiveIntegerField(_("members"), null=True, blank=True)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)

    objects = TreeQuerySet.as_manager()
    scope = Within("enterprise")

    class Meta:
        verbose_name = _("party organisation")
        verbose_name_plural = _("party organisations")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "name"],
                name="party_branch_once_per_enterprise",
                violation_error_message=_("The enterprise already has a party organisation with this name."),
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="party_branch_not_own_parent"
            ),
        ]
        triggers = tree_triggers("enterprises_partybranch")

    def __str__(self) -> str:
        return self.name
