from enterprises.models.enterprise import Enterprise, EnterpriseAlias
from enterprises.models.exports import ExportLayout, ListExport
from enterprises.models.journal_records import JournalArchive, JournalExport, SignIn
from enterprises.models.membership import Membership
from enterprises.models.party import PartyBranch
from enterprises.models.user import User

__all__ = [
    "Enterprise",
    "EnterpriseAlias",
    "ExportLayout",
    "JournalArchive",
    "JournalExport",
    "ListExport",
    "Membership",
    "PartyBranch",
    "SignIn",
    "User",
]
