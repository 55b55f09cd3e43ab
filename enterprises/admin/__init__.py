"""The register pages. Importing this package registers them with the admin site."""

from enterprises.admin import accounts, registers

__all__ = ["accounts", "registers"]
