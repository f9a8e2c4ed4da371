"""Use cases: make, edit, send, void, unlock and delete invoices.

Guarantee: an invoice has a number, its totals are those of its lines, and what is told of it is what was committed.
"""

import datetime
from decimal import Decimal
from typing import Any

from contracts.documents import InvoiceCreated, InvoiceStatus, InvoiceStatusChanged, InvoiceUpdated
from servicekit import outbox
from servicekit.auth import Principal
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import numbering
from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.documents.queries import WholeDocument
from invoice_service.estimates import service as estimates
from invoice_service.invoices import events
from invoice_service.invoices.events import TELLING
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.invoices.schemas import InvoiceBody, InvoiceEdit
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans


async def create(
    session: AsyncSession, organization: Organization, principal: Principal, body: InvoiceBody, *, today: datetime.date
) -> WholeDocument[Invoice]:
    """A new draft with the next number.

    Raises `Invalid`, `CrmRecordNotImported`, `CustomerInactive`, `PlanCapReached`.
    """
    draft = await drafting.prepare(session, organization, principal, body, today=today)
    due = due_values(organization, draft, due_date=body.due_date, payment_terms=body.payment_terms)
    return await insert(session, organization, principal, draft, due, today=today)


async def preview(
    session: AsyncSession, organization: Organization, principal: Principal, body: InvoiceBody, *, today: datetime.date
) -> tuple[drafting.Preview, dict[str, Any]]:
    """What `create` would make now, and when it would be due, with nothing written. Raises as `create` does, but for
    the plan."""
    draft = await drafting.preview(session, organization, principal, body, today=today)
    return draft, due_values(organization, draft, due_date=body.due_date, payment_terms=body.payment_terms)


def due_values(
    organization: Organization,
    draft: drafting.Draft | drafting.Preview,
    *,
    due_date: datetime.date | None = None,
    payment_terms: int | None = None,
) -> dict[str, Any]:
    """When the draft is due: as asked for, else by the customer's terms or the organization's. Raises `Invalid`."""
    date = draft.values["date"]
    if due_date is not None:
        _check_dates(date, due_date)
        return {"due_date": due_date, "payment_terms": None}
    if payment_terms is None and draft.customer is not None:
        payment_terms = draft.customer.payment_terms
    days = organization.payment_terms if payment_terms is None else payment_terms
    return {"due_date": _after(date, days), "payment_terms": days}


async def insert(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    draft: drafting.Draft,
    further: dict[str, Any],
    *,
    today: datetime.date,
    what: str = "created",
) -> WholeDocument[Invoice]:
    """Give the draft the next number and write it; ``further`` are attributes of invoices alone."""
    number = await numbering.take(session, organization.id, "invoice")
    written = numbering.written(organization.invoice_prefix, number)
    invoice = Invoice(**draft.values, **further, number=number, invoice_number=written, amount_paid=Decimal(0))
    await drafting.insert_document(session, INVOICES, invoice, draft.lines, principal.name, what)
    await TELLING.tell(session, InvoiceCreated, [invoice], today, lines={invoice.id: draft.lines})
    return await documents.whole(session, INVOICES, invoice, lines=draft.lines)


async def edit(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    body: InvoiceEdit,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholeDocument[Invoice]:
    """Change what was sent. Raises `InvoiceNotFound`, `PreconditionFailed`, `Invalid`, or a `Conflict`."""
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id, lock=True)
    check_version(expected_version, invoice.version)
    if (refusal := invoice.refuse_edit()) is not None:
        raise refusal
    lines = (await documents.lines_of(session, INVOICES, [invoice.id]))[invoice.id]
    revision = await drafting.revise(session, organization, invoice, body, lines)
    values = revision.values
    _move_due_date(invoice, values)
    invoice.check_total(values["total"], values.get("currency_code", invoice.currency_code))
    was = invoice.status_on(today)
    changed = await revision.apply(session, INVOICES, invoice)
    if changed:
        if invoice.status == "overdue":  # by a due date that may be another one now
            invoice.status = "sent"
            invoice.fall_overdue(today)
        invoice.total_changed(principal, today)
        await session.flush()
        await drafting.remember(session, INVOICES, invoice.id, principal.name, [f"edited: {', '.join(changed)}"])
        event = InvoiceUpdated if invoice.status_on(today) == was else InvoiceStatusChanged
        await TELLING.tell(session, event, [invoice], today, lines={invoice.id: revision.lines})
        await drafting.index(session, INVOICES, invoice)
    return await documents.whole(session, INVOICES, invoice, lines=revision.lines)


