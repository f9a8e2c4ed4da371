"""The import's feed: all accounts and contacts, tombstones included, to whoever shows a ZSC key (S21, S30)."""
