"""Fixtures for what moves events: databases with the tables for it, names on the broker, a line to it that can be cut.

Tests marked ``servers`` are skipped, or fail, in the root's conftest, where the servers are not there.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest
import structlog
from servicekit.bus import dead_letters
from servicekit.bus.amqp import AmqpBus
from servicekit.db import Database
from servicekit.outbox import metadata as outbox_metadata
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AMQP_URL = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")
DELAYS = (0.1, 0.3)

Eventually = Callable[[Callable[[], Any]], Awaitable[None]]


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """By default structlog draws a traceback with all variables, which takes a second each."""
    processors = [structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    structlog.configure(processors=processors)


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition, plain or async, holds."""

    async def wait(condition: Callable[[], Any], *, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while True:
                result = condition()
                if await result if isinstance(result, Awaitable) else result:
                    return
                await asyncio.sleep(0.005)

    return wait


async def _with_tables(url: str) -> Database:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(outbox_metadata.create_all)
        await connection.run_sync(dead_letters.metadata.create_all)
    return database


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """A SQLite file with outbox and dead letters."""
    database = await _with_tables(f"sqlite:///{tmp_path / 'service.sqlite3'}")
    yield database
    await database.close()


async def _administer(statement: str) -> None:
    engine = create_async_engine(
        POSTGRES_URL.replace("postgresql:", "postgresql+asyncpg:"), isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(scope="module")
def postgres_url() -> Any:
    """A database of the module's own."""
    name = f"test_bus_{secrets.token_hex(4)}"
    asyncio.run(_administer(f'CREATE DATABASE "{name}"'))
    yield urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
    asyncio.run(_administer(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with outbox and dead letters, both empty."""
    database = await _with_tables(postgres_url)
    yield database
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE outbox, dead_letters"))
    await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def database(request: pytest.FixtureRequest) -> Database:
    """Each of the two databases, in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found


class Broker:
    """RabbitMQ, reached over a line of our own that can be cut, or made to swallow everything."""

    def __init__(self) -> None:
        self.namespace = f"test_{secrets.token_hex(4)}_"
        self.url = ""
        self.swallows = False
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._buses: list[AmqpBus] = []
        self._connections: list[aio_pika.abc.AbstractConnection] = []

    def bus(self, **options: Any) -> AmqpBus:
        """A bus over that line, not started yet; closed at the end of the test."""
        made = AmqpBus(self.url, namespace=self.namespace, **{"delays": DELAYS, "timeout": 2.0, **options})
        self._buses.append(made)
        return made

    async def channel(self) -> Any:
        """A plain channel, for what our own bus would not do; closed at the end of the test."""
        connection = await aio_pika.connect(AMQP_URL)
        self._connections.append(connection)
        return await connection.channel()

    async def restore(self) -> None:
        """Take connections (again)."""
        self.swallows = False
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        parts = urlsplit(AMQP_URL)
        person = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{person}@127.0.0.1:{self._port}").geturl()

    async def cut(self) -> None:
        """End all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(AMQP_URL)
        far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port or 5672)
        self._writers |= {writer, far_writer}
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if not self.swallows:
                    target.write(data)
                    await target.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(target)
            target.close()

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()
        for connection in self._connections:
            await connection.close()
        await self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await AmqpBus(AMQP_URL, namespace=self.namespace, delays=DELAYS).delete_everything()


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """A line to RabbitMQ, and names of the test's own there, deleted afterwards."""
    made = Broker()
    await made.restore()
    yield made
    await made.close()
