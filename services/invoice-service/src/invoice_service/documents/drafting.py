"""Making and revising documents: what estimates and invoices do alike.

Guarantee: a document's totals are those of its lines, and its lines are those that were asked for.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from servicekit import search
from servicekit.auth import Principal
from servicekit.db import new_id, utc_now
from servicekit.errors import invalid_field
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import line_items
from invoice_service.customers import service as customers
from invoice_service.customers.models import ChangedMeanwhile, ContactPerson, Customer
from invoice_service.documents import queries as documents
from invoice_service.documents.customer_choice import choose, look_at, person_at
from invoice_service.documents.models import D, Document, Kind
from invoice_service.documents.schemas import DocumentBody, DocumentEdit
from invoice_service.items import queries as items
from invoice_service.line_items import LineItem, LineItemBody
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans
from invoice_service.totals import DocumentTotals

_AMOUNTS = ("sub_total", "document_discount", "discount_total", "tax_total", "total")
_OF_THE_WHOLE = ("discount_percentage", "discount_amount", "adjustment")
_OF_ITEMS = ("name", "description", "unit", "rate", "tax_percentage")


@dataclass(frozen=True)
class Draft:
    """A document to be: its attributes but for what its kind adds, and its lines."""

    values: dict[str, Any]
    lines: list[LineItem]
    customer: Customer


@dataclass(frozen=True)
class Preview:
    """What a document would say: date, amounts, lines. ``customer``: who is named, if anyone is."""

    values: dict[str, Any]
    lines: list[LineItem]
    amounts: DocumentTotals
    currency_code: str
    customer: Customer | None


async def prepare(
    session: AsyncSession, organization: Organization, principal: Principal, body: DocumentBody, *, today: datetime.date
) -> Draft:
    """What ``body`` asks for, with the customer locked and the document counted for customer and plan.

    Raises `Invalid`, `CrmRecordNotImported`, `CustomerInactive`, `PlanCapReached`.
    """
    check_sender(principal, body.crm_potential_version)
    chosen = await choose(session, organization.id, body)
    customer, person = chosen.customer, chosen.contact_person
    currency_code = body.currency_code or customer.currency_code
    asked = await _with_items(session, organization, body.line_items, currency_code)
    whole = _of_the_whole(body)
    lines, amounts = line_items.compute(asked, currency_code, **whole)
    values = {
        "id": new_id(),
        "organization_id": organization.id,
        "status": "draft",
        "origin": "workflow" if principal.service == "workflow" else "manual",
        "customer_id": customer.id,
        **_customer_as_of_now(customer),
        "contact_person_id": person.id if person else None,
        "contact_person_name": person.full_name if person else "",
        "date": body.date or today,
        "currency_code": currency_code,
        **whole,
        **_amounts(amounts),
        "notes": body.notes if "notes" in body.model_fields_set else organization.default_notes,
        "terms": body.terms if "terms" in body.model_fields_set else organization.default_terms,
        **body.model_dump(
            include={"reference_number", "adjustment_description", "crm_potential_id", "crm_potential_version"}
        ),
    }
    await plans.count_document(session, organization, on=today)
    return Draft(values, lines, customer)


async def preview(
    session: AsyncSession, organization: Organization, principal: Principal, body: DocumentBody, *, today: datetime.date
) -> Preview:
    """What `prepare` would make of ``body``, with nothing locked, counted or written.

    Without a customer, in the organization's currency. Lines may name items that are gone, if they say name and rate
    themselves: a document that is being edited may have them. Raises as `prepare` does, but for the plan.
    """
    check_sender(principal, body.crm_potential_version)
    customer = await look_at(session, organization.id, body)
    currency_code = body.currency_code or (customer or organization).currency_code
    kept = {line.item_id for line in body.line_items if line.item_id is not None}
    asked = await _with_items(session, organization, body.line_items, currency_code, kept=kept)
    whole = _of_the_whole(body)
    lines, amounts = line_items.compute(asked, currency_code, **whole)
    values = {"date": body.date or today, **whole, **_amounts(amounts)}
    return Preview(values, lines, amounts, currency_code, customer)


async def insert_document(
    session: AsyncSession, kind: Kind[D], document: D, lines: Iterable[LineItem], who: str, what: str = "created"
) -> None:
    """Write a new document with its lines, the first entry of its history, and what it is found by."""
    session.add(document)
    await session.flush()
    await _write_lines(session, kind, document, lines)
    await remember(session, kind, document.id, who, [what])
    await index(session, kind, document, new=True)


async def lock_for_removal(session: AsyncSession, kind: Kind[D], organization: Organization, document_id: str) -> D:
    """The document, locked after its customer, who has one transaction less; payments take the locks in this order too.

    Raises the kind's `NotFound`, `ChangedMeanwhile`.
    """
    seen = await documents.find(session, kind, organization.id, document_id)
    customer = await customers.count_transaction(session, organization.id, seen.customer_id, by=-1)
    document = await documents.find(session, kind, organization.id, document_id, lock=True)
    check_customer(document, customer)
    return document


def check_customer(document: Document, locked: Customer | None) -> None:
    """Raise `ChangedMeanwhile` if the document is not of the customer who was locked for it."""
    if locked is None or document.customer_id != locked.id:
        raise ChangedMeanwhile(
            f"the customer of {document.written_number} was merged just now; try again",
            customer_id=document.customer_id,
        )


@dataclass(frozen=True)
class Revision:
    """What an edit makes of a document: its attributes and its lines. Nothing is changed yet."""

    body: DocumentEdit
    values: dict[str, Any]
    old_lines: list[LineItem]
    lines: list[LineItem]

    async def apply(self, session: AsyncSession, kind: Kind[D], document: D) -> list[str]:
        """Change the document and its lines; the names of the body's fields that changed something."""
        altered = document.change(**self.values)
        changed = [name for name in altered if name in type(self.body).model_fields]
        if self.lines != self.old_lines:
            if not altered:
                document.touch()
            if "line_items" in self.body.model_fields_set:
                changed.append("line_items")
            await session.execute(delete(kind.lines).where(kind.lines.c.document_id == document.id))
            await _write_lines(session, kind, document, self.lines)
        await session.flush()
        return changed


