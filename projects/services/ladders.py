"""A programme's escalation ladder: read, changed, and tried out before it is saved."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.scoping import may
from projects.ladder import DEFAULT_LADDER, Rung
from projects.models import LadderRung, Programme
from projects.services.refusals import Refused

MOST_RUNGS = 20


@dataclass(frozen=True)
class Ladder:
    """Everything that decides who is told when.

    Attributes:
        rungs: in the order of their days.
        is_on: False: nobody is told by the patrol.
        quiet_from, quiet_until: nothing leaves the portal between them; equal means never quiet.
    """

    rungs: tuple[Rung, ...]
    is_on: bool
    quiet_from: datetime.time
    quiet_until: datetime.time

    @property
    def fingerprint(self) -> str:
        """Changes whenever anything of the ladder does: what an editor started from."""
        said = repr((tuple(map(astuple, self.rungs)), self.is_on, self.quiet_from, self.quiet_until))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def ladder_of(programme: Programme) -> Ladder:
    """The ladder in force: the programme's own rungs, or the default where it has none."""
    own = tuple(row.rung for row in LadderRung.objects.filter(programme=programme).order_by("days", "pk"))
    return Ladder(own or DEFAULT_LADDER, programme.ladder_on, programme.quiet_from, programme.quiet_until)


def fault_in(rungs: Sequence[Rung]) -> str:
    """Why these rungs make no ladder, or ""."""
    if not rungs:
        return _("A ladder needs at least one rung. To tell nobody, switch it off instead.")
    if len(rungs) > MOST_RUNGS:
        return _("A ladder has at most %(most)d rungs.") % {"most": MOST_RUNGS}
    if any(rung.days == 0 for rung in rungs):
        return _("A rung stands at least one working day before or after the due date.")
    places = [(rung.days, rung.recipient) for rung in rungs]
    if len(set(places)) < len(places):
        return _("Two rungs tell the same post on the same day.")
    return ""


@transaction.atomic
def set_ladder(*, programme_id: int, ladder: Ladder, actor: User, seen: str) -> None:
    """Replace a programme's ladder. What was climbed already stays climbed.

    Args:
        seen: fingerprint of the ladder that the actor started from.

    Raises:
        Refused: not permitted, no ladder, or somebody else changed it meanwhile; nothing is changed.
    """
    programme = Programme.objects.select_for_update().get(pk=programme_id)
    if not may(actor, "change", programme) or programme.archived_on:
        raise Refused(_("Your role does not include this step."))
    if fault := fault_in(ladder.rungs):
        raise Refused(fault)
    if ladder_of(programme).fingerprint != seen:
        raise Refused(_("Somebody else changed the ladder meanwhile. Compare both and save again."))
    kept = {(row.days, row.recipient): row for row in LadderRung.objects.filter(programme=programme)}
    for rung in ladder.rungs:
        row = kept.pop((rung.days, rung.recipient), None)
        if row is None:
            row = LadderRung(programme=programme, days=rung.days, recipient=rung.recipient)
        elif row.rung == rung:
            continue
        row.order, row.urgent, row.mandatory = rung.order, rung.urgent, rung.mandatory
        row.save()
    for row in kept.values():
        row.delete()
    programme.ladder_on = ladder.is_on
    programme.quiet_from, programme.quiet_until = ladder.quiet_from, ladder.quiet_until
    programme.save(update_fields=["ladder_on", "quiet_from", "quiet_until"])
