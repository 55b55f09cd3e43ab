from notices.admin import delivery_log, mail_server, robots

__all__ = ["delivery_log", "mail_server", "robots"]
