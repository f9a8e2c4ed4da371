"""Import from CRM: the pages over what sync does. Nothing of it is kept here."""
