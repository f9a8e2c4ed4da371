"""``/v1/payments``, and what is paid of an invoice."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch
from servicekit.fields import Day
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.documents.requests import Today
from invoice_service.invoices.schemas import InvoiceOut
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite
from invoice_service.payments import credits, queries, service
from invoice_service.payments.queries import Filters, WholePayment
from invoice_service.payments.schemas import (
    AllocationsBody,
    CreditsBody,
    InvoicePaymentBody,
    PaymentBody,
    PaymentEdit,
    PaymentOut,
)

router = APIRouter(prefix="/v1", tags=["payments"])


async def _filters(
    customer_id: str | None = None,
    invoice_id: str | None = None,
    date_from: Day | None = None,
    date_to: Day | None = None,
    has_credit: bool | None = None,
) -> Filters:
    return Filters(customer_id, invoice_id, date_from, date_to, has_credit)


def _shown(whole: WholePayment, *, created: bool = False) -> Response:
    path = f"/v1/payments/{whole.payment.id}" if created else None
    return answer(PaymentOut.of(whole), whole.payment.version, created_at_path=path)


@router.get("/payments")
async def list_payments(
    _: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    filters: Annotated[Filters, Depends(_filters)],
) -> Page[PaymentOut]:
    """Payments, newest first. ``has_credit``: those of which something is not used yet."""
    found, cursor = await queries.page(session, organization.id, page, filters)
    return Page(items=[PaymentOut.of(whole) for whole in found], next_cursor=cursor)


@router.post("/payments", status_code=201, response_model=PaymentOut)
async def record_payment(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    body: PaymentBody,
    today: Today,
) -> Response:
    """Money received from a customer, for none, one or several invoices; the rest is the customer's credit."""

    async def make() -> Response:
        return _shown(await service.record(session, organization, principal, body, today=today), created=True)

    return await idempotency.once(session, make)


@router.get("/payments/{payment_id}", response_model=PaymentOut)
async def get_payment(_: Viewer, session: ReadSession, organization: CurrentOrganization, payment_id: str) -> Response:
    """One payment."""
    return _shown(await queries.whole(session, await queries.find(session, organization.id, payment_id)))


@router.patch("/payments/{payment_id}", response_model=PaymentOut)
async def edit_payment(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    payment_id: str,
    if_match: IfMatch,
    body: PaymentEdit,
    today: Today,
) -> Response:
    """Change the fields sent."""
    return _shown(await service.edit(session, organization, payment_id, body, expected_version=if_match, today=today))


@router.delete("/payments/{payment_id}", status_code=204)
async def delete_payment(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    payment_id: str,
    if_match: IfMatch,
    today: Today,
) -> None:
    """Delete a payment; its invoices are again what they were without it."""
    await service.remove(session, organization, principal, payment_id, expected_version=if_match, today=today)


@router.post("/payments/{payment_id}/invoices", response_model=PaymentOut)
async def apply_credit(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    payment_id: str,
    if_match: IfMatch,
    body: AllocationsBody,
    today: Today,
) -> Response:
    """Use what is left of the payment for invoices."""

    async def make() -> Response:
        return _shown(
            await credits.apply(
                session, organization, principal, payment_id, body, expected_version=if_match, today=today
            )
        )

    return await idempotency.once(session, make)


@router.delete("/payments/{payment_id}/invoices/{invoice_id}", response_model=PaymentOut)
async def release_credit(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    payment_id: str,
    invoice_id: str,
    if_match: IfMatch,
    today: Today,
) -> Response:
    """Make what the payment pays of the invoice the customer's credit again."""
    return _shown(
        await credits.release(
            session, organization, principal, payment_id, invoice_id, expected_version=if_match, today=today
        )
    )


@router.post("/invoices/{invoice_id}/payments", status_code=201, response_model=PaymentOut)
async def record_payment_of_invoice(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    invoice_id: str,
    body: InvoicePaymentBody,
    today: Today,
) -> Response:
    """Money received for one invoice."""

    async def make() -> Response:
        paid = await service.record_for_invoice(session, organization, principal, invoice_id, body, today=today)
        return _shown(paid, created=True)

    return await idempotency.once(session, make)


@router.post("/invoices/{invoice_id}/credits", response_model=InvoiceOut)
async def use_credits(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    invoice_id: str,
    body: CreditsBody,
    today: Today,
) -> Response:
    """Pay the invoice out of its customer's credit, the oldest payment first."""

    async def make() -> Response:
        whole = await credits.use_for(session, organization, principal, invoice_id, body.amount, today=today)
        return answer(InvoiceOut.of_whole(whole, organization, principal, today), whole.document.version)

    return await idempotency.once(session, make)
