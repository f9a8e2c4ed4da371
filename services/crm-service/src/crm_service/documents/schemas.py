"""Documents in JSON: the CRM's lists, and what may be sent. Details are handed on as Invoice writes them."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from contracts.values import CurrencyCode, check_amount
from pydantic import BaseModel, Field
from servicekit.fields import Body, Day, Edit, Id, Line, Name, Text

from crm_service.documents.models import Document
from crm_service.documents.queries import Fetch

MAX_LINE_ITEMS = 1000


class LineItem(Body):
    """A line. ``rate`` in units of the document's currency; percentages as 19 for 19 %.

    With ``item_id``, an item of Invoice's, what is left out is the item's.
    """

    item_id: Id | None = None
    name: Name = Field("", validate_default=False)
    description: Text = ""
    unit: Line = ""
    quantity: Decimal = Decimal(1)
    rate: Decimal = Decimal(0)
    discount_percentage: Decimal = Decimal(0)
    tax_percentage: Decimal = Decimal(0)


PaymentTerms = Annotated[int | None, Field(ge=0, le=1000, description="Days from the invoice's date to its due date")]
Lines = Annotated[list[LineItem], Field(min_length=1, max_length=MAX_LINE_ITEMS)]


class _Document(Body):
    """What a document may say; what is left out is Invoice's to fill in. Invoice has the last word on each."""

    date: Day | None = None
    reference_number: Line = ""
    currency_code: CurrencyCode | None = None
    discount_percentage: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    adjustment_description: Line = ""
    notes: Text = ""
    terms: Text = ""

    def sent(self) -> dict[str, Any]:
        """What was sent, ready to be handed on."""
        return self.model_dump(mode="json", exclude_unset=True)


class _Estimate(_Document):
    expiry_date: Day | None = None


class _Invoice(_Document):
    due_date: Day | None = None
    payment_terms: PaymentTerms = None


class NewEstimate(_Estimate):
    """Made out to the account, or to the contact's account with the contact as contact person, or to the contact."""

    line_items: Lines


class NewInvoice(_Invoice):
    """Made out to the account, or to the contact's account with the contact as contact person, or to the contact."""

    line_items: Lines


class NewEstimateOfPotential(_Estimate):
    """Without ``line_items``, the potential's name and amount are the one line (S18)."""

    line_items: Lines = Field([], validate_default=False)


class NewInvoiceOfPotential(_Invoice):
    """Without ``line_items``, the potential's name and amount are the one line (S18)."""

    line_items: Lines = Field([], validate_default=False)


class _DocumentEdit(Edit):
    contact_person_id: Id | None = None
    date: Day = datetime.date.min
    reference_number: Line = ""
    currency_code: CurrencyCode = ""
    line_items: Lines = Field([], validate_default=False)
    discount_percentage: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    adjustment_description: Line = ""
    notes: Text = ""
    terms: Text = ""

    def sent(self) -> dict[str, Any]:
        """What was sent, ready to be handed on."""
        return self.model_dump(mode="json", exclude_unset=True)


class EstimateEdit(_DocumentEdit):
    """Only the fields sent change; ``line_items`` takes the place of all lines."""

    expiry_date: Day | None = None


class InvoiceEdit(_DocumentEdit):
    """Only the fields sent change; ``line_items`` takes the place of all lines."""

    due_date: Day = datetime.date.min
    payment_terms: PaymentTerms = None


class _Summary(BaseModel):
    id: str
    version: int
    status: str
    date: datetime.date
    customer_id: str
    customer_name: str
    reference_number: str
    currency_code: str
    total: str
    crm_potential_id: str | None
    updated_at: datetime.datetime


class EstimateSummary(_Summary):
    """An estimate in a list. ``invoice_id``: the invoice that it was converted into."""

    estimate_number: str
    expiry_date: datetime.date | None
    invoice_id: str | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """The estimate as the CRM knows it."""
        return cls(
            **_common(document),
            estimate_number=document.number,
            expiry_date=document.end_date,
            invoice_id=document.counterpart_id,
        )


class InvoiceSummary(_Summary):
    """An invoice in a list. ``workflow_locked``: a person changed its status, the workflow leaves it alone (S17)."""

    invoice_number: str
    due_date: datetime.date | None
    balance: str
    workflow_locked: bool
    estimate_id: str | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """The invoice as the CRM knows it."""
        return cls(
            **_common(document),
            invoice_number=document.number,
            due_date=document.end_date,
            balance=_money(document.balance or Decimal(0), document.currency_code),
            workflow_locked=document.workflow_locked,
            estimate_id=document.counterpart_id,
        )


class DocumentsOut(BaseModel):
    """A record's documents, newest first, as last known (S8, S9).

    ``fetched_at``: when they were last fetched from Invoice, null if never; events keep them current between.
    ``refresh_failed_at``, ``last_error``: when fetching them failed since then, and why. ``estimates_cursor`` and
    ``invoices_cursor`` ask for the next page of each; null on its last.
    """

    fetched_at: datetime.datetime | None
    refresh_failed_at: datetime.datetime | None
    last_error: str | None
    estimates: list[EstimateSummary]
    invoices: list[InvoiceSummary]
    estimates_cursor: str | None
    invoices_cursor: str | None

    @classmethod
    def of(
        cls,
        fetch: Fetch,
        estimates: tuple[Sequence[Document], str | None],
        invoices: tuple[Sequence[Document], str | None],
    ) -> Self:
        """A page of each kind, with the cursors of the next ones."""
        return cls(
            fetched_at=fetch.fetched_at,
            refresh_failed_at=fetch.failed_at,
            last_error=fetch.failure,
            estimates=[EstimateSummary.of(document) for document in estimates[0]],
            invoices=[InvoiceSummary.of(document) for document in invoices[0]],
            estimates_cursor=estimates[1],
            invoices_cursor=invoices[1],
        )


def _common(document: Document) -> dict[str, Any]:
    shown = {name: getattr(document, name) for name in _Summary.model_fields}
    return shown | {"total": _money(document.total, document.currency_code)}


def _money(amount: Decimal, currency_code: str) -> str:
    return f"{check_amount(amount, currency_code):f}"
