"""Likely duplicates (S29): pairs of active customers with the same name, phone or address (`likeness`).

Guarantees: the pairs are kept at every write of a customer, so that listing them compares nothing; what a write costs
is bounded, since a key counts for `MAX_SHARING` customers at most. One more with that key is in no pair by it until it
is written again when there is room: what so many share, such as a placeholder or a switchboard, tells nothing.

Whoever writes customers holds the lock of their organization (`organizations.queries.get`): of two that are made at the
same time each would miss the other.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, Select, case, delete, func, insert, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.likeness import KINDS, Likeness, likeness
from invoice_service.customers.models import Customer, DuplicatePair
from invoice_service.customers.rows import each

MAX_SHARING = 50

_COLUMNS = tuple(f"{kind}_key" for kind in KINDS)


@dataclass(frozen=True)
class Admitted:
    """The keys that customers are going to have, to be written with them; then comes `pair`.

    ``known``: the customers that are there already. ``alike``: those that share a key with another one.
    """

    organization_id: str
    keys: Mapping[str, Likeness]
    known: Collection[str]
    alike: Collection[str]

    def columns(self, customer_id: str) -> dict[str, str | None]:
        """A customer's keys as its columns."""
        return {column: key or None for column, key in zip(_COLUMNS, self.keys[customer_id], strict=True)}


async def keep(session: AsyncSession, customer: Customer) -> None:
    """Find the customer's duplicates anew, if what it is recognised by has changed."""
    wanted = Likeness()
    if customer.status == "active" and customer.merged_into is None:
        wanted = likeness(customer.customer_name, customer.phone, customer.billing_address, customer.shipping_address)
    if wanted == Likeness(*(getattr(customer, column) or "" for column in _COLUMNS)):
        return
    admitted = await admit(session, customer.organization_id, {customer.id: wanted}, known=[customer.id])
    for name, key in admitted.columns(customer.id).items():
        setattr(customer, name, key)
    await session.flush()
    await pair(session, admitted)


async def admit(
    session: AsyncSession, organization_id: str, wanted: Mapping[str, Likeness], *, known: Collection[str]
) -> Admitted:
    """Of the keys that these customers should have those that there is room for; ``known``: see `Admitted`."""
    sharing = await _sharing(session, organization_id, wanted.values(), known)
    keys = {}
    for customer_id, its in wanted.items():
        kept = []
        for kind, key in zip(KINDS, its, strict=True):
            room = sharing[kind, key] < MAX_SHARING
            sharing[kind, key] += 1
            kept.append(key if room else "")
        keys[customer_id] = Likeness(*kept)
    alike = [
        customer_id
        for customer_id, its in keys.items()
        if any(key and sharing[kind, key] > 1 for kind, key in zip(KINDS, its, strict=True))
    ]
    return Admitted(organization_id, keys, known, alike)


async def _sharing(
    session: AsyncSession, organization_id: str, wanted: Collection[Likeness], known: Collection[str]
) -> Counter[tuple[str, str]]:
    """(kind, key) → how many other customers have it."""
    counts = []
    for index, kind in enumerate(KINDS):
        keys = {one[index] for one in wanted} - {""}
        if keys:
            column = _key(Customer, kind)
            count = select(literal(kind), column, func.count()).where(
                Customer.organization_id == organization_id, column.in_(each(session, keys))
            )
            if known:
                count = count.where(Customer.id.not_in(each(session, known)))
            counts.append(count.group_by(column))
    if not counts:
        return Counter()
    return Counter({(kind, key): count for kind, key, count in await session.execute(union_all(*counts))})


async def pair(session: AsyncSession, admitted: Admitted) -> None:
    """Make the pairs of these customers anew, now that their keys are written."""
    if admitted.known:
        known = each(session, admitted.known)
        in_pair = or_(DuplicatePair.first_id.in_(known), DuplicatePair.second_id.in_(known))
        await session.execute(delete(DuplicatePair).where(in_pair))
    if admitted.alike:
        names = ["organization_id", "first_id", "second_id", *_COLUMNS]
        await session.execute(insert(DuplicatePair).from_select(names, _pairs(session, admitted)))


def _pairs(session: AsyncSession, admitted: Admitted) -> Select[*tuple[Any, ...]]:
    """All pairs with one of these customers, each once."""
    shared = []
    for index, kind in enumerate(KINDS):
        if keys := {admitted.keys[customer_id][index] for customer_id in admitted.alike} - {""}:
            # Those with the keys are found first. Left to itself, PostgreSQL compares each new customer with all others
            # of the organization as long as it has no statistics of the table, which is when a first import comes.
            alike = select(Customer.id, _key(Customer, kind).label("key")).where(
                Customer.organization_id == admitted.organization_id, _key(Customer, kind).in_(each(session, keys))
            )
            other = alike.cte(f"with_{kind}").prefix_with("MATERIALIZED", dialect="postgresql")
            one = select(other).where(other.c.id.in_(each(session, admitted.alike))).cte(f"new_with_{kind}")
            is_first = one.c.id < other.c.id
            shared.append(
                select(
                    case((is_first, one.c.id), else_=other.c.id).label("first_id"),
                    case((is_first, other.c.id), else_=one.c.id).label("second_id"),
                    *((one.c.key if named == kind else literal("")).label(f"{named}_key") for named in KINDS),
                )
                .join(other, other.c.key == one.c.key)
                .where(other.c.id != one.c.id)
            )
    found = union_all(*shared).subquery()
    which = (found.c.first_id, found.c.second_id)
    keys_of_pair = (func.max(found.c[column]) for column in _COLUMNS)
    return select(literal(admitted.organization_id), *which, *keys_of_pair).group_by(*which)


def _key(model: Any, kind: str) -> ColumnElement[str]:
    column: ColumnElement[str] = getattr(model, f"{kind}_key")
    return column


async def page(
    session: AsyncSession, organization_id: str, request: PageRequest
) -> tuple[list[tuple[DuplicatePair, Customer, Customer]], str | None]:
    """A page of pairs, each with its two customers, those with the newest customer first."""
    pairs, cursor = await fetch_page(
        session,
        select(DuplicatePair).where(DuplicatePair.organization_id == organization_id),
        keys=[DuplicatePair.second_id, DuplicatePair.first_id],
        page=request,
        key_of=lambda pair: [pair.second_id, pair.first_id],
    )
    ids = {id_ for pair in pairs for id_ in (pair.first_id, pair.second_id)}
    found = (await session.execute(select(Customer).where(Customer.id.in_(ids)))).scalars()
    customers = {customer.id: customer for customer in found}
    return [(pair, customers[pair.first_id], customers[pair.second_id]) for pair in pairs], cursor
