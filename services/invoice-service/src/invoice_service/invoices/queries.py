"""Reading invoices: what is theirs alone."""

import datetime

from contracts.documents import InvoiceStatus
from servicekit.pagination import PageRequest
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import queries as documents
from invoice_service.documents.queries import Filters
from invoice_service.invoices.models import INVOICES, Invoice


async def page(
    session: AsyncSession,
    organization_id: str,
    request: PageRequest,
    filters: Filters,
    *,
    status: InvoiceStatus | None,
    today: datetime.date,
) -> tuple[list[Invoice], str | None]:
    """A page of invoices without their lines, newest first."""
    further = () if status is None else (_has_status(status, today),)
    return await documents.page(session, INVOICES, organization_id, request, filters, *further)


def has_fallen_overdue(today: datetime.date) -> ColumnElement[bool]:
    """`Invoice.status_on` says overdue, but it is not written yet."""
    return and_(Invoice.status == "sent", Invoice.due_date < today, Invoice.total > 0)


def _has_status(status: InvoiceStatus, today: datetime.date) -> ColumnElement[bool]:
    if status == "overdue":
        return or_(Invoice.status == "overdue", has_fallen_overdue(today))
    if status == "sent":
        return and_(Invoice.status == "sent", or_(Invoice.due_date >= today, Invoice.total == 0))
    return Invoice.status == status
