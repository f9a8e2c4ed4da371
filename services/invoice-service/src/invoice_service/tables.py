"""Every table of the service, for its migrations."""

from servicekit import idempotency, outbox, search
from servicekit.bus import dead_letters
from servicekit.identity import models as identity

from invoice_service import numbering
from invoice_service.base import Base
from invoice_service.customers import departed
from invoice_service.customers import models as customers
from invoice_service.estimates import models as estimates
from invoice_service.invoices import models as invoices
from invoice_service.items import models as items
from invoice_service.merging import models as merging
from invoice_service.organizations import models as organizations
from invoice_service.payments import models as payments
from invoice_service.plans import models as plans
from invoice_service.sending import models as sending

TABLES = (
    plans.Plan,
    organizations.Organization,
    items.Item,
    customers.Customer,
    departed.departed_customers,
    estimates.Estimate,
    invoices.Invoice,
    payments.Payment,
    merging.Merge,
    sending.Delivery,
    numbering.number_sequences,
)
"""Named so that their modules are imported, whatever else is."""

METADATA = (
    Base.metadata,
    outbox.metadata,
    dead_letters.metadata,
    idempotency.metadata,
    search.metadata,
    identity.metadata,
)
