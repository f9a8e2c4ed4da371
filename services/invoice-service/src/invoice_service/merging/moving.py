"""Moves documents and payments from one customer to another, and tells of them.

Guarantee: what moves is moved and written down by a fixed number of statements; what is told of it goes to the outbox
`CHUNK` at a time, so that memory does not grow with the number of documents.
"""

import datetime
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from servicekit import outbox
from servicekit.db import utc_now
from sqlalchemy import ColumnElement, Table, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.base import Base
from invoice_service.estimates import events as estimates
from invoice_service.estimates.models import ESTIMATES, Estimate
from invoice_service.invoices import events as invoices
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.merging.models import Merge, merge_records
from invoice_service.payments import telling as payments
from invoice_service.payments.models import Payment

CHUNK = 200

_records = merge_records.c


async def _tell_of_payments(session: AsyncSession, ids: Sequence[str], _: datetime.date) -> None:
    await payments.updated_by_id(session, ids)


@dataclass(frozen=True)
class Movable:
    """A kind of records that refer to a customer and have a version; ``tell`` records that some were updated."""

    kind: str
    model: type[Base]
    tell: Callable[[AsyncSession, Sequence[str], datetime.date], Awaitable[None]]
    history: Table | None = None

    @property
    def table(self) -> Table:
        """Its table."""
        return cast(Table, self.model.__table__)


MOVABLE = (
    Movable("estimate", Estimate, estimates.TELLING.tell_updated, ESTIMATES.history),
    Movable("invoice", Invoice, invoices.TELLING.tell_updated, INVOICES.history),
    Movable("payment", Payment, _tell_of_payments),
)


async def count(session: AsyncSession, customer_id: str) -> dict[str, int]:
    """Kind → how many records of the customer there are."""
    counts = [
        select(func.count()).where(one.table.c.customer_id == customer_id).scalar_subquery().label(one.kind)
        for one in MOVABLE
    ]
    return dict((await session.execute(select(*counts))).mappings().one())


async def busy(session: AsyncSession, merge: Merge, *, back: bool = False) -> bool:
    """Lock what is to move; whether someone is at one of these right now.

    It is not waited for: whoever holds one may be waiting for its customer, which is locked already.
    """
    for one in MOVABLE:
        which = _moved(one, merge) if back else one.table.c.customer_id == merge.from_id
        free = select(one.table.c.id).where(which).with_for_update(skip_locked=True, key_share=True).subquery()
        there = select(func.count()).select_from(one.table).where(which)
        found = await session.execute(select(there.scalar_subquery(), select(func.count(free.c.id)).scalar_subquery()))
        if len(set(found.one())) > 1:
            return True
    return False


async def move(session: AsyncSession, merge: Merge) -> None:
    """Move all of the customer that goes to the one that stays, and write down what moved."""
    for one in MOVABLE:
        columns = one.table.c
        written = select(literal(merge.id), literal(one.kind), columns.id, columns.version + 1)
        await session.execute(
            insert(merge_records).from_select(
                ["merge_id", "kind", "record_id", "version"], written.where(columns.customer_id == merge.from_id)
            )
        )
        await _put(session, one, columns.customer_id == merge.from_id, merge.into_id)
        await _remember(session, one, merge, merge.who, f"moved from {merge.from_name} to {merge.into_name}: merged")


async def move_back(session: AsyncSession, merge: Merge, who: str) -> None:
    """Move what moved back to where it was."""
    for one in MOVABLE:
        await _put(session, one, _moved(one, merge), merge.from_id)
        await _remember(
            session, one, merge, who, f"moved back from {merge.into_name} to {merge.from_name}: merge undone"
        )


async def changed_since(session: AsyncSession, merge: Merge) -> tuple[str, list[str]] | None:
    """Kind and ids of some records that moved and are not as they were right after; None if all are."""
    for one in MOVABLE:
        columns = one.table.c
        same = exists().where(
            columns.id == _records.record_id,
            columns.version == _records.version,
            columns.customer_id == merge.into_id,
        )
        changed = select(_records.record_id).where(_records.merge_id == merge.id, _records.kind == one.kind, ~same)
        if ids := (await session.execute(changed.limit(5))).scalars().all():
            return one.kind, list(ids)
    return None


async def named_since(session: AsyncSession, merge: Merge) -> tuple[str, list[str]] | None:
    """Kind and ids of some documents that stay and name a contact person who would go back; None if there are none."""
    persons = select(_records.record_id).where(_records.merge_id == merge.id, _records.kind == "contact_person")
    for one in MOVABLE:
        columns = one.table.c
        if "contact_person_id" in columns:
            stays = (columns.customer_id == merge.into_id, ~_moved(one, merge))
            naming = select(columns.id).where(*stays, columns.contact_person_id.in_(persons))
            if ids := (await session.execute(naming.limit(5))).scalars().all():
                return one.kind, list(ids)
    return None


async def tell(session: AsyncSession, merge: Merge, today: datetime.date) -> None:
    """Tell of all that moved."""
    for one in MOVABLE:
        last = ""
        following = select(_records.record_id).where(_records.merge_id == merge.id, _records.kind == one.kind)
        following = following.order_by(_records.record_id).limit(CHUNK)
        while ids := (await session.execute(following.where(_records.record_id > last))).scalars().all():
            await one.tell(session, ids, today)
            await outbox.flush(session)
            last = ids[-1]


def _moved(one: Movable, merge: Merge) -> ColumnElement[bool]:
    ids = select(_records.record_id).where(_records.merge_id == merge.id, _records.kind == one.kind)
    return one.table.c.id.in_(ids)


async def _put(session: AsyncSession, one: Movable, which: ColumnElement[bool], customer_id: str) -> None:
    values: dict[str, Any] = {
        "customer_id": customer_id,
        "version": one.table.c.version + 1,
        "updated_at": utc_now(),
    }
    await session.execute(update(one.table).where(which).values(values))


async def _remember(session: AsyncSession, one: Movable, merge: Merge, who: str, what: str) -> None:
    if one.history is None:
        return
    columns = one.history.c
    rows = select(
        _records.record_id, literal(utc_now(), columns.at.type), literal(who), literal(what, columns.what.type)
    ).where(_records.merge_id == merge.id, _records.kind == one.kind)
    await session.execute(insert(one.history).from_select(["document_id", "at", "who", "what"], rows))
