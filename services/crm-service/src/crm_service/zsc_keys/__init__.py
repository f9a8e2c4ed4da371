"""ZSC keys: what opens the import's feed to whoever holds one and knows its owner's e-mail address (S21)."""
