"""Where one begins: how the open potentials stand, and what changed last."""
