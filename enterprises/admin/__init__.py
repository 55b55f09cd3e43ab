"""The register pages. Importing this package registers them with the admin site."""

from enterprises.admin import accounts, exports, registers, saved_views

__all__ = ["accounts", "exports", "registers", "saved_views"]
