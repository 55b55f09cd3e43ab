from projects.models.calendar import CalendarDay
from projects.models.close_out import CloseOut
from projects.models.episode import OverdueEpisode
from projects.models.escalation import Escalation, LadderRung, Reminder
from projects.models.evidence import Evidence
from projects.models.extension import ExtensionRequest, ExtensionShift
from projects.models.ledger import LedgerImport, LedgerPart, LedgerRow
from projects.models.light import LightPolicyVersion, LightSpan
from projects.models.milestone import Milestone
from projects.models.patrol import PatrolRun, SetAside
from projects.models.programme import Category, Programme
from projects.models.project import Project
from projects.models.report import ProgressReport
from projects.models.search import MilestoneName, ProjectWords, WordsDue
from projects.models.submission import Submission
from projects.models.tally import DailyTally, Tally, TallyMark, UnitInTree
from projects.models.visit import ActionItem, SiteVisit

__all__ = [
    "ActionItem",
    "CalendarDay",
    "Category",
    "CloseOut",
    "DailyTally",
    "Escalation",
    "Evidence",
    "ExtensionRequest",
    "ExtensionShift",
    "LadderRung",
    "LedgerImport",
    "LedgerPart",
    "LedgerRow",
    "LightPolicyVersion",
    "LightSpan",
    "Milestone",
    "MilestoneName",
    "OverdueEpisode",
    "PatrolRun",
    "Programme",
    "ProgressReport",
    "Project",
    "ProjectWords",
    "Reminder",
    "SetAside",
    "SiteVisit",
    "Submission",
    "Tally",
    "TallyMark",
    "UnitInTree",
    "WordsDue",
]
