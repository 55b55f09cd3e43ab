"""The pages for projects. Importing this package registers them with the admin site."""

from projects.admin import (
    calendar,
    evidence_files,
    ledgers,
    milestones,
    oversight,
    programmes,
    projects,
    reminders,
    submissions,
    visits,
)

__all__ = [
    "calendar",
    "evidence_files",
    "ledgers",
    "milestones",
    "oversight",
    "programmes",
    "projects",
    "reminders",
    "submissions",
    "visits",
]
