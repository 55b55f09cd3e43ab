from enterprises.models.enterprise import Enterprise, EnterpriseAlias
from enterprises.models.membership import Membership
from enterprises.models.party import PartyBranch
from enterprises.models.user import User

__all__ = ["Enterprise", "EnterpriseAlias", "Membership", "PartyBranch", "User"]
