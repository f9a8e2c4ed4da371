"""workflow-service."""
