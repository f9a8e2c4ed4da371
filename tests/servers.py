"""PostgreSQL and RabbitMQ for tests: whether they are there, and databases and queues that go from test to test."""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import asyncpg
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from contracts.topology import QUEUES
from servicekit.bus.amqp import AmqpBus
from servicekit.db import Database
from servicekit.migrations import migrate

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AMQP_URL = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")
REQUIRED = os.environ.get("REQUIRE_SERVERS") == "1"
SECRET = "a secret of the tests, long enough for anyone"
SERVICES = {"crm": "CrmSettings", "invoice": "InvoiceSettings", "sync": "SyncSettings", "workflow": "WorkflowSettings"}
RETRY_DELAYS = (0.1, 0.5)
REST_SECONDS = 0.05


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port or default_port), 1):
        return True
    return False


def missing_servers() -> str | None:
    """Which of the servers do not answer; None if they all do."""
    missing = [
        name
        for name, url, port in (("PostgreSQL", POSTGRES_URL, 5432), ("RabbitMQ", AMQP_URL, 5672))
        if not _answers(url, port)
    ]
    if not missing:
        return None
    return f"{' and '.join(missing)} not reachable"


class Databases:
    """Gives each service of each test a migrated database with nothing in it but what the migrations put there.

    SQLite: a copy of a file that was migrated once. PostgreSQL: making one takes half a second, so one that a test has
    ended with is emptied and given to the next.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = f"test_{secrets.token_hex(4)}"
        self._templates: dict[str, Path] = {}
        self._made: list[str] = []
        self._free: dict[str, list[str]] = {name: [] for name in SERVICES}
        self._emptying: dict[str, str] = {}
        self._count = 0

    async def sqlite(self, service: str) -> str:
        if service not in self._templates:
            template = self.folder / f"template-{service}.sqlite3"
            await self._migrate(f"sqlite:///{template}", service)
            self._templates[service] = template
        self._count += 1
        copy = self.folder / f"{self._count}-{service}.sqlite3"
        shutil.copy(self._templates[service], copy)
        return f"sqlite:///{copy}"

    async def postgres(self, service: str) -> str:
        if self._free[service]:
            return self._free[service].pop()
        url = await self.empty_postgres(service)
        await self._migrate(url, service)
        connection = await asyncpg.connect(url)
        self._emptying[service] = await _keep_what_is_there(connection)
        await connection.close()
        return url

    async def empty_postgres(self, service: str) -> str:
        """A database without tables."""
        self._count += 1
        name = f"{self.prefix}_{service}_{self._count}"
        await self._admin(f'CREATE DATABASE "{name}"', f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        url = urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
        self._made.append(url)
        return url

    async def give_back(self, service: str, url: str) -> None:
        """The test is done with it."""
        if url.startswith("sqlite"):
            return
        connection = await asyncpg.connect(url)
        await connection.execute(self._emptying[service])
        await connection.close()
        self._free[service].append(url)

    async def drop_all(self) -> None:
        if self._made:  # without any there may be no server either
            names = (url.rpartition("/")[2] for url in self._made)
            await self._admin(*(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' for name in names))

    async def _migrate(self, url: str, service: str) -> None:
        database = Database(url)
        await migrate(database, f"{service}_service")
        await database.close()

    async def _admin(self, *statements: str) -> None:
        connection = await asyncpg.connect(POSTGRES_URL)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()


async def _keep_what_is_there(connection: asyncpg.Connection) -> str:
    """Set aside what the migrations put there; gives the statements that bring the database back to it."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    statements = ["BEGIN", "SET LOCAL session_replication_role = replica"]  # whatever refers to whatever
    await connection.execute("CREATE SCHEMA kept")
    for table in (f'"{row["tablename"]}"' for row in tables):
        statements.append(f"DELETE FROM public.{table}")  # TRUNCATE makes new files, which takes longer
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM public.{table})"):
            await connection.execute(f"CREATE TABLE kept.{table} AS TABLE public.{table}")
            statements.append(f"INSERT INTO public.{table} SELECT * FROM kept.{table}")
    return ";".join([*statements, "COMMIT"])


class Broker:
    """The names that all tests of this run use on RabbitMQ, one after another: declaring quorum queues takes long."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def bus(self) -> AmqpBus:
        """A new bus, not started."""
        return AmqpBus(AMQP_URL, namespace=self.namespace, delays=RETRY_DELAYS)

    async def empty(self) -> None:
        """Throw away what a test has left in the queues."""
        names = [f"{self.namespace}{queue.name}" for queue in QUEUES]
        async with await aio_pika.connect(AMQP_URL) as connection:
            retries = [f"{name}.retry.{delay:g}" for name in names for delay in RETRY_DELAYS]
            left = await asyncio.gather(*(_purge(connection, retry) for retry in retries))
            if any(left):
                await asyncio.sleep(0.2)  # some may be on their way back to their queue
            queues = [*names, *(f"{name}.dead" for name in names)]
            await asyncio.gather(*(_purge(connection, queue) for queue in queues))


async def _purge(connection: AbstractConnection, queue: str) -> int:
    """Empty a queue, if there is such a one; how many messages were in it."""
    async with connection.channel() as channel:
        try:
            return (await (await channel.get_underlay_channel()).queue_purge(queue)).message_count or 0
        except ChannelNotFoundEntity:  # which closes the channel
            return 0
