"""The outbox: an event is recorded in the transaction of the change it tells of, and sent afterwards by the relay.

Guarantee: an event leaves the outbox only after it was confirmed (`relay`); a change without its event, or an event
without its change, cannot be committed.
"""

from collections.abc import Iterable
from typing import Any

from contracts.event import Event, encode
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, event, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from servicekit.db import EVENTS_RECORDED, BigId, UtcDateTime, new_id, utc_now
from servicekit.telemetry import correlation_id, traceparent

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("position", BigId, primary_key=True, autoincrement=True),
    Column("event_id", String(36), nullable=False),
    Column("exchange", String(64), nullable=False),
    Column("routing_key", String(128), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
"""One row per event that is not confirmed yet; a confirmed one is deleted."""

_PENDING = "pending_events"


def record(session: AsyncSession, recorded: Event[Any], *, correlation: str | None = None) -> None:
    """Record an event in the session's transaction; all of a transaction's events are written in one statement.

    ``correlation``: the event's correlation id, where it is not the one of the running request or event.
    """
    event_id, now = new_id(), utc_now()
    body = encode(
        recorded,
        event_id=event_id,
        source=f"/{recorded.exchange()}",
        correlation_id=correlation or correlation_id.get(),
        traceparent=traceparent.get(),
        time=now,
    )
    pending: list[dict[str, Any]] | None = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = []
        event.listen(session.sync_session, "before_commit", _write)
    pending.append(
        {
            "event_id": event_id,
            "exchange": recorded.exchange(),
            "routing_key": recorded.routing_key(),
            "body": body,
            "recorded_at": now,
        }
    )


def record_all(session: AsyncSession, recorded: Iterable[Event[Any]]) -> None:
    """Record many events in the session's transaction."""
    for one in recorded:
        record(session, one)


async def flush(session: AsyncSession) -> None:
    """Write what was recorded so far into the session's transaction: for one with so many events that memory counts."""
    await session.run_sync(_write)


def _write(session: Session) -> None:
    pending = session.info.get(_PENDING)
    if pending:
        session.execute(insert(outbox), pending)
        session.info[EVENTS_RECORDED] = True
        session.info[_PENDING] = []
