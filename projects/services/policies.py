"""Setting the thresholds of a programme, and seeing before that which projects would change colour."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from enterprises.models import User
from enterprises.plain_text import is_blank, tidy
from enterprises.scoping import may
from projects.lights import LightPolicy, reason_text
from projects.models import LightPolicyVersion, Programme, Project
from projects.periods import Cycle
from projects.services.light_sums import judged
from projects.services.lights import batches, red_shown_on, refresh_lights
from projects.services.refusals import Refused

#: Projects named in a preview; the counts are of all.
NAMED = 200
LONGEST_WINDOW = 60


@dataclass(frozen=True)
class Change:
    """A project that would show another light. Reasons are sentences in the active language."""

    project: Project
    was: str
    was_reason: str
    light: str
    reason: str


@dataclass(frozen=True)
class Preview:
    """What a policy would do.

    Attributes:
        counts: (light now, light then) → number of projects; "" is a project not judged yet.
        changes: the first `NAMED` of those whose light would change, by id.
    """

    counts: Mapping[tuple[str, str], int]
    changes: tuple[Change, ...]

    @property
    def changing(self) -> int:
        return sum(n for (was, light), n in self.counts.items() if was != light)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def faults(policy: LightPolicy) -> dict[str, str]:
    """What is wrong with the thresholds: name of the field → what to do about it."""
    found: dict[str, str] = {}
    if not 0 <= policy.warning_days <= LONGEST_WINDOW:
        found["warning_days"] = _("The warning window is 0 to %(most)d days.") % {"most": LONGEST_WINDOW}
    if not 1 <= policy.yellow_gap <= 100:
        found["yellow_gap"] = _(
            "Yellow begins at 1 to 100 points behind: from 0 on, every project on plan would be yellow."
        )
    if not 0 <= policy.red_gap <= 100:
        found["red_gap"] = _("Red begins above 0 to 100 points behind.")
    elif "yellow_gap" not in found and policy.red_gap < policy.yellow_gap:
        found["red_gap"] = _(
            "Red (above %(red)d points) would begin before yellow (from %(yellow)d points). "
            "Raise red to %(yellow)d or more, or lower yellow to %(red)d or less."
        ) % {"red": policy.red_gap, "yellow": policy.yellow_gap}
    if policy.cycle not in Cycle.values:
        found["cycle"] = _("Choose one of the reporting cycles.")
    return found


@transaction.atomic
def set_policy(
    *,
    programme_id: int,
    policy: LightPolicy,
    actor: User,
    reason: str,
    as_of: datetime.date,
    seen_number: int,
) -> Programme:
    """Set the thresholds of a programme and judge its projects by them.

    Args:
        reason: mandatory; kept with the version.
        as_of: the day from which they are in force.
        seen_number: the version that the actor was looking at.

    Returns:
        The programme with its new version.

    Raises:
        Refused: not the actor's; somebody else was faster; the thresholds overlap; nothing changed.
    """
    programme = Programme.objects.select_for_update(of=("self",), no_key=True).get(pk=programme_id)
    if not may(actor, "change", programme):
        raise Refused(_("Your role does not include this step."))
    if programme.archived_on:
        raise Refused(_("The programme is archived: its lights are history."))
    if programme.policy_number != seen_number:
        raise Refused(_overtaken(programme, actor))
    if wrong := faults(policy):
        raise Refused(" ".join(wrong.values()))
    if is_blank(reason):
        raise Refused(_("Say why: the reason stays with this version of the rules."))
    if policy == programme.light_policy:
        raise Refused(_("These are the rules in force already; nothing was saved."))
    # One statement: the triggers count the version and keep it with its day and its words.
    Programme.objects.filter(pk=programme.pk).update(
        warning_days=policy.warning_days,
        yellow_gap=policy.yellow_gap,
        red_gap=policy.red_gap,
        red_fades=policy.red_fades,
        reporting_cycle=policy.cycle,
        policy_since=as_of,
        policy_reason=tidy(reason)[:300],
        policy_by=actor,
    )
    refresh_lights(as_of=as_of, programme_id=programme.pk)
    programme.refresh_from_db()
    return programme


def makers_known_to(user: User, versions: Iterable[LightPolicyVersion]) -> dict[int, User]:
    """Who set these versions, by id: of those only whom `user` may know. A group does not learn names above it."""
    makers = {version.made_by_id for version in versions if version.made_by_id}
    return User.objects.choosable_by(user).in_bulk(makers)  # type: ignore[attr-defined,no-any-return]


def _overtaken(programme: Programme, actor: User) -> str:
    """Who was faster, and when."""
    number = programme.policy_number
    version = LightPolicyVersion.objects.filter(programme=programme, number=number).first()
    makers = list(makers_known_to(actor, [version] if version else []).values())
    when = date_format(timezone.localtime(version.made_at), "DATETIME_FORMAT") if version else "—"
    return _(
        "Meanwhile %(who)s has set version %(number)d (%(when)s). Nothing was saved; look at it, then try again."
    ) % {
        "who": makers[0] if makers else _("somebody"),
        "number": number,
        "when": when,
    }


def preview(*, programme: Programme, policy: LightPolicy, as_of: datetime.date, reader: User) -> Preview:
    """What saving `policy` today would change; writes nothing.

    Counts and names only projects that `reader` may see. A programme that is not in force has no lights
    to change.
    """
    if not programme.in_force(as_of):
        return Preview({}, ())
    since = programme.policy_since if policy == programme.light_policy else as_of
    visible, visible_params = (
        Project.objects.visible_to(reader)
        .filter(programme=programme)
        .order_by()
        .values("pk")
        .query.sql_with_params()
    )
    counts: Counter[tuple[str, str]] = Counter()
    named: list[tuple[int, str, dict[str, Any]]] = []
    for batch in batches(programme.pk):
        lights, params = judged(
            batch, policy, as_of, policy_since=since, red_shown_on=red_shown_on(programme, as_of)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH judged AS MATERIALIZED (
                    SELECT j.id, j.was_light, j.light, j.reason FROM ({lights}) j WHERE j.id IN ({visible})
                ),
                named AS (SELECT * FROM judged WHERE was_light <> light ORDER BY id LIMIT %s)
                SELECT was_light, light, count(*), NULL, NULL FROM judged GROUP BY was_light, light
                UNION ALL
                SELECT was_light, light, NULL, id, reason::text FROM named
                """,
                [*params, *visible_params, NAMED - len(named)],
            )
            for was, light, n, pk, reason in cursor.fetchall():
                if pk is None:
                    counts[was, light] += n
                else:
                    named.append((pk, light, _parsed(reason)))
    return Preview(dict(counts), _changes(named, as_of))


def _parsed(reason: str) -> dict[str, Any]:
    return dict(json.loads(reason))


def _changes(named: list[tuple[int, str, dict[str, Any]]], as_of: datetime.date) -> tuple[Change, ...]:
    rows = Project.objects.select_related("enterprise", "programme").in_bulk(
        [pk for pk, _light, _reason in named]
    )
    return tuple(
        Change(
            rows[pk],
            rows[pk].light,
            reason_text(rows[pk].reason, as_of),
            light,
            reason_text(reason, as_of),
        )
        for pk, light, reason in sorted(named, key=lambda row: row[0])
        if pk in rows
    )
