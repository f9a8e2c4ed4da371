"""Carrying out runs: what is read from where, what is done with it, and who does it."""
