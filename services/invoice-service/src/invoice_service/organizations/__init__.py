"""Organizations: whose books these are."""
