"""Merging customers into one another, with preview, journal and undo (S29)."""
