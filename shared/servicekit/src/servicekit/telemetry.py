"""Logs, metrics, and the correlation id that follows a request through event, consumer and command."""

import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

CORRELATION_HEADER = "X-Correlation-Id"

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
"""Names what a person or program asked for, through everything that came of it."""

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The W3C trace context header of the running request or event, handed on unchanged."""

service_name: ContextVar[str | None] = ContextVar("service_name", default=None)
"""Which service is running: several may share a process."""

log = structlog.stdlib.get_logger()

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@contextmanager
def correlated(correlation: str | None, trace: str | None = None) -> Iterator[None]:
    """Run the block under this correlation id and trace context.

    Both come from outside, and go on in headers, events and logs: one that is not well-formed is not taken over. In the
    place of a correlation id there is a new one then.
    """
    token = correlation_id.set(correlation if correlation and _ACCEPTABLE.fullmatch(correlation) else str(uuid7()))
    trace_token = traceparent.set(trace if trace and _TRACEPARENT.fullmatch(trace) else None)
    try:
        yield
    finally:
        correlation_id.reset(token)
        traceparent.reset(trace_token)


def configure_logging(level: str, form: Literal["json", "console"]) -> None:
    """Send all logs, the libraries' too, to standard error: one JSON object a line, or lines for a person."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context,
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # first: what is not logged must not cost anything
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "aio_pika", "aiormq", "aiosqlite", "alembic", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It logs a traceback for each lost connection; the bus says why in a line of its own.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)


def _add_context(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    event.setdefault("correlation_id", correlation_id.get())
    event.setdefault("service", service_name.get())
    return event


class Metrics:
    """One service's metrics, in a registry of its own: several services may share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests", ["method", "route", "status"], registry=self.registry)
        self.seconds = Histogram(
            "http_request_seconds", "Time to answer, in seconds", ["method", "route"], registry=self.registry
        )
        self.events = Counter("consumed_events", "Events consumed", ["queue", "outcome"], registry=self.registry)
        self.published = Counter("published_events", "Events confirmed by the bus", registry=self.registry)
        self.outbox_age = Gauge(
            "outbox_oldest_seconds", "Age of the oldest event not sent yet, in seconds", registry=self.registry
        )


class TelemetryMiddleware:
    """Gives each request its correlation id, counts and times it, and logs it when it is answered."""

    def __init__(self, app: ASGIApp, *, service: str, metrics: Metrics) -> None:
        self.app = app
        self.service = service
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        service_name.set(self.service)
        with correlated(headers.get(CORRELATION_HEADER.lower()), headers.get("traceparent")):
            await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 500
        current = (correlation_id.get() or "").encode()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (CORRELATION_HEADER.lower().encode(), current)]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            # The route's template, not the path: paths have ids, and would make a metric of every record.
            route = getattr(scope.get("route"), "path", "unknown")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.seconds.labels(scope["method"], route).observe(seconds)
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))
