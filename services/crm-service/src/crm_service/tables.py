"""All tables of the CRM's database."""

from servicekit import idempotency, outbox, search
from servicekit.bus import dead_letters
from servicekit.identity import models as identity

from crm_service.accounts import models as _accounts  # noqa: F401 (declares its tables)
from crm_service.base import Base
from crm_service.contacts import models as _contacts  # noqa: F401
from crm_service.documents import models as _documents  # noqa: F401
from crm_service.potentials import models as _potentials  # noqa: F401
from crm_service.stages import models as _stages  # noqa: F401
from crm_service.zsc_keys import models as _zsc_keys  # noqa: F401

METADATA = (
    Base.metadata,
    outbox.metadata,
    dead_letters.metadata,
    idempotency.metadata,
    search.metadata,
    identity.metadata,
)
