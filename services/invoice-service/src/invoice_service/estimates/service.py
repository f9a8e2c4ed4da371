"""Use cases: make, edit, send, decide and delete estimates.

Guarantee: an estimate has a number, its totals are those of its lines, and what is told of it is what was committed.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from contracts.documents import EstimateCreated, EstimateStatus, EstimateStatusChanged, EstimateUpdated
from servicekit import outbox, search
from servicekit.auth import Principal
from servicekit.db import new_id, utc_now
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import line_items, numbering
from invoice_service.customers import queries as customer_queries
from invoice_service.customers import service as customers
from invoice_service.estimates import events, queries
from invoice_service.estimates.customer_choice import choose, person_at
from invoice_service.estimates.models import Estimate, estimate_history, estimate_lines
from invoice_service.estimates.queries import SEARCH_KIND, WholeEstimate
from invoice_service.estimates.schemas import EstimateBody, EstimateEdit
from invoice_service.line_items import LineItem
from invoice_service.organizations.models import Organization


async def create(
    session: AsyncSession, organization: Organization, principal: Principal, body: EstimateBody, *, today: datetime.date
) -> WholeEstimate:
    """A new draft with the next number. Raises `Invalid`, `CrmRecordNotImported`, `CustomerInactive`."""
    _check_sender(principal, body.crm_potential_version)
    date = body.date or today
    _check_dates(date, body.expiry_date)
    chosen = await choose(session, organization.id, body)
    customer, person = chosen.customer, chosen.contact_person
    currency_code = body.currency_code or customer.currency_code
    lines, amounts = line_items.compute([line.model_dump() for line in body.line_items], currency_code)
    number = await numbering.take(session, organization.id, "estimate")
    estimate = Estimate(
        id=new_id(),
        organization_id=organization.id,
        number=number,
        estimate_number=numbering.written(organization.estimate_prefix, number),
        status="draft",
        origin="workflow" if principal.service == "workflow" else "manual",
        customer_id=customer.id,
        customer_name=customer.customer_name,
        billing_address=customer.billing_address,
        contact_person_id=person.id if person else None,
        contact_person_name=person.full_name if person else "",
        date=date,
        currency_code=currency_code,
        sub_total=amounts.sub_total,
        discount_total=amounts.discount_total,
        tax_total=amounts.tax_total,
        total=amounts.total,
        **body.model_dump(
            include={"expiry_date", "reference_number", "notes", "terms", "crm_potential_id", "crm_potential_version"}
        ),
    )
    session.add(estimate)
    await session.flush()
    await _write_lines(session, estimate, lines)
    await _remember(session, estimate, principal.name, ["created"])
    outbox.record(session, EstimateCreated(data=await snapshot(session, estimate, lines, today)))
    await search.index(session, SEARCH_KIND, {estimate.id: _search_texts(estimate)}, new=True)
    return await queries.whole(session, estimate, lines=lines)


async def edit(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    estimate_id: str,
    body: EstimateEdit,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholeEstimate:
    """Change what was sent. Raises `EstimateNotFound`, `PreconditionFailed`, `EstimateAlreadyInvoiced`, `Invalid`."""
    estimate = await queries.find(session, organization.id, estimate_id, lock=True)
    check_version(expected_version, estimate.version)
    if (refusal := estimate.refuse_edit()) is not None:
        raise refusal
    lines = (await queries.lines_of(session, [estimate.id]))[estimate.id]
    values = body.model_dump(exclude_unset=True, exclude={"line_items"})
    person_id = values.get("contact_person_id", estimate.contact_person_id)
    if person_id != estimate.contact_person_id:
        person = None if person_id is None else await person_at(session, estimate.customer_id, person_id)
        values["contact_person_name"] = person.full_name if person else ""
    asked = [line.asked() for line in lines]
    if "line_items" in body.model_fields_set:
        asked = [line.model_dump() for line in body.line_items]
    currency_code = values.get("currency_code", estimate.currency_code)
    new_lines, amounts = line_items.compute(asked, currency_code)
    values |= {name: getattr(amounts, name) for name in ("sub_total", "discount_total", "tax_total", "total")}
    _check_dates(values.get("date", estimate.date), values.get("expiry_date", estimate.expiry_date))
    altered = estimate.change(**values)
    changed = [name for name in altered if name in EstimateEdit.model_fields]
    if new_lines != lines:
        if not altered:
            estimate.touch()
        if "line_items" in body.model_fields_set:
            changed.append("line_items")
        await session.execute(delete(estimate_lines).where(estimate_lines.c.estimate_id == estimate.id))
        await _write_lines(session, estimate, new_lines)
    if changed:
        if "expiry_date" in changed:
            estimate.expiry_waived = False
        await session.flush()
        await _remember(session, estimate, principal.name, [f"edited: {', '.join(changed)}"])
        outbox.record(session, EstimateUpdated(data=await snapshot(session, estimate, new_lines, today)))
        await search.index(session, SEARCH_KIND, {estimate.id: _search_texts(estimate)})
    return await queries.whole(session, estimate, lines=new_lines)


async def mark(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    estimate_id: str,
    status: EstimateStatus,
    *,
    potential_version: int | None,
    expected_version: int | None,
    today: datetime.date,
) -> WholeEstimate:
    """Make it ``status``; if it is so already, nothing changes. Raises `EstimateNotFound`, or a `Conflict`.

    ``potential_version``: of the potential that the workflow's command follows from; an older one than seen is refused.
    """
    _check_sender(principal, potential_version)
    estimate = await queries.find(session, organization.id, estimate_id, lock=True)
    check_version(expected_version, estimate.version)
    estimate.see_potential(potential_version)
    happened = estimate.mark(status, today)
    await session.flush()
    lines = (await queries.lines_of(session, [estimate.id]))[estimate.id]
    if happened:
        await _remember(session, estimate, principal.name, happened)
        outbox.record(session, EstimateStatusChanged(data=await snapshot(session, estimate, lines, today)))
    return await queries.whole(session, estimate, lines=lines)


async def remove(
    session: AsyncSession,
    organization: Organization,
    estimate_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> None:
    """Delete a draft with the newest number and give its number back. Raises `EstimateNotFound`, or a `Conflict`."""
    estimate = await queries.find(session, organization.id, estimate_id, lock=True)
    check_version(expected_version, estimate.version)
    # What is refused needs no lock; what is allowed is made sure of by giving the number back.
    newest = await numbering.newest(session, organization.id, "estimate")
    if (refusal := estimate.refuse_delete(newest)) is not None:
        raise refusal
    lines = (await queries.lines_of(session, [estimate.id]))[estimate.id]
    last = await snapshot(session, estimate, lines, today)
    await customers.count_transaction(session, organization.id, estimate.customer_id, by=-1)
    if not await numbering.give_back(session, organization.id, "estimate", estimate.number):
        newest = await numbering.newest(session, organization.id, "estimate")
        raise estimate.refuse_delete(newest) or AssertionError("the number is the newest and was not given back")
    for table in (estimate_lines, estimate_history):
        await session.execute(delete(table).where(table.c.estimate_id == estimate.id))
    await session.delete(estimate)
    await session.flush()
    outbox.record(session, events.deleted(last))
    await search.index(session, SEARCH_KIND, {estimate.id: ()})


async def snapshot(session: AsyncSession, estimate: Estimate, lines: list[LineItem], today: datetime.date) -> Any:
    """The estimate as events tell of it."""
    document = (estimate.customer_id, estimate.contact_person_id)
    links = await customer_queries.links_of_documents(session, [document])
    return events.snapshot(estimate, lines, links[document], today)


async def _write_lines(session: AsyncSession, estimate: Estimate, lines: Iterable[LineItem]) -> None:
    rows = [line.row(estimate_id=estimate.id, position=position) for position, line in enumerate(lines)]
    await session.execute(insert(estimate_lines), rows)


async def _remember(session: AsyncSession, estimate: Estimate, who: str, happened: Iterable[str]) -> None:
    now = utc_now()
    rows = [{"estimate_id": estimate.id, "at": now, "who": who, "what": what} for what in happened]
    await session.execute(insert(estimate_history), rows)


def _search_texts(estimate: Estimate) -> tuple[str, ...]:
    return (estimate.estimate_number, estimate.customer_name, estimate.reference_number)


def _check_dates(date: datetime.date, expiry_date: datetime.date | None) -> None:
    if expiry_date is not None and expiry_date < date:
        raise invalid_field("expiry_date", f"must not be before the estimate's date, {date}")


def _check_sender(principal: Principal, potential_version: int | None) -> None:
    if potential_version is not None and principal.service is None:
        raise invalid_field("crm_potential_version", "only services send it")
