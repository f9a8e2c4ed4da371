"""Documents as events tell of them, and what happens to documents by the clock."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from contracts.customers import CrmLink
from contracts.event import Event
from servicekit import outbox
from servicekit.db import Database
from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.documents import queries as documents
from invoice_service.documents.models import D, Kind
from invoice_service.line_items import LineItem

Snapshot = Callable[[D, Sequence[LineItem], tuple[CrmLink, ...], datetime.date], Any]
"""A document with its lines and CRM links, as others see it on a day."""

AT_ONCE = 50
SYSTEM = "system"
"""Who did what happened by the clock."""


@dataclass(frozen=True)
class Telling(Generic[D]):
    """Tells of one kind of documents; ``updated`` and ``status_changed`` are its events."""

    kind: Kind[D]
    snapshot: Snapshot[D]
    updated: type[Event[Any]]
    status_changed: type[Event[Any]]

    async def snapshots(
        self,
        session: AsyncSession,
        found: Sequence[D],
        today: datetime.date,
        *,
        lines: dict[str, list[LineItem]] | None = None,
    ) -> list[Any]:
        """The documents as events tell of them, in two statements for all; ``lines``, where they are at hand."""
        if lines is None:
            lines = await documents.lines_of(session, self.kind, [document.id for document in found])
        keys = {document.id: (document.customer_id, document.contact_person_id) for document in found}
        links = await customers.links_of_documents(session, keys.values())
        return [self.snapshot(one, lines[one.id], links[keys[one.id]], today) for one in found]

    async def tell(
        self,
        session: AsyncSession,
        event: type[Event[Any]],
        found: Sequence[D],
        today: datetime.date,
        *,
        lines: dict[str, list[LineItem]] | None = None,
    ) -> None:
        """Record ``event`` for each document as it is now."""
        told = await self.snapshots(session, found, today, lines=lines)
        outbox.record_all(session, [event(data=one) for one in told])

    async def tell_updated(self, session: AsyncSession, ids: Sequence[str], today: datetime.date) -> None:
        """Tell of documents whose columns were changed in bulk, read anew; a fixed number of statements."""
        found = select(self.kind.model).where(self.kind.model.id.in_(ids)).order_by(self.kind.model.id)
        read = await session.execute(found, execution_options={"populate_existing": True})
        await self.tell(session, self.updated, read.scalars().all(), today)


async def write_down(
    database: Database,
    telling: Telling[D],
    due: ColumnElement[bool],
    by: Any,
    come: Callable[[D, datetime.date], bool],
    what: str,
    today: datetime.date,
) -> int:
    """Write down what came to documents by the clock, some at a time, for history and events; how many that were.

    ``due``: those it came to and that do not say so yet, found in the order of ``by``. ``come`` writes it.
    """
    written = 0
    while True:
        async with database.transaction() as session:
            some = select(telling.kind.model).where(due).order_by(by).limit(AT_ONCE).with_for_update(skip_locked=True)
            found = [one for one in (await session.execute(some)).scalars() if come(one, today)]
            for document in found:
                document.touch()
            await session.flush()
            if found:
                rows = [{"document_id": one.id, "at": one.updated_at, "who": SYSTEM, "what": what} for one in found]
                await session.execute(insert(telling.kind.history), rows)
                await telling.tell(session, telling.status_changed, found, today)
        written += len(found)
        if len(found) < AT_ONCE:
            return written
