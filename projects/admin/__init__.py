"""The pages for projects. Importing this package registers them with the admin site."""

from projects.admin import milestones, oversight, programmes, projects

__all__ = ["milestones", "oversight", "programmes", "projects"]
