"""The pages for projects. Importing this package registers them with the admin site."""

from projects.admin import evidence_files, milestones, oversight, programmes, projects, submissions

__all__ = ["evidence_files", "milestones", "oversight", "programmes", "projects", "submissions"]
