"""Databases: SQLite and PostgreSQL through one code.

Guarantees: a write transaction never loses another's update, on either database; a transaction that recorded events
wakes the relay once it is committed.

A transaction must not stay open while another service is called: on SQLite it holds the only write lock, on
PostgreSQL it holds row locks.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from uuid_utils import uuid7

from servicekit import sqlite_driver

DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}

BigId = BigInteger().with_variant(Integer, "sqlite")
"""An integer primary key that counts by itself on both databases."""


def new_id() -> str:
    """A new UUIDv7 in its usual text form: ordered by time of making, so that keyset pages and indexes stay fast."""
    return str(uuid7())


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


class Database:
    """One service's database.

    ``url``: ``postgresql://…`` or ``sqlite:///…``; the driver is ours to choose. Raises `ValueError` for any other.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in DRIVERS:
            raise ValueError(f"DATABASE_URL must begin with postgresql:// or sqlite:///, not {backend}://")
        self.url = parsed.set(drivername=DRIVERS[backend])
        self.is_sqlite = backend == "sqlite"
        self.on_events_recorded: Callable[[], None] = lambda: None
        self._pool_size = pool_size
        self._engine: AsyncEngine | None = None
        # SQLite has one writer. Waiting here is fair and costs nothing; waiting in SQLite polls and starves.
        self._writer = asyncio.Lock() if self.is_sqlite else None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, made at first use, in the running event loop."""
        if self._engine is None:
            self._engine = self._create_engine()
        return self._engine

    def _create_engine(self) -> AsyncEngine:
        if self.is_sqlite:
            path = self.url.database or ":memory:"
            engine = create_async_engine(
                self.url,
                pool_size=self._pool_size,
                hide_parameters=True,  # they are people's data, and errors are logged
                async_creator=partial(sqlite_driver.connect, path, busy_seconds=30),
            )
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        return create_async_engine(
            self.url, pool_size=self._pool_size, max_overflow=10, pool_pre_ping=True, hide_parameters=True
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that may write: committed at the end, rolled back by any exception."""
        async with self._writer or nullcontext(), AsyncSession(self.engine, expire_on_commit=False) as session:
            async with session.begin():
                yield session
            recorded = session.info.get(EVENTS_RECORDED, False)
        if recorded:
            self.on_events_recorded()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads, everything as of one moment, and never waits for a writer."""
        options: dict[str, Any] = {"read_only": True}
        if not self.is_sqlite:
            # Read committed would show each statement another moment: a document with the lines of its next version.
            options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        engine = self.engine.execution_options(**options)
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None


EVENTS_RECORDED = "events_recorded"
"""Key in `Session.info`: this transaction put events into the outbox."""


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # The driver's own transactions begin late and silently lose updates (two read-modify-writes, both "ok"): we begin
    # ours, and those that may write take the lock at once.
    reads = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases; SQLite keeps no zone by itself. Refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with a fixed number of decimals, stored as a 64-bit integer: exact, sortable, summable on both.

    ``scale``: how many decimals; 4 holds every currency's amounts. A value that does not fit exactly is refused with
    `ValueError`, never rounded.
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.scale)
        if scaled != scaled.to_integral_value() or abs(scaled) >= 2**63:
            raise ValueError(f"{value} cannot be stored exactly with {self.scale} decimals")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.scale)
