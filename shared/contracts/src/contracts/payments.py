"""What Invoice publishes of payments."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from contracts.customers import CrmLink
from contracts.event import Event
from contracts.values import CurrencyCode, Snapshot, Value


class PaymentAllocationSnapshot(Value):
    """What of a payment is for an invoice, in the payment's currency."""

    invoice_id: str
    amount: Decimal


class PaymentSnapshot(Snapshot):
    """A payment as it was at ``version``; ``unused_amount`` is the customer's credit."""

    organization_id: str
    customer_id: str
    date: date
    amount: Decimal
    unused_amount: Decimal
    currency_code: CurrencyCode
    payment_mode: str = ""
    reference_number: str = ""
    allocations: tuple[PaymentAllocationSnapshot, ...] = ()
    crm_links: tuple[CrmLink, ...] = ()
    updated_at: datetime


class PaymentRecorded(Event[PaymentSnapshot]):
    wire_type: ClassVar[str] = "invoice.payment.recorded.v1"


class PaymentUpdated(Event[PaymentSnapshot]):
    wire_type: ClassVar[str] = "invoice.payment.updated.v1"


class PaymentDeleted(Event[PaymentSnapshot]):
    wire_type: ClassVar[str] = "invoice.payment.deleted.v1"


EVENTS = (PaymentRecorded, PaymentUpdated, PaymentDeleted)
