"""What Invoice publishes of its documents: estimates and invoices."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from contracts.customers import CrmLink
from contracts.event import Event
from contracts.values import CurrencyCode, Snapshot, Value

EstimateStatus = Literal["draft", "sent", "accepted", "declined", "invoiced", "expired"]
InvoiceStatus = Literal["draft", "sent", "partially_paid", "paid", "overdue", "void"]


def _nothing(value: object) -> bool:
    return not value


class LineItemSnapshot(Value):
    """One line of a document; amounts are in the document's currency."""

    item_id: str | None = None
    name: str
    description: str = ""
    unit: str = Field("", exclude_if=_nothing)
    quantity: Decimal
    rate: Decimal
    discount_percentage: Decimal = Decimal(0)
    tax_percentage: Decimal = Decimal(0)
    item_total: Decimal


class DocumentSnapshot(Snapshot):
    """What estimates and invoices have in common. ``crm_links`` are the CRM records of the document's customer.

    ``total`` = ``sub_total`` - ``discount_total`` + ``tax_total`` + ``adjustment``. A field that says nothing and came
    later than version 1 of the event is left out.
    """

    organization_id: str
    customer_id: str
    customer_name: str
    contact_person_id: str | None = None
    date: date
    reference_number: str = ""
    currency_code: CurrencyCode
    line_items: tuple[LineItemSnapshot, ...] = ()
    sub_total: Decimal
    discount_total: Decimal
    tax_total: Decimal
    adjustment: Decimal = Field(Decimal(0), exclude_if=_nothing)
    total: Decimal
    notes: str = ""
    terms: str = ""
    crm_potential_id: str | None = None
    crm_links: tuple[CrmLink, ...] = ()
    updated_at: datetime


class EstimateSnapshot(DocumentSnapshot):
    """An estimate as it was at ``version``."""

    estimate_number: str
    status: EstimateStatus
    expiry_date: date | None = None
    invoice_id: str | None = Field(None, exclude_if=_nothing)


class EstimateCreated(Event[EstimateSnapshot]):
    wire_type: ClassVar[str] = "invoice.estimate.created.v1"


class EstimateUpdated(Event[EstimateSnapshot]):
    wire_type: ClassVar[str] = "invoice.estimate.updated.v1"


class EstimateStatusChanged(Event[EstimateSnapshot]):
    wire_type: ClassVar[str] = "invoice.estimate.status_changed.v1"


class EstimateDeleted(Event[EstimateSnapshot]):
    wire_type: ClassVar[str] = "invoice.estimate.deleted.v1"


class InvoiceSnapshot(DocumentSnapshot):
    """An invoice as it was at ``version``; ``balance`` is what is still owed."""

    invoice_number: str
    status: InvoiceStatus
    due_date: date | None = None
    balance: Decimal
    amount_paid: Decimal
    workflow_locked: bool = False
    estimate_id: str | None = Field(None, exclude_if=_nothing)


class InvoiceCreated(Event[InvoiceSnapshot]):
    wire_type: ClassVar[str] = "invoice.invoice.created.v1"


class InvoiceUpdated(Event[InvoiceSnapshot]):
    wire_type: ClassVar[str] = "invoice.invoice.updated.v1"


class InvoiceStatusChanged(Event[InvoiceSnapshot]):
    wire_type: ClassVar[str] = "invoice.invoice.status_changed.v1"


class InvoiceDeleted(Event[InvoiceSnapshot]):
    wire_type: ClassVar[str] = "invoice.invoice.deleted.v1"


ESTIMATE_EVENTS = (EstimateCreated, EstimateUpdated, EstimateStatusChanged, EstimateDeleted)
INVOICE_EVENTS = (InvoiceCreated, InvoiceUpdated, InvoiceStatusChanged, InvoiceDeleted)
EVENTS = ESTIMATE_EVENTS + INVOICE_EVENTS
