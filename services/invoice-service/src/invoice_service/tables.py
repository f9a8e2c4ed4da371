"""Every table of the service, for its migrations."""

from servicekit import idempotency, outbox, search
from servicekit.bus import dead_letters
from servicekit.identity import models as identity

from invoice_service import numbering
from invoice_service.base import Base
from invoice_service.customers import models as customers
from invoice_service.estimates import models as estimates
from invoice_service.organizations import models as organizations

TABLES = (organizations.Organization, customers.Customer, estimates.Estimate, numbering.number_sequences)
"""Named so that their modules are imported, whatever else is."""

METADATA = (
    Base.metadata,
    outbox.metadata,
    dead_letters.metadata,
    idempotency.metadata,
    search.metadata,
    identity.metadata,
)
