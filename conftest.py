"""Fixtures for all tests: the services on both set-ups.

``stack`` runs a test twice: with SQLite and the embedded bus, and with PostgreSQL and RabbitMQ. Where these servers are
not there the second is skipped, unless REQUIRE_SERVERS=1: then it fails. TEST_POSTGRES_URL and TEST_AMQP_URL say where
they are.
"""

import asyncio
import contextlib
import importlib
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import httpx
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from contracts.topology import QUEUES
from fastapi import FastAPI
from servicekit.auth import Role, Tokens
from servicekit.bus import Bus
from servicekit.bus.amqp import AmqpBus
from servicekit.bus.embedded import EmbeddedBus
from servicekit.db import Database
from servicekit.identity.models import User
from servicekit.migrations import migrate
from sqlalchemy import select

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AMQP_URL = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")
REQUIRED = os.environ.get("REQUIRE_SERVERS") == "1"
SECRET = "a secret of the tests, long enough for anyone"
SERVICES = {"crm": "CrmSettings", "invoice": "InvoiceSettings", "sync": "SyncSettings", "workflow": "WorkflowSettings"}
RETRY_DELAYS = (0.1, 0.5)


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port or default_port), 1):
        return True
    return False


def missing_servers() -> str | None:
    """Which of the servers do not answer, in one line, with what to do; None if they all do."""
    missing = [
        name
        for name, url, port in (("PostgreSQL", POSTGRES_URL, 5432), ("RabbitMQ", AMQP_URL, 5672))
        if not _answers(url, port)
    ]
    if not missing:
        return None
    return (
        f"{' and '.join(missing)} not reachable: tests on these servers skipped; start them, or set TEST_POSTGRES_URL "
        "and TEST_AMQP_URL (see CONTRIBUTING.md)"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needing = [item for item in items if item.get_closest_marker("servers")]
    if not needing or (reason := missing_servers()) is None:
        return
    if REQUIRED:
        raise pytest.UsageError(f"REQUIRE_SERVERS=1, but {reason}")
    for item in needing:
        item.add_marker(pytest.mark.skip(reason=reason))


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
        self._seeds: dict[str, dict[str, list[asyncpg.Record]]] = {}
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
        if service not in self._seeds:
            connection = await asyncpg.connect(url)
            names = [row["tablename"] for row in await connection.fetch(_TABLES)]
            self._seeds[service] = {name: await connection.fetch(f'SELECT * FROM "{name}"') for name in names}
            await connection.close()
        return url

    async def empty_postgres(self, service: str) -> str:
        """A database without tables."""
        self._count += 1
        name = f"{self.prefix}_{service}_{self._count}"
        await self._admin(f'CREATE DATABASE "{name}"')
        url = urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
        self._made.append(url)
        return url

    async def give_back(self, service: str, url: str) -> None:
        """The test is done with it."""
        if url.startswith("sqlite"):
            return
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")  # whatever refers to whatever
            for table, seeds in self._seeds[service].items():
                await connection.execute(f'DELETE FROM "{table}"')
                await connection.copy_records_to_table(table, records=seeds)
        await connection.close()
        self._free[service].append(url)

    async def drop_all(self) -> None:
        for url in self._made:
            await self._admin(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    async def _migrate(self, url: str, service: str) -> None:
        database = Database(url)
        await migrate(database, f"{service}_service")
        await database.close()

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(POSTGRES_URL)
        await connection.execute(statement)
        await connection.close()


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


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
            left = [await _purge(connection, f"{name}.retry.{delay:g}") for name in names for delay in RETRY_DELAYS]
            if any(left):
                await asyncio.sleep(0.2)  # some may be on their way back to their queue
            for name in names:
                await _purge(connection, name)
                await _purge(connection, f"{name}.dead")


async def _purge(connection: AbstractConnection, queue: str) -> int:
    """Empty a queue, if there is such a one; how many messages were in it."""
    async with connection.channel() as channel:
        try:
            return (await (await channel.get_underlay_channel()).queue_purge(queue)).message_count or 0
        except ChannelNotFoundEntity:  # which closes the channel
            return 0


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The giver of databases; drops them at the end."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    asyncio.run(made.drop_all())


@pytest.fixture(scope="session")
def broker_names() -> Any:
    """Names on RabbitMQ for this run, deleted at the end."""
    broker = Broker(f"test_{secrets.token_hex(4)}_")
    yield broker
    if missing_servers() is None:
        asyncio.run(broker.bus().delete_everything())


@pytest.fixture
def empty_databases(databases: Databases) -> Any:
    """Service → URL of an empty PostgreSQL database, for services that are started as processes."""
    return {name: asyncio.run(databases.empty_postgres(name)) for name in SERVICES}


@pytest.fixture
def amqp_namespace() -> Any:
    """RabbitMQ's address, and a prefix of the test's own for exchanges and queues there, deleted afterwards."""
    namespace = f"test_{secrets.token_hex(4)}_"
    yield AMQP_URL, namespace
    asyncio.run(AmqpBus(AMQP_URL, namespace=namespace, delays=(0.2, 0.5, 1)).delete_everything())


class Stack:
    """Some or all of the four services, in this process, joined by one bus.

    Requests between them go straight from app to app (ASGI); databases and bus are real.
    """

    def __init__(self, kind: str, databases: Databases, broker: Broker) -> None:
        self.kind = kind
        self.apps: dict[str, FastAPI] = {}
        self._databases = databases
        self._broker = broker
        self._urls: dict[str, str] = {}
        self._exits = contextlib.AsyncExitStack()
        self._running: dict[str, contextlib.AsyncExitStack] = {}
        self._embedded: EmbeddedBus | None = None
        self.http = httpx.AsyncClient(
            mounts={f"http://{name}.test": _Route(self, name) for name in SERVICES}, trust_env=False, timeout=30
        )

    async def start(self, *services: str, **settings: Any) -> None:
        """Start services; one that was stopped finds its database as it was. ``settings`` go to each of them."""
        for name in services:
            if name not in self._urls:
                make = self._databases.sqlite if self.kind == "embedded" else self._databases.postgres
                self._urls[name] = await make(name)
            app = self._create(name, settings)
            running = contextlib.AsyncExitStack()
            await running.enter_async_context(app.router.lifespan_context(app))
            self.apps[name] = app
            self._running[name] = running

    async def stop(self, *services: str) -> None:
        """Stop services: requests to them fail, their events wait."""
        for name in services:
            del self.apps[name]
            await self._running.pop(name).aclose()

    def _create(self, name: str, settings: dict[str, Any]) -> FastAPI:
        module = importlib.import_module(f"{name}_service.settings")
        create_app = importlib.import_module(f"{name}_service.app").create_app
        values: dict[str, Any] = {"database_url": self._urls[name], "auth_secret": SECRET, "retry_delays": RETRY_DELAYS}
        values |= {f"{other}_url": f"http://{other}.test" for other in SERVICES} | settings
        app: FastAPI = create_app(getattr(module, SERVICES[name]).of(**values), bus=self._bus(), http=self.http)
        return app

    def _bus(self) -> Bus:
        if self.kind == "servers":
            return self._broker.bus()
        self._embedded = self._embedded or EmbeddedBus()
        return self._embedded

    def database(self, service: str) -> Database:
        """The running service's database."""
        database: Database = self.apps[service].state.service.database
        return database

    async def person(self, service: str, role: Role = "admin") -> httpx.AsyncClient:
        """A client of ``service``, signed in as a person with this role (a CRM user for sync and workflow)."""
        home = service if service in ("crm", "invoice") else "crm"
        email = f"{role}@{home}.test"
        user = User(email=email, name=role.title(), role=role, password_hash="-")
        if home in self.apps:
            async with self.database(home).transaction() as session:
                found = (await session.execute(select(User).where(User.email == email))).scalar_one_or_none()
                if found is None:
                    session.add(user)
                    await session.flush()
                user = found or user
        token = Tokens(SECRET, home).for_person(user_id=user.id or "someone", email=email, role=role)
        return self._client(service, token)

    def service(self, caller: str, service: str) -> httpx.AsyncClient:
        """A client of ``service`` with the token of another service."""
        return self._client(service, Tokens(SECRET, caller).for_service(service))

    def anonymous(self, service: str) -> httpx.AsyncClient:
        """A client of ``service`` that says nothing of who it is."""
        return self._client(service, None)

    def _client(self, service: str, token: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.AsyncClient(
            base_url=f"http://{service}.test", transport=_Route(self, service), headers=headers, timeout=30
        )
        self._exits.push_async_callback(client.aclose)
        return client

    async def eventually(self, check: Callable[[], Awaitable[Any]], *, seconds: float = 15) -> Any:
        """Wait until ``check`` gives something true, and give that; its AssertionErrors count as "not yet"."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            late = asyncio.get_running_loop().time() > deadline
            try:
                result = await check()
            except AssertionError:
                if late:
                    raise
                result = None
            if result:
                return result
            assert not late, f"still not so after {seconds} s"
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Stop everything and remove what was made."""
        await self.stop(*list(self.apps))
        await self._exits.aclose()
        await self.http.aclose()
        if self.kind == "servers" and self._urls:
            await self._broker.empty()
        for name, url in self._urls.items():
            await self._databases.give_back(name, url)


class _Route(httpx.AsyncBaseTransport):
    """Leads requests to the app that is running under a name now, if any."""

    def __init__(self, stack: Stack, service: str) -> None:
        self._stack = stack
        self._service = service

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        app = self._stack.apps.get(self._service)
        if app is None:
            raise httpx.ConnectError(f"{self._service} is stopped", request=request)
        return await httpx.ASGITransport(app, raise_app_exceptions=False).handle_async_request(request)


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.servers)])
async def stack(request: pytest.FixtureRequest, databases: Databases, broker_names: Broker) -> AsyncIterator[Stack]:
    """The services on each of the two set-ups, in turn; nothing is started yet."""
    made = Stack(request.param, databases, broker_names)
    yield made
    await made.close()
