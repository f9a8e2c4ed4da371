"""Reading documents."""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic

from servicekit import search
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, Select, column, exists, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import line_items, numbering
from invoice_service.customers.models import CrmLink, Customer
from invoice_service.customers.queries import crm_link, stayed
from invoice_service.documents.models import D, Document, Kind
from invoice_service.line_items import LineItem
from invoice_service.totals import DocumentTotals

# Of a feature above this one, of which documents need to know no more than whether there is credit.
_payments = table("payments", column("customer_id"), column("currency_code"), column("unused_amount"))


@dataclass(frozen=True)
class Happened:
    """One entry of a document's history."""

    at: datetime.datetime
    who: str
    what: str


@dataclass(frozen=True)
class WholeDocument(Generic[D]):
    """A document with its lines and history, and what its possible actions hang on besides itself.

    ``newest_number``: of its kind in its organization. ``has_credit``: its customer has some in its currency.
    """

    document: D
    lines: list[LineItem]
    history: list[Happened]
    newest_number: int
    customer: Customer
    has_credit: bool

    @cached_property
    def amounts(self) -> DocumentTotals:
        """What its lines come to, computed anew: for the tax summary."""
        return amounts_of(self.document, self.lines)


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None and nothing mean any. The dates are of the document, both included."""

    ids: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    crm_account_id: str | None = None
    crm_contact_id: str | None = None
    crm_potential_id: str | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    q: str | None = None


def amounts_of(document: Document, lines: Collection[LineItem]) -> DocumentTotals:
    """What the lines of the document come to."""
    _, amounts = line_items.compute(
        [line.asked() for line in lines],
        document.currency_code,
        discount_percentage=document.discount_percentage,
        discount_amount=document.discount_amount,
        adjustment=document.adjustment,
    )
    return amounts


async def find(
    session: AsyncSession, kind: Kind[D], organization_id: str, document_id: str, *, lock: bool = False
) -> D:
    """One document; ``lock``: until the transaction ends. Raises the kind's `NotFound`."""
    model = kind.model
    statement = select(model).where(model.organization_id == organization_id, model.id == document_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    document = (await session.execute(statement)).scalar_one_or_none()
    if document is None:
        where: dict[str, Any] = {f"{kind.name}_id": document_id}
        raise kind.not_found(f"there is no {kind.name} {document_id} in this organization", **where)
    return document


async def whole(
    session: AsyncSession, kind: Kind[D], document: D, *, lines: list[LineItem] | None = None
) -> WholeDocument[D]:
    """The document with all that is shown of it; ``lines``, where they are at hand."""
    if lines is None:
        lines = (await lines_of(session, kind, [document.id]))[document.id]
    history = kind.history.c
    found = await session.execute(
        select(history.at, history.who, history.what).where(history.document_id == document.id).order_by(history.id)
    )
    newest = numbering.newest_number(document.organization_id, kind.name).scalar_subquery()
    credit = select(_payments.c.customer_id).where(
        _payments.c.customer_id == document.customer_id,
        _payments.c.currency_code == document.currency_code,
        _payments.c.unused_amount > 0,
    )
    around = select(newest, Customer, exists(credit)).where(Customer.id == document.customer_id)
    newest_number, customer, has_credit = (await session.execute(around)).one()
    return WholeDocument(document, lines, [Happened(*row) for row in found], newest_number, customer, has_credit)


async def lines_of(session: AsyncSession, kind: Kind[D], document_ids: Collection[str]) -> dict[str, list[LineItem]]:
    """Document id → its lines in order; in one statement."""
    columns = kind.lines.c
    found = await session.execute(
        select(kind.lines).where(columns.document_id.in_(document_ids)).order_by(columns.document_id, columns.position)
    )
    lines: dict[str, list[LineItem]] = defaultdict(list)
    for row in found.mappings():
        lines[row[columns.document_id]].append(line_items.from_row(row))
    return lines


async def page(
    session: AsyncSession,
    kind: Kind[D],
    organization_id: str,
    request: PageRequest,
    filters: Filters,
    *further: ColumnElement[bool],
) -> tuple[list[D], str | None]:
    """A page of documents without their lines, newest first; ``further`` conditions are the kind's own."""
    model = kind.model
    statement = select(model).where(
        model.organization_id == organization_id, *_wanted(kind, organization_id, filters), *further
    )
    if filters.crm_account_id is not None:
        account = _of_link(crm_link(organization_id, "account", filters.crm_account_id), CrmLink.customer_id)
        statement = statement.where(model.customer_id == account)
    if filters.crm_contact_id is not None:
        # Documents with this person, and those of the customer that the contact has or had for itself (S8).
        link = crm_link(organization_id, "contact", filters.crm_contact_id)
        own, person = _of_link(link, CrmLink.own_customer_id), _of_link(link, CrmLink.contact_person_id)
        statement = statement.where(or_(model.customer_id == own, model.contact_person_id == person))
    return await fetch_page(session, statement, keys=[model.id], page=request, key_of=lambda document: [document.id])


def _of_link(link: Select[CrmLink], column: Any) -> Any:
    return link.with_only_columns(column).scalar_subquery()


def _wanted(kind: Kind[D], organization_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    model = kind.model
    wanted: list[ColumnElement[bool]] = []
    if filters.ids:
        wanted.append(model.id.in_(filters.ids))
    if filters.customer_ids:
        there = [stayed(organization_id, customer_id) for customer_id in filters.customer_ids]
        wanted.append(model.customer_id == there[0] if len(there) == 1 else model.customer_id.in_(there))
    if filters.crm_potential_id is not None:
        wanted.append(model.crm_potential_id == filters.crm_potential_id)
    if filters.date_from is not None:
        wanted.append(model.date >= filters.date_from)
    if filters.date_to is not None:
        wanted.append(model.date <= filters.date_to)
    if filters.q is not None:
        wanted.append(search.matches(kind.name, model.id.expression, filters.q))
    return wanted
