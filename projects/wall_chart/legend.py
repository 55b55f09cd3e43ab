"""What the shapes of a chart mean, in words: on the page and at the foot of every sheet."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from projects.lights import Light
from projects.states import MilestoneState

#: Lights in the order in which they are named everywhere.
ORDER = (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)


def legend() -> list[tuple[str, str]]:
    """(shape as SVG around 0,0 in row units, its words)."""
    return [
        (
            '<rect class="tone-green track" x="-10" y="-4" width="20" height="8" rx="1.5"/>'
            '<rect class="key-done" x="-10" y="-4" width="10" height="8" rx="1.5"/>',
            _("plan and progress"),
        ),
        ('<rect class="ghost" x="-10" y="-1.5" width="20" height="3"/>', _("as first promised")),
        ('<use href="#wall-red"/>', _("milestone overdue")),
        ('<use href="#wall-yellow"/>', _("due soon or extension pending")),
        ('<use href="#wall-green"/>', _("under way")),
        ('<use href="#wall-blue"/>', str(MilestoneState.ACCEPTED.label)),
        ('<use href="#wall-grey"/>', _("not started or cancelled")),
        ('<path class="today" d="M0-9v18"/>', _("today")),
    ]


def light_words(lights: Mapping[str, int]) -> list[tuple[str, int]]:
    """(name of a light, number) of those that occur, worst first; projects that were never judged come last."""
    named = [(str(light.label), lights[light.value]) for light in ORDER if lights.get(light.value)]
    return named + ([(_("Not judged"), lights[""])] if lights.get("") else [])
