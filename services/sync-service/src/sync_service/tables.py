"""All tables of this service's database."""

from servicekit import idempotency
from servicekit.bus import dead_letters

from sync_service import connections as connections
from sync_service import runs as runs
from sync_service.base import Base

METADATA = (Base.metadata, dead_letters.metadata, idempotency.metadata)
