"""Estimates: what is offered to a customer."""
