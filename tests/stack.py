"""Some or all of the four services in one process, on either set-up."""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fastapi import FastAPI
from servicekit.auth import Role, Tokens
from servicekit.bus import Bus
from servicekit.bus.embedded import EmbeddedBus
from servicekit.db import Database
from servicekit.identity import sign_ins
from servicekit.identity.models import User
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import LRUCache

from tests.servers import REST_SECONDS, RETRY_DELAYS, SECRET, SERVICES, Broker, Databases
from tests.visitor import Visitor


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
        self.http = httpx.AsyncClient(transport=_Routes(self), trust_env=False, timeout=30)

    async def start(self, *services: str, **settings: Any) -> None:
        """Start services; one that was stopped finds its database as it was. ``settings`` go to each of them."""
        for name in services:
            if name not in self._urls:
                make = self._databases.sqlite if self.kind == "embedded" else self._databases.postgres
                self._urls[name] = await make(name)
            app = self._create(name, settings)
            _share_compiled(name, app.state.service.database)
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
        values["call_rest_seconds"] = REST_SECONDS
        if name == "sync":
            values["sync_look_seconds"] = 0.2
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
        user_id, email = "someone", f"{role}@{home}.test"
        if home in self.apps and hasattr(self.apps[home].state, "service"):  # a fake has no users
            async with self.database(home).transaction() as session:
                user_id = (await user_with(session, email, role)).id
        token = Tokens(SECRET, home).for_person(user_id=user_id, email=email, role=role)
        return self._client(service, token)

    async def visitor(self, service: str, role: Role = "admin", *, language: str = "en-US") -> Visitor:
        """A browser with the pages of ``service``, signed in as a person with this role."""
        async with self.database(service).transaction() as session:
            secret = await sign_ins.begin(session, await user_with(session, f"{role}@{service}.test", role))
        client = self._client(service, None)
        client.cookies.set(f"{service}_session", secret)
        client.headers["Accept-Language"] = language
        return Visitor(client)

    def service(self, caller: str, service: str) -> httpx.AsyncClient:
        """A client of ``service`` with the token of another service."""
        return self._client(service, Tokens(SECRET, caller).for_service(service))

    def anonymous(self, service: str) -> httpx.AsyncClient:
        """A client of ``service`` that says nothing of who it is."""
        return self._client(service, None)

    def _client(self, service: str, token: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.AsyncClient(
            base_url=f"http://{service}.test", transport=_Routes(self), headers=headers, trust_env=False, timeout=30
        )
        self._exits.push_async_callback(client.aclose)
        return client

    async def eventually(self, check: Callable[[], Awaitable[Any]], *, seconds: float = 15) -> Any:
        """Wait until ``check`` gives something true, and give that; its AssertionErrors count as "not yet"."""
        deadline = asyncio.get_running_loop().time() + seconds
        pause = 0.01
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
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, 0.1)  # whoever asks all the time keeps the others from working

    async def close(self) -> None:
        """Stop everything and remove what was made."""
        await self.stop(*list(self.apps))
        await self._exits.aclose()
        await self.http.aclose()
        if self.kind == "servers" and self._urls:
            await self._broker.empty()
        for name, url in self._urls.items():
            await self._databases.give_back(name, url)


_dialects: dict[tuple[str, bool], Any] = {}
_compiled: dict[tuple[str, bool], Any] = {}


def _share_compiled(service: str, database: Database) -> None:
    """What one test had compiled to SQL need not be compiled again for the next: as in a service that runs for long."""
    key = service, database.is_sqlite
    database.engine.sync_engine.dialect = _dialects.setdefault(
        key, database.engine.dialect
    )  # part of what is looked up
    database.engine.update_execution_options(compiled_cache=_compiled.setdefault(key, LRUCache(2000)))


async def user_with(session: AsyncSession, email: str, role: Role) -> User:
    """The user with this e-mail address; made with this role, if there is none."""
    found = (await session.execute(select(User).where(User.email == email))).scalar_one_or_none()
    if found is None:
        found = User(email=email, name=role.title(), role=role, password_hash="-")
        session.add(found)
        await session.flush()
    return found


class _Routes(httpx.AsyncBaseTransport):
    """Leads requests to the apps: ``http://crm.test`` to the one that is running as "crm" now, if any."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        service = request.url.host.removesuffix(".test")
        app = self._stack.apps.get(service)
        if app is None:
            raise httpx.ConnectError(f"{service} is stopped", request=request)
        return await httpx.ASGITransport(app, raise_app_exceptions=False).handle_async_request(request)
