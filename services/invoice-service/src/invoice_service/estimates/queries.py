"""Reading estimates: what is theirs alone."""

import datetime

from contracts.documents import EstimateStatus
from servicekit.pagination import PageRequest
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import queries as documents
from invoice_service.documents.queries import Filters
from invoice_service.estimates.models import ESTIMATES, Estimate


async def page(
    session: AsyncSession,
    organization_id: str,
    request: PageRequest,
    filters: Filters,
    *,
    status: EstimateStatus | None,
    today: datetime.date,
) -> tuple[list[Estimate], str | None]:
    """A page of estimates without their lines, newest first."""
    further = () if status is None else (_has_status(status, today),)
    return await documents.page(session, ESTIMATES, organization_id, request, filters, *further)


def has_expired(today: datetime.date) -> ColumnElement[bool]:
    """`Estimate.status_on` says expired, but it is not written yet."""
    return and_(Estimate.status == "sent", Estimate.expiry_waived.is_(False), Estimate.expiry_date < today)


def _has_status(status: EstimateStatus, today: datetime.date) -> ColumnElement[bool]:
    if status == "expired":
        return or_(Estimate.status == "expired", has_expired(today))
    if status == "sent":
        unexpired = or_(Estimate.expiry_date.is_(None), Estimate.expiry_date >= today, Estimate.expiry_waived)
        return and_(Estimate.status == "sent", unexpired)
    return Estimate.status == status
