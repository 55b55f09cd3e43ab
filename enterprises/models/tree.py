"""Trees kept by the database: a materialised path that no writer can get wrong.

The path is made of ids ("12.40.7."), each ended by a dot so that "1." is no prefix of "12.". Two
triggers keep it: one computes the path of the row written and refuses a cycle, one carries a move
to everything below. Being triggers, they hold for COPY and raw SQL too. C collation makes
`LIKE 'prefix%'` an index range.
"""

from __future__ import annotations

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

#: Name of the constraint that a refused cycle reports; forms turn it into a sentence.
CYCLE = "tree_has_no_cycle"


class TreeNode(models.Model):
    """A node of a tree. Concrete models add `triggers = tree_triggers(table)` to their Meta."""

    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent"),
    )
    path = models.CharField(
        _("path"), max_length=300, default="", editable=False, db_collation="C", unique=True
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Say in words what the trigger would refuse: a unit below itself."""
        super().clean()
        if self.path and self.parent is not None and self.parent.path.startswith(self.path):
            raise ValidationError(
                {"parent": _("A unit cannot stand below itself or below one of its own units.")}
            )

    @property
    def depth(self) -> int:
        """0 for a root."""
        return self.path.count(".") - 1


def tree_triggers(table: str) -> list[pgtrigger.Trigger]:
    """The two triggers that keep `path` true in `table`."""
    own_path = pgtrigger.Trigger(
        name="own_path",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id", "path"),
        declare=[("above", "text")],
        # The lock lets two opposite moves (A under B, B under A) meet: unlocked, each would see
        # the tree before the other and both would pass the test for a cycle.
        func=f"""
            PERFORM pg_advisory_xact_lock(hashtext('{table}.path'))
                WHERE TG_OP = 'UPDATE' AND NEW.parent_id IS DISTINCT FROM OLD.parent_id;
            IF NEW.parent_id IS NULL THEN
                above := '';
            ELSE
                SELECT path INTO above FROM {table} WHERE id = NEW.parent_id;
            END IF;
            IF TG_OP = 'UPDATE' AND position('.' || NEW.id || '.' IN '.' || above) > 0 THEN
                RAISE EXCEPTION 'a unit cannot stand below itself'
                    USING ERRCODE = 'check_violation', CONSTRAINT = '{CYCLE}';
            END IF;
            NEW.path := above || NEW.id || '.';
            RETURN NEW;
        """,
    )
    moved_below = pgtrigger.Trigger(
        name="moved_below",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("path", "parent_id"),
        condition=pgtrigger.Q(old__path__df=pgtrigger.F("new__path")),
        # Children recompute their own path from ours, and so on downwards.
        func=f"""
            UPDATE {table} SET path = '' WHERE parent_id = NEW.id;
            RETURN NULL;
        """,
    )
    return [own_path, moved_below]
