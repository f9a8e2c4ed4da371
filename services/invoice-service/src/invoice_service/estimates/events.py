"""What is told of estimates."""

import datetime
from collections.abc import Sequence

from contracts.customers import CrmLink
from contracts.documents import (
    EstimateCreated,
    EstimateDeleted,
    EstimateSnapshot,
    EstimateStatusChanged,
    EstimateUpdated,
    LineItemSnapshot,
)
from contracts.values import check_amount

from invoice_service.estimates.models import Estimate
from invoice_service.line_items import LineItem

EstimateEvent = type[EstimateCreated] | type[EstimateUpdated] | type[EstimateStatusChanged] | type[EstimateDeleted]


def snapshot(
    estimate: Estimate, lines: Sequence[LineItem], crm_links: tuple[CrmLink, ...], today: datetime.date
) -> EstimateSnapshot:
    """The estimate as others see it ``today``."""
    currency = estimate.currency_code
    return EstimateSnapshot(
        id=estimate.id,
        version=estimate.version,
        organization_id=estimate.organization_id,
        estimate_number=estimate.estimate_number,
        status=estimate.status_on(today),
        customer_id=estimate.customer_id,
        customer_name=estimate.customer_name,
        contact_person_id=estimate.contact_person_id,
        date=estimate.date,
        expiry_date=estimate.expiry_date,
        reference_number=estimate.reference_number,
        currency_code=currency,
        line_items=tuple(
            LineItemSnapshot(**line.asked(), item_total=check_amount(line.item_total, currency)) for line in lines
        ),
        sub_total=check_amount(estimate.sub_total, currency),
        discount_total=check_amount(estimate.discount_total, currency),
        tax_total=check_amount(estimate.tax_total, currency),
        total=check_amount(estimate.total, currency),
        notes=estimate.notes,
        terms=estimate.terms,
        crm_potential_id=estimate.crm_potential_id,
        crm_links=crm_links,
        updated_at=estimate.updated_at,
    )


def deleted(last: EstimateSnapshot) -> EstimateDeleted:
    """An estimate is gone; ``last`` is how it was."""
    return EstimateDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))
