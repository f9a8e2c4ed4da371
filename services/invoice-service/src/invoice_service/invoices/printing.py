"""An invoice as the value that its PDF is made from."""

import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import printing
from invoice_service.documents import queries as documents
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.line_items import LineItem
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.models import Organization
from invoice_service.pdf import Mark, PrintableDocument
from invoice_service.totals import DocumentTotals

_MARKS = {
    "draft": Mark.DRAFT,
    "sent": None,
    "partially_paid": Mark.PARTIALLY_PAID,
    "paid": Mark.PAID,
    "overdue": Mark.OVERDUE,
    "void": Mark.VOID,
}


async def to_print(
    session: AsyncSession, organization: Organization, invoice: Invoice, today: datetime.date
) -> PrintableDocument:
    """The invoice as it is printed ``today``, with everything that is needed read."""
    lines = (await documents.lines_of(session, INVOICES, [invoice.id]))[invoice.id]
    logo = await organizations.logo(session, organization.id)
    return printable(invoice, lines, documents.amounts_of(invoice, lines), organization, today, logo=logo)


def printable(
    invoice: Invoice,
    lines: list[LineItem],
    amounts: DocumentTotals,
    organization: Organization,
    today: datetime.date,
    *,
    logo: bytes | None = None,
) -> PrintableDocument:
    """The invoice as it is printed ``today``."""
    return PrintableDocument(
        **printing.common(invoice, lines, amounts, organization, logo),
        end_date=invoice.due_date,
        amount_paid=invoice.amount_paid,
        balance=invoice.balance,
        mark=Mark.OVERDUE if invoice.is_past_due(today) else _MARKS[invoice.status_on(today)],
    )
