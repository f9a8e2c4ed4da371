"""What is told of invoices."""

import datetime
from collections.abc import Sequence

from contracts.customers import CrmLink
from contracts.documents import InvoiceDeleted, InvoiceSnapshot, InvoiceStatusChanged, InvoiceUpdated
from contracts.values import check_amount

from invoice_service.documents import events as documents
from invoice_service.documents.telling import Telling
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.line_items import LineItem


def snapshot(
    invoice: Invoice, lines: Sequence[LineItem], crm_links: tuple[CrmLink, ...], today: datetime.date
) -> InvoiceSnapshot:
    """The invoice as others see it ``today``."""
    return InvoiceSnapshot(
        **documents.common(invoice, lines, crm_links),
        invoice_number=invoice.invoice_number,
        status=invoice.status_on(today),
        due_date=invoice.due_date,
        balance=check_amount(invoice.balance, invoice.currency_code),
        amount_paid=check_amount(invoice.amount_paid, invoice.currency_code),
        workflow_locked=invoice.workflow_locked,
        estimate_id=invoice.estimate_id,
    )


def deleted(last: InvoiceSnapshot) -> InvoiceDeleted:
    """An invoice is gone; ``last`` is how it was."""
    return InvoiceDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))


TELLING = Telling(INVOICES, snapshot, updated=InvoiceUpdated, status_changed=InvoiceStatusChanged)
