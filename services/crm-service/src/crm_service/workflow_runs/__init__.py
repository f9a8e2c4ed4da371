"""What the workflow did for a potential, on its page (S14–S17)."""
