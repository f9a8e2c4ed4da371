"""What estimates and invoices have in common."""
