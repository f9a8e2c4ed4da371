"""Reading invoices: what is theirs alone."""

import datetime

from contracts.documents import InvoiceStatus
from servicekit.pagination import PageRequest
from sqlalchemy import ColumnElement, Select, and_, or_, select
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
    is_past_due: bool | None = None,
    today: datetime.date,
) -> tuple[list[Invoice], str | None]:
    """A page of invoices without their lines, newest first."""
    further = [] if status is None else [_has_status(organization_id, status, today)]
    if is_past_due is not None:
        past_due = _is_past_due(organization_id, today)
        further.append(Invoice.id.in_(past_due) if is_past_due else Invoice.id.not_in(past_due))
    return await documents.page(session, INVOICES, organization_id, request, filters, *further)


def has_fallen_overdue(today: datetime.date) -> ColumnElement[bool]:
    """`Invoice.status_on` says overdue, but it is not written yet."""
    return and_(Invoice.status == "sent", Invoice.due_date < today, Invoice.total > 0)


def _is_past_due(organization_id: str, today: datetime.date) -> Select[str]:
    """The ids of the invoices for which something is owed since before ``today``, in whatever status."""
    return select(Invoice.id).where(
        Invoice.organization_id == organization_id,
        Invoice.status.in_(("overdue", "sent", "partially_paid")),
        Invoice.due_date < today,
        Invoice.total > Invoice.amount_paid,
    )


def _has_status(organization_id: str, status: InvoiceStatus, today: datetime.date) -> ColumnElement[bool]:
    if status == "overdue":
        # Found by themselves, and by their status first: otherwise SQLite would look at all invoices, newest first.
        theirs = (Invoice.organization_id == organization_id, Invoice.status.in_(("overdue", "sent")))
        is_overdue = or_(Invoice.status == "overdue", has_fallen_overdue(today))
        return Invoice.id.in_(select(Invoice.id).where(*theirs, is_overdue))
    if status == "sent":
        return and_(Invoice.status == "sent", or_(Invoice.due_date >= today, Invoice.total == 0))
    return Invoice.status == status
