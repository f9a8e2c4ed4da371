"""Reading estimates."""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from contracts.documents import EstimateStatus
from servicekit import search
from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import line_items, numbering
from invoice_service.customers.models import CrmLink
from invoice_service.customers.queries import crm_link
from invoice_service.estimates.models import Estimate, estimate_history, estimate_lines
from invoice_service.line_items import LineItem

SEARCH_KIND = "estimate"


class EstimateNotFound(NotFound):
    code = "estimate_not_found"


@dataclass(frozen=True)
class Happened:
    """One entry of an estimate's history."""

    at: datetime.datetime
    who: str
    what: str


@dataclass(frozen=True)
class WholeEstimate:
    """An estimate with its lines and history, and the newest number of its organization."""

    estimate: Estimate
    lines: list[LineItem]
    history: list[Happened]
    newest_number: int


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None means any. The dates are of the document, both included."""

    status: EstimateStatus | None = None
    customer_id: str | None = None
    crm_account_id: str | None = None
    crm_contact_id: str | None = None
    crm_potential_id: str | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    q: str | None = None


async def find(session: AsyncSession, organization_id: str, estimate_id: str, *, lock: bool = False) -> Estimate:
    """One estimate; ``lock``: until the transaction ends. Raises `EstimateNotFound`."""
    statement = select(Estimate).where(Estimate.organization_id == organization_id, Estimate.id == estimate_id)
    estimate = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    if estimate is None:
        raise EstimateNotFound(f"there is no estimate {estimate_id} in this organization", estimate_id=estimate_id)
    return estimate


async def whole(session: AsyncSession, estimate: Estimate, *, lines: list[LineItem] | None = None) -> WholeEstimate:
    """The estimate with all that is shown of it; ``lines``, where they are at hand."""
    if lines is None:
        lines = (await lines_of(session, [estimate.id]))[estimate.id]
    history = estimate_history.c
    found = await session.execute(
        select(history.at, history.who, history.what).where(history.estimate_id == estimate.id).order_by(history.id)
    )
    newest = await numbering.newest(session, estimate.organization_id, "estimate")
    return WholeEstimate(estimate, lines, [Happened(*row) for row in found], newest)


async def lines_of(session: AsyncSession, estimate_ids: Collection[str]) -> dict[str, list[LineItem]]:
    """Estimate id → its lines in order; in one statement."""
    columns = estimate_lines.c
    found = await session.execute(
        select(estimate_lines)
        .where(columns.estimate_id.in_(estimate_ids))
        .order_by(columns.estimate_id, columns.position)
    )
    lines: dict[str, list[LineItem]] = defaultdict(list)
    for row in found.mappings():
        lines[row["estimate_id"]].append(line_items.from_row(row))
    return lines


async def page(
    session: AsyncSession, organization_id: str, request: PageRequest, filters: Filters, *, today: datetime.date
) -> tuple[list[Estimate], str | None]:
    """A page of estimates without their lines, newest first."""
    statement = select(Estimate).where(Estimate.organization_id == organization_id, *_wanted(filters))
    if filters.status is not None:
        statement = statement.where(_has_status(filters.status, today))
    if filters.crm_account_id is not None:
        account = _of_link(crm_link(organization_id, "account", filters.crm_account_id), CrmLink.customer_id)
        statement = statement.where(Estimate.customer_id == account)
    if filters.crm_contact_id is not None:
        # Documents with this person, and those of the customer that the contact has or had for itself (S8).
        link = crm_link(organization_id, "contact", filters.crm_contact_id)
        own, person = _of_link(link, CrmLink.own_customer_id), _of_link(link, CrmLink.contact_person_id)
        statement = statement.where(or_(Estimate.customer_id == own, Estimate.contact_person_id == person))
    return await fetch_page(session, statement, keys=[Estimate.id], page=request, key_of=lambda estimate: [estimate.id])


def _of_link(link: Select[CrmLink], column: Any) -> Any:
    return link.with_only_columns(column).scalar_subquery()


def _wanted(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = []
    if filters.customer_id is not None:
        wanted.append(Estimate.customer_id == filters.customer_id)
    if filters.crm_potential_id is not None:
        wanted.append(Estimate.crm_potential_id == filters.crm_potential_id)
    if filters.date_from is not None:
        wanted.append(Estimate.date >= filters.date_from)
    if filters.date_to is not None:
        wanted.append(Estimate.date <= filters.date_to)
    if filters.q is not None:
        wanted.append(search.matches(SEARCH_KIND, Estimate.__table__.c.id, filters.q))
    return wanted


def has_expired(today: datetime.date) -> ColumnElement[bool]:
    """`Estimate.status_on` says expired, but it is not written yet."""
    return and_(Estimate.status == "sent", Estimate.expiry_waived.is_(False), Estimate.expiry_date < today)


def _has_status(status: EstimateStatus, today: datetime.date) -> ColumnElement[bool]:
    if status == "expired":
        return or_(Estimate.status == "expired", has_expired(today))
    if status == "sent":
        unexpired = or_(Estimate.expiry_date.is_(None), Estimate.expiry_date >= today, Estimate.expiry_waived)
        return and_(Estimate.status == "sent", unexpired)
    return Estimate.status == status
