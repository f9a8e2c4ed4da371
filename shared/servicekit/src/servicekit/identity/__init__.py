"""People of one product: users, signing in, and long-lived API tokens."""
