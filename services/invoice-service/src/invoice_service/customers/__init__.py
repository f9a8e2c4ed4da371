"""Customers, their contact persons, and the CRM records they came from."""
