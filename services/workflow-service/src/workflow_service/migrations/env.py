"""Runs this service's migrations on the connection that servicekit has opened."""

from servicekit.migrations import run_in_env
from workflow_service.tables import METADATA

run_in_env(METADATA)
