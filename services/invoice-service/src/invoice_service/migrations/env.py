"""Runs this service's migrations on the connection that servicekit has opened."""

from invoice_service.tables import METADATA
from servicekit.migrations import run_in_env

run_in_env(METADATA)
