"""crm-service."""
