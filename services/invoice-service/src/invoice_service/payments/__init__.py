"""Payments: what a customer has paid, and for which invoices."""
