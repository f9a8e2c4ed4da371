"""Plans: how much an organization may make (S13)."""
