"""What this service asks of the CRM and of Invoice."""
