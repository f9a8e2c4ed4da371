"""A service: its parts put together, started and stopped in order.

`create_service` gives the FastAPI app; what routes and consumers need stands in its `Service`.
"""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from fastapi_offline_docs import enable_offline_docs
from sqlalchemy.exc import DBAPIError

from servicekit import health, idempotency
from servicekit.api_document import tell_of_problems
from servicekit.auth import AuthMiddleware, Tokens
from servicekit.breaker import Breaker
from servicekit.bus import Bus
from servicekit.bus.amqp import AmqpBus
from servicekit.bus.consumer import Consumer, Subscription
from servicekit.bus.dead_letters import DeadLetters, Replayer
from servicekit.db import Database
from servicekit.errors import UnexpectedErrorMiddleware, install
from servicekit.http import Connections, Patience, ServiceClient
from servicekit.identity import pages as identity_pages
from servicekit.identity import routes as identity_routes
from servicekit.identity import sign_ins
from servicekit.identity.attempts import Attempts
from servicekit.identity.service import authenticator, ensure_admin
from servicekit.jobs import Job, Jobs
from servicekit.limits import BodyLimitMiddleware
from servicekit.migrations import migrate
from servicekit.pages import Site
from servicekit.pages.gate import Gate
from servicekit.pages.live import Live
from servicekit.pages.rendering import compile_templates
from servicekit.pages.serving import add_pages
from servicekit.relay import Relay
from servicekit.routing import routes_of
from servicekit.settings import Settings, load
from servicekit.telemetry import Metrics, TelemetryMiddleware, configure_logging, log, service_name

DATABASE_PATIENCE_SECONDS = 60
COULD_NOT_START = 3
"""The exit status that uvicorn has for it."""


@dataclass
class Service:
    """One running service. ``relay`` is there only if it publishes events.

    ``stopping`` is set when the server is told to stop, before it waits for open answers: one that goes on for long
    ends then (see `servicekit.streams`).
    """

    name: str
    settings: Settings
    database: Database
    bus: Bus
    connections: Connections
    tokens: Tokens
    metrics: Metrics
    dead_letters: DeadLetters
    relay: Relay | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    state: dict[str, Any] = field(default_factory=dict)
    breakers: dict[str, Breaker] = field(default_factory=dict)

    def client(self, other: str) -> ServiceClient:
        """A client of the service named ``other`` (crm, invoice, sync, workflow)."""
        settings = self.settings
        breaker = self.breakers.setdefault(other, Breaker(rest=settings.call_rest_seconds))
        return ServiceClient(
            self.connections.to(other),
            streams=self.connections.to(other, streams=True),
            service=other,
            base_url=getattr(settings, f"{other}_url"),
            tokens=self.tokens,
            patience=Patience(connect=settings.call_connect_seconds, seconds=settings.call_seconds),
            breaker=breaker,
        )


def service_of(request: Request) -> Service:
    """The service that this request came to."""
    service: Service = request.app.state.service
    return service


