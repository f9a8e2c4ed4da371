"""What accounts, contacts and potentials have in common: a version that every change raises, and a tombstone.

A deleted record stays as a row, out of every list and lookup, so that its last version can still be told.

Rows are always locked in this order, which is what keeps transactions from blocking each other for good: accounts,
then contacts, then potentials.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from contracts.event import Event
from servicekit import outbox, search
from servicekit.db import new_id, utc_now
from servicekit.errors import Invalid
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, Index, String, Table, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.base import Base

BATCH = 500
"""How many records a bulk change handles at once: what bounds its memory, and how long it keeps others waiting."""

_ID = re.compile(r"^[0-9a-f-]{36}$")


class Record(Base):
    """Base of the three aggregates. A new one has its id and version 1 from the start."""

    __abstract__ = True
    search_kind: ClassVar[str]

    # The lower its sort_order, the further to the front of the table a column stands.
    id: Mapped[str] = mapped_column(String(36), primary_key=True, sort_order=-5)
    version: Mapped[int] = mapped_column(sort_order=-4)
    created_at: Mapped[datetime] = mapped_column(sort_order=-3)
    updated_at: Mapped[datetime] = mapped_column(sort_order=-2)
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=-1)

    def __init__(self, **values: Any) -> None:
        now = utc_now()
        super().__init__(id=new_id(), version=1, created_at=now, updated_at=now, **values)

    @property
    def deleted(self) -> bool:
        """Whether only its tombstone is left."""
        return self.deleted_at is not None

    def search_texts(self) -> Sequence[str]:
        """The texts by which it is found."""
        raise NotImplementedError

    def change(self, values: Mapping[str, Any], now: datetime) -> bool:
        """Take over those of ``values`` that differ; whether any did. Only then it is a new version."""
        differing = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in differing.items():
            setattr(self, name, value)
        if differing:
            self.version += 1
            self.updated_at = now
        return bool(differing)

    def delete(self, now: datetime) -> None:
        """Leave a tombstone, which is a version of its own."""
        self.change({"deleted_at": now}, now)

    def row(self) -> dict[str, Any]:
        """Its columns and their values."""
        return {prop.columns[0].name: getattr(self, prop.key) for prop in inspect(type(self)).column_attrs}

    @classmethod
    def live(cls) -> ColumnElement[bool]:
        """A condition: not deleted."""
        return cls.deleted_at.is_(None)


R = TypeVar("R", bound=Record)


def live_index(name: str, *columns: str, where: str = "") -> Index:
    """An index for a list: these columns of the records that are not deleted (and for which ``where`` holds)."""
    condition = text("deleted_at IS NULL" + (f" AND {where}" if where else ""))
    return Index(name, *columns, postgresql_where=condition, sqlite_where=condition)


async def find(session: AsyncSession, kind: type[R], record_id: str, *, lock: bool = False) -> R | None:
    """The record, if there is one that is not deleted; ``lock`` keeps others from changing it meanwhile."""
    if not _ID.match(record_id):
        return None
    statement = select(kind).where(kind.id == record_id, kind.live())
    if lock:
        statement = statement.with_for_update(of=kind)
    return (await session.execute(statement)).scalar_one_or_none()


async def hold(session: AsyncSession, kind: type[R], ids: Collection[str]) -> set[str]:
    """Those of ``ids`` that are not deleted, and cannot be until the transaction ends: so one may refer to them."""
    found: set[str] = set()
    for some in batches(sorted(record_id for record_id in ids if _ID.match(record_id))):
        statement = select(kind.id).where(kind.id.in_(some), kind.live()).order_by(kind.id)
        found.update(await session.scalars(statement.with_for_update(read=True)))
    return found


def bad_reference(noun: str, record_id: str) -> Invalid:
    """The refusal to refer to a record that is not there, or no longer."""
    code, message = f"{noun}_not_found", f"there is no {noun} {record_id}"
    errors = [{"field": f"{noun}_id", "code": code, "message": message}]
    return Invalid(f"{noun}_id: {message}", code=code, errors=errors)


async def page_of(
    session: AsyncSession, kind: type[R], page: PageRequest, q: str | None, *conditions: ColumnElement[bool]
) -> tuple[list[R], str | None]:
    """One page of the records that meet the conditions, newest first, and the cursor of the next page.

    ``q``: beginnings of words to find them by.
    """
    statement = select(kind).where(kind.live(), *conditions)
    if q:
        statement = statement.where(search.matches(kind.search_kind, kind.id.expression, q))
    return await fetch_page(session, statement, keys=[kind.id], page=page, key_of=lambda record: [record.id])


async def add(session: AsyncSession, records: Sequence[R], event: Callable[[R], Event[Any]]) -> None:
    """Insert new records, with what they are found by and the event of each."""
    if not records:
        return
    table = inspect(type(records[0])).local_table
    assert isinstance(table, Table)
    for some in batches(records):
        await session.execute(insert(table), [record.row() for record in some])
        outbox.record_all(session, map(event, some))
        texts = {record.id: record.search_texts() for record in some}
        await search.index(session, some[0].search_kind, texts, new=True)
        await outbox.flush(session)


async def save(session: AsyncSession, record: Record, event: Event[Any]) -> None:
    """Record the event of a change, and have the record found by what it says now: by nothing, if it is deleted."""
    outbox.record(session, event)
    await search.index(session, record.search_kind, {record.id: () if record.deleted else record.search_texts()})


async def change_all(
    session: AsyncSession,
    kind: type[R],
    condition: ColumnElement[bool],
    values: Mapping[str, Any],
    event: Callable[[R], Event[Any]],
) -> None:
    """Change every record that meets ``condition``, batch by batch; by the change it must cease to meet it."""
    now = utc_now()
    batch = select(kind).where(kind.live(), condition).order_by(kind.id).limit(BATCH).with_for_update(of=kind)
    while some := (await session.scalars(batch)).all():
        for record in some:
            record.change(values, now)
            outbox.record(session, event(record))
        await session.flush()
        await outbox.flush(session)


T = TypeVar("T")


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """``items`` in pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
