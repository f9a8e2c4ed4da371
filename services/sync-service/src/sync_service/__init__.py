"""sync-service."""
