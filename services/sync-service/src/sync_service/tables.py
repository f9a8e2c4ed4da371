"""All tables of this service's database."""

from servicekit import idempotency
from servicekit.bus import dead_letters

from sync_service import connections as connections
from sync_service.base import Base
from sync_service.runs import models as models

METADATA = (Base.metadata, dead_letters.metadata, idempotency.metadata)