def create_service(
    settings: Settings,
    *,
    name: str,
    title: str,
    package: str,
    routers: Sequence[APIRouter] = (),
    has_people: bool = False,
    site: Site | None = None,
    publishes: bool = False,
    subscriptions: Callable[[Service], Sequence[Subscription]] = lambda _: (),
    jobs: Callable[[Service], Sequence[Job]] = lambda _: (),
    on_start: Callable[[Service], Awaitable[None]] | None = None,
    bus: Bus | None = None,
    http: httpx.AsyncClient | None = None,
) -> FastAPI:
    """Put a service together; nothing connects, and nothing is read, before the app's lifespan begins.

    ``package`` has the ``migrations`` folder. ``has_people``: it has users of its own, who sign in here. ``site``: the
    pages that they see.
    ``publishes``: it has an outbox. ``on_start`` runs after migrating, before anything is consumed. ``bus`` and
    ``http`` take the place of those that the settings name; they are not closed here.
    """
    database = Database(settings.database_url)
    tokens = Tokens(settings.auth_secret.get_secret_value(), name)
    metrics = Metrics()
    own_bus = bus or AmqpBus(settings.bus_url, namespace=settings.bus_namespace, delays=settings.retry_delays)
    service = Service(
        name=name,
        settings=settings,
        database=database,
        bus=own_bus,
        connections=Connections(http),
        tokens=tokens,
        metrics=metrics,
        dead_letters=DeadLetters(database),
        relay=Relay(database, own_bus, metrics) if publishes else None,
    )

    live = Live(database, site.topics, service.stopping, sign_ins.still_signed_in) if site else None

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service_name.set(name)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            stack.push_async_callback(service.connections.aclose)
            await _migrate_patiently(database, package)
            if site is not None:
                compile_templates(package)
            if has_people and settings.admin_email and settings.admin_password:
                await ensure_admin(database, settings.admin_email, settings.admin_password.get_secret_value())
            if on_start is not None:
                await on_start(service)
            await _start_bus(service, stack, subscriptions(service))
            running = Jobs([*jobs(service), Job("forget what has ended", 3600, lambda: _forget(database, has_people))])
            running.start()
            stack.push_async_callback(running.stop)
            if live is not None:
                stack.push_async_callback(live.stop)
            log.info("started", url=f"http://{settings.host}:{settings.port}")
            yield
            service.stopping.set()
        log.info("stopped")

    app = FastAPI(title=title, version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.attempts = Attempts()
    enable_offline_docs(app, "/static/docs")  # before any router: it looks at the paths of all routes that are there
    install(app)
    authenticate = authenticator(database, tokens) if has_people else _signed_only(tokens)
    metrics_token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    # The last one added is the outermost.
    app.add_middleware(UnexpectedErrorMiddleware)
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(AuthMiddleware, authenticate=authenticate, metrics_token=metrics_token)
    if site is not None:
        app.add_middleware(Gate, recognise=partial(sign_ins.recognise, database))
    app.add_middleware(TelemetryMiddleware, service=name, metrics=metrics)
    app.router.routes.extend(routes_of([health.router]))
    app.router.routes.extend(routes_of([*([identity_routes.router] if has_people else []), *routers], _BEARER))
    if site is not None and live is not None:
        secret = settings.auth_secret.get_secret_value()
        add_pages(app, site, package=package, secret=secret, live=live, more=[identity_pages.router])
    tell_of_problems(app)
    return app


_BEARER = [Depends(HTTPBearer(auto_error=False))]
"""Tells the API document; AuthMiddleware does the asking."""


def _signed_only(tokens: Tokens) -> Any:
    async def authenticate(token: str) -> Any:
        return tokens.verify(token)

    return authenticate


async def _start_bus(service: Service, stack: contextlib.AsyncExitStack, subscriptions: Sequence[Subscription]) -> None:
    await service.bus.start()
    stack.push_async_callback(service.bus.close)
    consumers = [
        Consumer(
            subscription,
            bus=service.bus,
            dead_letters=service.dead_letters,
            metrics=service.metrics,
            delays=service.settings.retry_delays,
            service=service.name,
        )
        for subscription in subscriptions
    ]
    for consumer in consumers:
        await consumer.start()
        stack.push_async_callback(consumer.stop)
    if consumers:
        replayer = Replayer(service.dead_letters, consumers)
        replayer.start()
        stack.push_async_callback(replayer.stop)
    if service.relay is not None:
        service.relay.start()
        stack.push_async_callback(service.relay.stop)


async def _migrate_patiently(database: Database, package: str) -> None:
    """Migrate; a database that is not up yet is waited for."""
    waited = 0.0
    while True:
        try:
            await migrate(database, package)
        except (OSError, DBAPIError) as error:
            if waited >= DATABASE_PATIENCE_SECONDS or not _comes_up(error):
                raise
            log.warning("database_not_there_yet", error=type(error).__name__, waited_seconds=waited)
            await asyncio.sleep(1)
            waited += 1
        else:
            return


def _comes_up(error: Exception) -> bool:
    """Whether the database is only not there yet: no connection (class 08), starting up (57P03), or full (53300)."""
    if isinstance(error, OSError):
        return True
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return state.startswith("08") or state in {"57P03", "53300"}


async def _forget(database: Database, has_people: bool) -> None:
    async with database.transaction() as session:
        await idempotency.forget_old(session)
    if has_people:
        await sign_ins.forget_ended(database)


def run(create_app: Callable[[Any], FastAPI], settings_class: type[Settings]) -> None:
    """Run one service by itself, as in a container, until it is told to stop."""
    settings = load(settings_class)
    configure_logging(settings.log_level, settings.log_format)
    app = create_app(settings)
    keep_for_good()
    server = Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=20,
        )
    )
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(COULD_NOT_START)


def keep_for_good() -> None:
    """Take what is there now for what stays, and look seldom through what comes and stays afterwards: looking through
    all of it costs 130 ms each time, and a request waits. Most garbage goes without being looked for."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 100)


class Server(uvicorn.Server):
    """Tells its service that it stops, and only then waits until every answer is sent: some would never end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        service: Service = self.config.app.state.service  # type: ignore[union-attr]
        service.stopping.set()
        await super().shutdown(sockets)
