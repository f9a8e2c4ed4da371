"""Invoices in JSON."""

import datetime
from typing import ClassVar, Self

from contracts.documents import InvoiceStatus
from pydantic import Field, model_validator
from servicekit.auth import Principal
from servicekit.fields import Day

from invoice_service import pdf
from invoice_service.allowed_actions import AllowedAction
from invoice_service.documents import schemas as documents
from invoice_service.documents.queries import WholeDocument
from invoice_service.documents.schemas import (
    DocumentBody,
    DocumentDetails,
    DocumentEdit,
    DocumentSummary,
    PreviewOut,
)
from invoice_service.invoices.actions import allowed_actions
from invoice_service.invoices.models import Invoice
from invoice_service.invoices.printing import printable
from invoice_service.organizations.models import Organization

PaymentTerms = Field(None, ge=0, le=1000, description="Days from the invoice's date to its due date")


def _either(fields_set: set[str]) -> None:
    if {"due_date", "payment_terms"} <= fields_set:
        raise ValueError("send either due_date or payment_terms")


class InvoiceBody(DocumentBody):
    """Due at ``due_date``, or ``payment_terms`` days after its date: if left out, the customer's or organization's."""

    due_date: Day | None = None
    payment_terms: int | None = PaymentTerms

    @model_validator(mode="after")
    def _one_due_date(self) -> Self:
        _either(self.model_fields_set)
        return self


class InvoicePreview(InvoiceBody):
    """An invoice that is being written: as `InvoiceBody`, but it may be for nobody yet."""

    needs_customer: ClassVar[bool] = False


class InvoiceEdit(DocumentEdit):
    """Only the fields sent change; a changed date moves the due date, if that follows from payment terms."""

    due_date: Day = datetime.date.min
    payment_terms: int | None = PaymentTerms

    @model_validator(mode="after")
    def _one_due_date(self) -> Self:
        _either(self.model_fields_set)
        return self


class InvoicePreviewOut(PreviewOut):
    due_date: datetime.date
    payment_terms: int | None


class InvoiceSummary(DocumentSummary):
    """An invoice in a list. ``is_past_due``: something is owed since its due date, partially paid or not."""

    invoice_number: str
    status: InvoiceStatus
    due_date: datetime.date
    payment_terms: int | None
    is_past_due: bool
    amount_paid: str
    balance: str
    workflow_locked: bool
    estimate_id: str | None

    @classmethod
    def of(cls, invoice: Invoice, today: datetime.date) -> "InvoiceSummary":
        """The invoice as a list shows it ``today``."""
        return InvoiceSummary(**_summary(invoice, today))


class InvoiceOut(InvoiceSummary, DocumentDetails):
    """An invoice with everything. ``locked_by`` and ``locked_at``: why the workflow leaves it alone (S17)."""

    locked_by: str | None
    locked_at: datetime.datetime | None
    allowed_actions: list[AllowedAction]

    @classmethod
    def of_whole(
        cls, whole: WholeDocument[Invoice], organization: Organization, principal: Principal, today: datetime.date
    ) -> Self:
        """The invoice as it is shown to ``principal`` ``today``."""
        invoice = whole.document
        return cls(
            **_summary(invoice, today),
            **documents.details(whole),
            warnings=list(pdf.warnings(printable(invoice, whole.lines, whole.amounts, organization, today))),
            locked_by=invoice.locked_by,
            locked_at=invoice.locked_at,
            allowed_actions=allowed_actions(whole, principal, today),
        )


def _summary(invoice: Invoice, today: datetime.date) -> dict[str, object]:
    shown = documents.summary(invoice, InvoiceSummary, amounts=("amount_paid", "balance"))
    return shown | {"status": invoice.status_on(today), "is_past_due": invoice.is_past_due(today)}
