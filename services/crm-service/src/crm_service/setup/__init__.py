"""Set-up of what other services do for the CRM: the workflow, which workflow-service runs."""
