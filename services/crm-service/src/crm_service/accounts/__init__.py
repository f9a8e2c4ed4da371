"""Accounts: the companies one deals with."""
