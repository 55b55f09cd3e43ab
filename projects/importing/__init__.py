"""Ledgers in: what a file says, what the portal understood of it, and what a person decides about the rest."""