async def mark(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    status: InvoiceStatus,
    *,
    potential_version: int | None = None,
    expected_version: int | None = None,
    today: datetime.date,
) -> WholeDocument[Invoice]:
    """Make it ``status``; if it is so already, nothing changes. Raises `InvoiceNotFound`, or a `Conflict`.

    ``potential_version``: of the potential that the workflow's command follows from; an older one than seen is refused.
    """
    drafting.check_sender(principal, potential_version)
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id, lock=True)
    check_version(expected_version, invoice.version)
    invoice.see_potential(potential_version)
    was = invoice.status
    happened = invoice.mark(status, principal, today)
    lines = (await documents.lines_of(session, INVOICES, [invoice.id]))[invoice.id]
    if happened:
        if was == "draft" and status != "void":
            await drafting.issue(session, invoice)
        await session.flush()
        await drafting.remember(session, INVOICES, invoice.id, principal.name, happened)
        await TELLING.tell(session, InvoiceStatusChanged, [invoice], today, lines={invoice.id: lines})
    return await documents.whole(session, INVOICES, invoice, lines=lines)


async def unlock(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholeDocument[Invoice]:
    """Let the workflow change its status again. Raises `InvoiceNotFound`, `PreconditionFailed`, `InvoiceNotLocked`."""
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id, lock=True)
    check_version(expected_version, invoice.version)
    invoice.unlock()
    await session.flush()
    await drafting.remember(session, INVOICES, invoice.id, principal.name, ["unlocked for the workflow"])
    await TELLING.tell(session, InvoiceUpdated, [invoice], today)
    return await documents.whole(session, INVOICES, invoice)


async def remove(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> None:
    """Delete a draft with the newest number, give its number back, and release the estimate that it came from.

    Raises `InvoiceNotFound`, or a `Conflict`.
    """
    invoice = await drafting.lock_for_removal(session, INVOICES, organization, invoice_id)
    check_version(expected_version, invoice.version)
    # What is refused needs no lock; what is allowed is made sure of by giving the number back.
    newest = await numbering.newest(session, organization.id, "invoice")
    if (refusal := invoice.refuse_delete(newest)) is not None:
        raise refusal
    last = (await TELLING.snapshots(session, [invoice], today))[0]
    estimate_id, number = invoice.estimate_id, invoice.invoice_number
    await plans.count_document(session, organization, on=invoice.created_at.date(), by=-1)
    if not await numbering.give_back(session, organization.id, "invoice", invoice.number):
        newest = await numbering.newest(session, organization.id, "invoice")
        raise invoice.refuse_delete(newest) or AssertionError("the number is the newest and was not given back")
    await drafting.erase(session, INVOICES, invoice)
    outbox.record(session, events.deleted(last))
    if estimate_id is not None:
        await estimates.released(session, organization.id, estimate_id, number, principal.name, today)


def _move_due_date(invoice: Invoice, values: dict[str, Any]) -> None:
    date = values.get("date", invoice.date)
    if "due_date" in values:
        values["payment_terms"] = None
    else:
        days = values.get("payment_terms", invoice.payment_terms)
        values["payment_terms"] = days
        if days is not None:
            values["due_date"] = _after(date, days)
    _check_dates(date, values.get("due_date", invoice.due_date))


def _after(date: datetime.date, days: int) -> datetime.date:
    try:
        return date + datetime.timedelta(days=days)
    except OverflowError:
        raise invalid_field("date", f"is too late: {days} days after it there is no date any more") from None


def _check_dates(date: datetime.date, due_date: datetime.date) -> None:
    if due_date < date:
        raise invalid_field("due_date", f"must not be before the invoice's date, {date}")
