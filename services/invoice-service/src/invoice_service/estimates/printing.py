"""An estimate as the value that its PDF is made from."""

import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import printing
from invoice_service.documents import queries as documents
from invoice_service.estimates.models import ESTIMATES, Estimate
from invoice_service.line_items import LineItem
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.models import Organization
from invoice_service.pdf import Mark, PrintableDocument
from invoice_service.totals import DocumentTotals

_MARKS = {
    "draft": Mark.DRAFT,
    "sent": None,
    "accepted": Mark.ACCEPTED,
    "declined": Mark.DECLINED,
    "expired": Mark.EXPIRED,
    "invoiced": Mark.INVOICED,
}


async def to_print(
    session: AsyncSession, organization: Organization, estimate: Estimate, today: datetime.date
) -> PrintableDocument:
    """The estimate as it is printed ``today``, with everything that is needed read."""
    lines = (await documents.lines_of(session, ESTIMATES, [estimate.id]))[estimate.id]
    logo = await organizations.logo(session, organization.id)
    return printable(estimate, lines, documents.amounts_of(estimate, lines), organization, today, logo=logo)


def printable(
    estimate: Estimate,
    lines: list[LineItem],
    amounts: DocumentTotals,
    organization: Organization,
    today: datetime.date,
    *,
    logo: bytes | None = None,
) -> PrintableDocument:
    """The estimate as it is printed ``today``."""
    return PrintableDocument(
        **printing.common(estimate, lines, amounts, organization, logo),
        end_date=estimate.expiry_date,
        mark=_MARKS[estimate.status_on(today)],
    )
