from projects.models.episode import OverdueEpisode
from projects.models.milestone import Milestone
from projects.models.patrol import PatrolRun, SetAside
from projects.models.programme import Category, Programme
from projects.models.project import Project

__all__ = [
    "Category",
    "Milestone",
    "OverdueEpisode",
    "PatrolRun",
    "Programme",
    "Project",
    "SetAside",
]
