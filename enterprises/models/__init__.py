from enterprises.models.enterprise import Enterprise, EnterpriseAlias
from enterprises.models.journal_records import JournalArchive, JournalExport, SignIn
from enterprises.models.membership import Membership
from enterprises.models.party import PartyBranch
from enterprises.models.user import User

__all__ = [
    "Enterprise",
    "EnterpriseAlias",
    "JournalArchive",
    "JournalExport",
    "Membership",
    "PartyBranch",
    "SignIn",
    "User",
]
