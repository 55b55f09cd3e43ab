"""What the journal calls its actions and doors, on pages, in exports and in archives alike."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

#: Labels of the triggers → what a person did.
ACTIONS = {"insert": _("added"), "update": _("changed"), "delete": _("deleted")}
#: Through which door a change came in: what `journal.context` writes.
DOORS = {
    "web": _("on a page"),
    "import": _("by an import"),
    "patrol": _("by the patrol"),
    "command": _("by a command"),
}
#: What happened to one value of a many-to-many field.
VALUES = {"added": _("adds"), "removed": _("removes")}
