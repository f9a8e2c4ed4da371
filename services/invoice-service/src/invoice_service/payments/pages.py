"""The pages of payments: all of them, those of an invoice, and recording one."""

import hashlib
import re
from collections.abc import Iterable

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import Problem, invalid_field
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.customers.models import Customer
from invoice_service.documents import queries as documents
from invoice_service.documents.pages import FiltersOfPage, day
from invoice_service.documents.requests import Today
from invoice_service.invoices.models import INVOICES
from invoice_service.line_items import money
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite
from invoice_service.payments import credits, queries, service
from invoice_service.payments.models import Payment, PaymentAllocation
from invoice_service.payments.queries import Filters, WholePayment
from invoice_service.payments.schemas import InvoicePaymentBody

SHOWN = 50
_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)

router = APIRouter()


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``payments``: the newest of them."""
    newest = select(Payment.id, Payment.version).order_by(Payment.id.desc()).limit(SHOWN)
    return _stamp(f"{id_}.{version}" for id_, version in await session.execute(newest))


async def stamp_of_invoice(session: AsyncSession, invoice_id: str) -> str:
    """The topic ``invoice-payments:<id>``: the payments of that invoice."""
    paying = (
        select(Payment.id, Payment.version, PaymentAllocation.amount)
        .join(PaymentAllocation, PaymentAllocation.payment_id == Payment.id)
        .where(PaymentAllocation.invoice_id == invoice_id)
        .order_by(Payment.id.desc())
        .limit(SHOWN)
    )
    return _stamp(f"{id_}.{version}.{amount}" for id_, version, amount in await session.execute(paying))


async def panel_of_invoice(page: Page, session: AsyncSession, invoice_id: str) -> str:
    """The payments on an invoice's page."""
    stamps = await page.follow(session, f"invoice-payments:{invoice_id}")
    organization = await chosen(session, page)
    which = PageRequest(limit=SHOWN, after=None)
    found, more = await queries.page(session, organization.id, which, Filters(invoice_id=invoice_id))
    return page.part("payments/panel.html", payments=found, more=more, invoice_id=invoice_id, stamps=stamps)


@router.get("/payments")
async def list_payments(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Viewer,
    which: PageQuery,
    filters: FiltersOfPage,
) -> Response:
    stamps = await page.follow(session, "payments")
    if filters.status not in ("", "credit", "used"):
        raise invalid_field("status", "must be credit or used")
    wanted = Filters(
        customer_id=filters.customer_id or None,
        date_from=day("date_from", filters.date_from),
        date_to=day("date_to", filters.date_to),
        has_credit={"": None, "credit": True, "used": False}[filters.status],
    )
    found, next_cursor = await queries.page(session, organization.id, which, wanted)
    names = await _names(session, found)
    return page.render(
        "payments/list.html", payments=found, names=names, filters=filters, next_cursor=next_cursor, stamps=stamps
    )


@router.post("/payments/{payment_id}/delete")
async def delete_payment(
    payment_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    form = await page.form()
    await service.remove(session, organization, principal, payment_id, expected_version=form.version, today=today)
    of_invoice = _ID.fullmatch(form["invoice_id"])
    back = f"/invoices/{of_invoice.group()}" if of_invoice else "/payments"
    return page.go(back, said="The payment was deleted; what it paid is owed again.")


@router.get("/invoices/{invoice_id}/payments/new")
async def new_payment(
    invoice_id: str,
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Member,
    today: Today,
) -> Response:
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    if (refusal := invoice.refuse_payment()) is not None:
        raise refusal
    owed = money(invoice.balance, invoice.currency_code)
    form = Form({"amount": owed, "date": today.isoformat()})
    return page.render("payments/form.html", form=form, invoice=invoice)


@router.post("/invoices/{invoice_id}/payments/new")
async def record_payment(
    invoice_id: str, page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today
) -> Response:
    form = await page.form()
    try:
        body = form.parse(InvoicePaymentBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await chosen(session, page)
            await service.record_for_invoice(session, organization, principal, invoice_id, body, today=today)
            return await once.done(f"/invoices/{invoice_id}", said="The payment was recorded.")
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
        return page.render("payments/form.html", status=problem.status, form=form.refused(problem), invoice=invoice)


@router.post("/invoices/{invoice_id}/credits")
async def use_credit(
    invoice_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    await credits.use_for(session, organization, principal, invoice_id, None, today=today)
    return page.go(f"/invoices/{invoice_id}", said="The customer’s credit was used.")


async def _names(session: AsyncSession, found: list[WholePayment]) -> dict[str, str]:
    """Customer id → name."""
    ids = {whole.payment.customer_id for whole in found}
    rows = await session.execute(select(Customer.id, Customer.customer_name).where(Customer.id.in_(ids)))
    return {row.id: row.customer_name for row in rows}


def _stamp(parts: Iterable[str]) -> str:
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:16]
