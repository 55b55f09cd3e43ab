from enterprises.models.enterprise import Enterprise, EnterpriseAlias
from enterprises.models.exports import ExportLayout, ListExport
from enterprises.models.journal_records import JournalArchive, JournalExport, SignIn
from enterprises.models.membership import Membership
from enterprises.models.party import PartyBranch
from enterprises.models.saved_views import SavedView
from enterprises.models.search import EnterpriseWords, PartyBranchWords
from enterprises.models.user import User

__all__ = [
    "Enterprise",
    "EnterpriseAlias",
    "EnterpriseWords",
    "ExportLayout",
    "JournalArchive",
    "JournalExport",
    "ListExport",
    "Membership",
    "PartyBranch",
    "PartyBranchWords",
    "SavedView",
    "SignIn",
    "User",
]
