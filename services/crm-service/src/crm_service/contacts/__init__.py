"""Contacts: the people one deals with, of an account or standing alone."""
