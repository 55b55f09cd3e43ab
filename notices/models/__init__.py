from notices.models.channel import MailServer, Robot
from notices.models.message import Message
from notices.models.notice import Notice
from notices.models.preference import Preference

__all__ = ["MailServer", "Message", "Notice", "Preference", "Robot"]
