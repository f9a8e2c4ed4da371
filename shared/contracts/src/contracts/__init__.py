"""The published language: events, commands and their topology. Depends on pydantic alone."""
