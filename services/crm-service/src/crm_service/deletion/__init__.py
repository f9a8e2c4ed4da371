"""Deleting: a tombstone of the record itself, and what referred to it goes on without it; and restoring undoes both."""
