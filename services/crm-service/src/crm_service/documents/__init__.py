"""Invoice's estimates and invoices, as accounts, contacts and potentials show them: reflected, not owned (S2)."""
