"""All tables of this service's database."""

from servicekit import idempotency
from servicekit.bus import dead_letters

from workflow_service import activation as activation
from workflow_service import potentials as potentials
from workflow_service import runs as runs
from workflow_service.base import Base

METADATA = (Base.metadata, dead_letters.metadata, idempotency.metadata)
