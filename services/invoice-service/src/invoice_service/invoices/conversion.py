"""Use case: an estimate becomes an invoice.

Guarantee: the invoice has exactly the estimate's lines, discount and adjustment, each names the other, and of two
conversions at once one is made: what is decided on is looked at once more after the estimate's row is locked.
"""

import datetime

from servicekit.auth import Principal
from servicekit.db import new_id
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import service as customers
from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.documents.drafting import Draft
from invoice_service.documents.queries import WholeDocument
from invoice_service.estimates import service as estimates
from invoice_service.estimates.models import ESTIMATES
from invoice_service.invoices import service as invoices
from invoice_service.invoices.models import Invoice
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans

_COPIED = (
    "organization_id",
    "customer_id",
    "contact_person_id",
    "contact_person_name",
    "reference_number",
    "currency_code",
    "discount_percentage",
    "discount_amount",
    "document_discount",
    "adjustment",
    "adjustment_description",
    "sub_total",
    "discount_total",
    "tax_total",
    "total",
    "notes",
    "terms",
    "crm_potential_id",
    "crm_potential_version",
)


async def convert(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    estimate_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholeDocument[Invoice]:
    """A draft invoice of ``today`` with what the estimate says; the estimate is invoiced from now on.

    Raises `EstimateNotFound`, `PreconditionFailed`, `EstimateAlreadyInvoiced`, `EstimateNotConvertible`,
    `CustomerInactive`, `PlanCapReached`.
    """
    seen = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    check_version(expected_version, seen.version)
    if (refusal := seen.refuse_convert(today)) is not None:
        raise refusal
    customer = await customers.use(session, organization.id, seen.customer_id, field="customer_id")
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id, lock=True)
    drafting.check_customer(estimate, customer)
    check_version(expected_version, estimate.version)
    if (refusal := estimate.refuse_convert(today)) is not None:
        raise refusal
    lines = (await documents.lines_of(session, ESTIMATES, [estimate.id]))[estimate.id]
    values = {name: getattr(estimate, name) for name in _COPIED} | {
        "id": new_id(),
        "status": "draft",
        "origin": "workflow" if principal.service == "workflow" else "manual",
        "customer_name": customer.customer_name,
        "billing_address": customer.billing_address,
        "date": today,
    }
    draft = Draft(values, lines, customer)
    due = invoices.due_values(organization, draft)
    await plans.count_document(session, organization, on=today)
    whole = await invoices.insert(
        session,
        organization,
        principal,
        draft,
        due | {"estimate_id": estimate.id},
        today=today,
        what=f"created from {estimate.estimate_number}",
    )
    invoice = whole.document
    await estimates.invoiced(session, estimate, invoice.id, invoice.invoice_number, principal.name, today)
    return whole
