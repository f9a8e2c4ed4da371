"""Runs of every kind: what each one read, did and failed at, who carries it out, and how far it got."""