async def revise(
    session: AsyncSession, organization: Organization, document: Document, body: DocumentEdit, lines: list[LineItem]
) -> Revision:
    """What ``body`` makes of the document with its present ``lines``. Raises `Invalid`."""
    values = body.model_dump(exclude_unset=True, exclude={"line_items"})
    person_id = values.get("contact_person_id", document.contact_person_id)
    if person_id != document.contact_person_id:
        person = None if person_id is None else await person_at(session, document.customer_id, person_id)
        values["contact_person_name"] = person.full_name if person else ""
    currency_code = values.get("currency_code", document.currency_code)
    asked = [line.asked() for line in lines]
    if "line_items" in body.model_fields_set:
        kept = {line.item_id for line in lines if line.item_id is not None}
        asked = await _with_items(session, organization, body.line_items, currency_code, kept=kept)
    # Of the two discounts the one sent takes the other's place.
    for sent, other in (("discount_percentage", "discount_amount"), ("discount_amount", "discount_percentage")):
        if values.get(sent) and other not in values:
            values[other] = type(values[sent])(0)
    whole = {name: values.get(name, getattr(document, name)) for name in _OF_THE_WHOLE}
    new_lines, amounts = line_items.compute(asked, currency_code, **whole)
    return Revision(body, values | _amounts(amounts), lines, new_lines)


async def issue(session: AsyncSession, document: Document) -> None:
    """A draft goes out: customer and contact person are taken once more as they are now, and stay so."""
    customer = await session.get(Customer, document.customer_id, populate_existing=True)
    if customer is not None:
        document.customer_name = customer.customer_name
        document.billing_address = customer.billing_address
    if document.contact_person_id is not None:
        person = await session.get(ContactPerson, document.contact_person_id, populate_existing=True)
        if person is not None:
            document.contact_person_name = person.full_name


async def remember(session: AsyncSession, kind: Kind[D], document_id: str, who: str, happened: Iterable[str]) -> None:
    """Add to the document's history, in order."""
    await remember_all(session, kind, who, [(document_id, what) for what in happened])


async def remember_all(session: AsyncSession, kind: Kind[D], who: str, happened: Iterable[tuple[str, str]]) -> None:
    """Add to the histories of documents: (document id, what happened), in order."""
    now = utc_now()
    rows = [{"document_id": document_id, "at": now, "who": who, "what": what} for document_id, what in happened]
    if rows:
        await session.execute(insert(kind.history), rows)


async def index(session: AsyncSession, kind: Kind[D], document: D, *, new: bool = False) -> None:
    """Let the document be found by its number, customer and reference."""
    texts = (document.written_number, document.customer_name, document.reference_number)
    await search.index(session, kind.name, {document.id: texts}, new=new)


async def erase(session: AsyncSession, kind: Kind[D], document: D) -> None:
    """Delete the document with everything that is its own."""
    for table in (kind.lines, kind.history):
        await session.execute(delete(table).where(table.c.document_id == document.id))
    await session.delete(document)
    await session.flush()
    await search.index(session, kind.name, {document.id: ()})


def check_sender(principal: Principal, potential_version: int | None) -> None:
    """Raise `Invalid` if someone else than a service names the version of a potential."""
    if potential_version is not None and principal.service is None:
        raise invalid_field("crm_potential_version", "only services send it")


def _customer_as_of_now(customer: Customer) -> dict[str, Any]:
    return {"customer_name": customer.customer_name, "billing_address": customer.billing_address}


def _of_the_whole(body: DocumentBody) -> dict[str, Any]:
    return {name: getattr(body, name) for name in _OF_THE_WHOLE}


def _amounts(amounts: DocumentTotals) -> dict[str, Any]:
    return {name: getattr(amounts, name) for name in _AMOUNTS}


async def _with_items(
    session: AsyncSession,
    organization: Organization,
    lines: Sequence[LineItemBody],
    currency_code: str,
    *,
    kept: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The lines with what they leave to their items. ``kept``: items of lines that are there; these may be gone."""
    wanted = {line.item_id for line in lines if line.item_id is not None}
    found = await items.get_many(session, organization.id, wanted) if wanted else {}
    asked = []
    for position, line in enumerate(lines):
        values = line.model_dump()
        if line.item_id is not None:
            left_out = [name for name in _OF_ITEMS if name not in line.model_fields_set]
            item = found.get(line.item_id)
            field = f"line_items.{position}"
            if item is None and (line.item_id not in kept or {"name", "rate"} & set(left_out)):
                message = f"there is no item {line.item_id} in this organization"
                raise invalid_field(f"{field}.item_id", message, code=items.ItemNotFound.code)
            if item is not None and "rate" in left_out and currency_code != organization.currency_code:
                own = organization.currency_code
                raise invalid_field(f"{field}.rate", f"the item's is in {own}; send the rate in {currency_code}")
            if item is not None:
                values |= {name: getattr(item, name) for name in left_out}
        asked.append(values)
    return asked


async def _write_lines(session: AsyncSession, kind: Kind[D], document: D, lines: Iterable[LineItem]) -> None:
    rows = [line.row(document_id=document.id, position=position) for position, line in enumerate(lines)]
    await session.execute(insert(kind.lines), rows)
