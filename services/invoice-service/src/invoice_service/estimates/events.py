"""What is told of estimates."""

import datetime
from collections.abc import Sequence

from contracts.customers import CrmLink
from contracts.documents import EstimateDeleted, EstimateSnapshot, EstimateStatusChanged, EstimateUpdated

from invoice_service.documents import events as documents
from invoice_service.documents.telling import Telling
from invoice_service.estimates.models import ESTIMATES, Estimate
from invoice_service.line_items import LineItem


def snapshot(
    estimate: Estimate, lines: Sequence[LineItem], crm_links: tuple[CrmLink, ...], today: datetime.date
) -> EstimateSnapshot:
    """The estimate as others see it ``today``."""
    return EstimateSnapshot(
        **documents.common(estimate, lines, crm_links),
        estimate_number=estimate.estimate_number,
        status=estimate.status_on(today),
        expiry_date=estimate.expiry_date,
        invoice_id=estimate.invoice_id,
    )


def deleted(last: EstimateSnapshot) -> EstimateDeleted:
    """An estimate is gone; ``last`` is how it was."""
    return EstimateDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))


TELLING = Telling(ESTIMATES, snapshot, updated=EstimateUpdated, status_changed=EstimateStatusChanged)
