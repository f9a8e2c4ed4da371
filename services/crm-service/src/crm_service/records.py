"""What accounts, contacts and potentials have in common: a version that every change raises, and a tombstone.

A deleted record stays as a row, out of every list and lookup, so that its last version can still be told, and so that
it can be restored. Deleting sets free what referred to the record, and restoring takes that back, in whatever order
records are deleted and restored: only what was given to another record meanwhile stays there.

Rows are always locked in this order, which is what keeps transactions from blocking each other for good: accounts,
then contacts, then potentials.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from contracts.event import Event
from servicekit import outbox, search
from servicekit.db import new_id, utc_now
from servicekit.errors import Invalid, NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, Index, String, Table, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.base import Base

BATCH = 500
"""How many records a bulk change handles at once: what bounds its memory, and how long it keeps others waiting."""

CHOICES = 20
"""This many records are offered at once where one is to be chosen; the others are searched for."""

_ID = re.compile(r"^[0-9a-f-]{36}$")


class Record(Base):
    """Base of the three aggregates. A new one has its id and version 1 from the start.

    ``refers_to``: its columns with the id of another record, in the order in which rows are locked. Beside each,
    ``account_id``, stands another, ``left_account_id``: what it referred to until that was deleted.
    """

    __abstract__ = True
    search_kind: ClassVar[str]
    refers_to: ClassVar[Mapping[str, type["Record"]]] = {}

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
        """Take over those of ``values`` that differ; whether any did. Only then it is a new version.

        What is given to another record no longer goes back to the one that it left.
        """
        differing = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name in self.refers_to:
            if name in differing and left(name) not in values:
                differing[left(name)] = None
        for name, value in differing.items():
            setattr(self, name, value)
        if differing:
            self.version += 1
            self.updated_at = now
        return bool(differing)

    def delete(self, now: datetime) -> None:
        """Leave a tombstone, which is a version of its own."""
        self.change({"deleted_at": now}, now)

    def at_home(self) -> dict[str, str | None]:
        """What it belongs to: what it refers to, or else what it has left."""
        return {name: getattr(self, name) or getattr(self, left(name)) for name in self.refers_to}

    def restore(self, there: Collection[str], now: datetime) -> None:
        """Undo the deletion, by one more version: it refers to what it belongs to, if that is among ``there``."""
        values: dict[str, Any] = {"deleted_at": None}
        for name, home in self.at_home().items():
            values |= {name: home, left(name): None} if home in there else {name: None, left(name): home}
        self.change(values, now)

    def row(self) -> dict[str, Any]:
        """Its columns and their values."""
        return {prop.columns[0].name: getattr(self, prop.key) for prop in inspect(type(self)).column_attrs}

    @classmethod
    def live(cls) -> ColumnElement[bool]:
        """A condition: not deleted."""
        return cls.deleted_at.is_(None)


R = TypeVar("R", bound=Record)


class RecordNotFound(NotFound):
    """There is no such record; or it was deleted: then the document says when, and what brings it back."""

    def __init__(self, noun: str, record_id: str, deleted_at: datetime | None = None) -> None:
        if deleted_at is None:
            super().__init__(f"there is no {noun} {record_id}", id=record_id)
            return
        restore = f"/v1/{noun}s/{record_id}/restore"
        super().__init__(
            f"the {noun} {record_id} was deleted on {deleted_at:%Y-%m-%d at %H:%M} UTC; POST {restore} brings it back",
            id=record_id,
            deleted_at=deleted_at.isoformat(),
            restore=restore,
        )


def left(reference: str) -> str:
    """The column beside this one that keeps what it referred to until that was deleted."""
    return f"left_{reference}"


def live_index(name: str, *columns: str, where: str = "") -> Index:
    """An index for a list: these columns of the records that are not deleted (and for which ``where`` holds)."""
    condition = text("deleted_at IS NULL" + (f" AND {where}" if where else ""))
    return Index(name, *columns, postgresql_where=condition, sqlite_where=condition)


def left_index(name: str, reference: str) -> Index:
    """An index of the records that go back to another one when that is restored."""
    condition = text(f"deleted_at IS NULL AND {left(reference)} IS NOT NULL")
    return Index(name, left(reference), "id", postgresql_where=condition, sqlite_where=condition)


def deleted_index(name: str) -> Index:
    """An index for the list of the deleted records."""
    condition = text("deleted_at IS NOT NULL")
    return Index(name, "id", postgresql_where=condition, sqlite_where=condition)


def possible(ids: Collection[str]) -> list[str]:
    """Those of ``ids`` that have the form of an id of ours, in order: no record has another one."""
    return sorted({record_id for record_id in ids if _ID.match(record_id)})


async def find(session: AsyncSession, kind: type[R], record_id: str, *, lock: bool = False) -> R | None:
    """The record, deleted or not, if there is one; ``lock`` keeps others from changing it meanwhile."""
    if not _ID.match(record_id):
        return None
    statement = select(kind).where(kind.id == record_id)
    if lock:
        # As it is now, even if this session has read it before.
        statement = statement.with_for_update(of=kind).execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def get(
    session: AsyncSession, kind: type[R], record_id: str, missing: type[RecordNotFound], *, lock: bool = False
) -> R:
    """The record; ``lock`` keeps others from changing it meanwhile. Raises ``missing``, also if it was deleted."""
    record = await find(session, kind, record_id, lock=lock)
    if record is None:
        raise missing(kind.search_kind, record_id)
    if record.deleted:
        raise missing(kind.search_kind, record_id, record.deleted_at)
    return record


async def hold(session: AsyncSession, kind: type[Record], ids: Collection[str]) -> set[str]:
    """Those of ``ids`` that are not deleted: so one may refer to them.

    None of ``ids`` can be deleted, or restored, until the transaction ends.
    """
    found: set[str] = set()
    for some in batches(possible(ids)):
        statement = select(kind.id, kind.deleted_at).where(kind.id.in_(some)).order_by(kind.id)
        rows = await session.execute(statement.with_for_update(read=True))
        found.update(record_id for record_id, deleted_at in rows if deleted_at is None)
    return found


def bad_reference(noun: str, record_id: str) -> Invalid:
    """The refusal to refer to a record that is not there, or no longer."""
    code, message = f"{noun}_not_found", f"there is no {noun} {record_id}"
    errors = [{"field": f"{noun}_id", "code": code, "message": message}]
    return Invalid(f"{noun}_id: {message}", code=code, errors=errors)


async def page_of(
    session: AsyncSession,
    kind: type[R],
    page: PageRequest,
    q: str | None,
    *conditions: ColumnElement[bool],
    deleted: bool = False,
) -> tuple[list[R], str | None]:
    """One page of the records that meet the conditions, newest first, and the cursor of the next page.

    ``q``: beginnings of words to find them by. ``deleted``: those that are deleted, instead of those that are not.
    """
    statement = select(kind).where(kind.deleted_at.is_not(None) if deleted else kind.live(), *conditions)
    if q:
        statement = statement.where(search.matches(_search_kind(kind, deleted=deleted), kind.id.expression, q))
    return await fetch_page(session, statement, keys=[kind.id], page=page, key_of=lambda record: [record.id])


async def changed_last(session: AsyncSession, kind: type[R], count: int) -> Sequence[R]:
    """The records that were changed last, and are not deleted."""
    statement = select(kind).where(kind.live()).order_by(kind.updated_at.desc()).limit(count)
    return (await session.scalars(statement)).all()


async def stamp(session: AsyncSession, kind: type[Record], *conditions: ColumnElement[bool]) -> str:
    """A text that is another one after each change of a record that meets the conditions, tombstones included.

    It tells of the records changed last: of several, since a transaction may be done after one that began later.
    """
    latest = select(kind.id, kind.version).where(*conditions).order_by(kind.updated_at.desc()).limit(5)
    found = ";".join(f"{record_id}.{version}" for record_id, version in await session.execute(latest))
    return hashlib.sha256(found.encode()).hexdigest()[:16]


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
    """Record the event of a change, and have the record found by what it says now; a deleted one among its like."""
    outbox.record(session, event)
    kind = _search_kind(type(record), deleted=record.deleted)
    await search.index(session, kind, {record.id: record.search_texts()})


def _search_kind(kind: type[Record], *, deleted: bool) -> str:
    return f"deleted_{kind.search_kind}" if deleted else kind.search_kind


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
