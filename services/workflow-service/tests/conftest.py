"""Invoice and sync as the workflow service sees them: small fakes that keep the real ones' contract."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from contracts.event import Event, encode
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse, Response
from servicekit.bus import Outgoing
from servicekit.db import new_id

MAY_BECOME: dict[str, dict[str, set[str]]] = {
    "estimate": {
        "draft": {"accepted", "declined"},
        "sent": {"accepted", "declined"},
        "accepted": {"declined"},
        "declined": {"accepted"},
        "expired": {"accepted"},
        "invoiced": set(),
    },
    "invoice": {
        "draft": {"void"},
        "sent": {"void"},
        "overdue": {"void"},
        "partially_paid": set(),
        "paid": set(),
        "void": set(),
    },
}
PREFIX = {"estimate": "EST", "invoice": "INV"}


def refusal(status: int, code: str, detail: str, **extra: Any) -> JSONResponse:
    return JSONResponse({"code": code, "status": status, "detail": detail, **extra}, status)


@dataclass
class FakeInvoice:
    """Estimates and invoices by id. ``imported``: the records it knows; ``created``: bodies it made documents of."""

    imported: set[str] = field(default_factory=lambda: {"a1", "c1"})
    estimates: dict[str, dict[str, Any]] = field(default_factory=dict)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    organizations: set[str | None] = field(default_factory=set)
    down: bool = False
    loses_answers: int = 0
    """How many of the next answers to creations do not arrive; what they tell of is done all the same."""
    refuses: tuple[int, str, str] | None = None
    """What every creation is answered with: status, code, detail."""
    before_status: Any = None
    before_get: Any = None
    nonsense: Response | None = None
    """What a proxy answers in its place, whatever is asked."""

    def __post_init__(self) -> None:
        self.app = FastAPI()
        for kind in PREFIX:
            self.app.get(f"/v1/{kind}s")(partial(self._list, kind))
            self.app.post(f"/v1/{kind}s")(partial(self._create, kind))
            self.app.get(f"/v1/{kind}s/{{document_id}}")(partial(self._get, kind))
            self.app.post(f"/v1/{kind}s/{{document_id}}/status/{{status}}")(partial(self._status, kind))

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.estimates if kind == "estimate" else self.invoices

    @property
    def statuses(self) -> list[str]:
        """Of all estimates, then of all invoices, in the order they were made in."""
        return [one["status"] for one in (*self.estimates.values(), *self.invoices.values())]

    def add(
        self, status: str, *, kind: str = "estimate", origin: str = "manual", potential_id: str = "p1", **further: Any
    ) -> dict[str, Any]:
        number = f"{PREFIX[kind]}-{len(self.of(kind)) + 1:06d}"
        made = {"id": new_id(), f"{kind}_number": number, "status": status, "origin": origin}
        made |= {"crm_potential_id": potential_id, "seen": 0, **further}
        if kind == "invoice":
            made = {"workflow_locked": False} | made
        self.of(kind)[made["id"]] = made
        return made

    def lock(self, invoice: dict[str, Any], status: str, by: str = "maria@invoice.test") -> None:
        """A person changes an invoice's status."""
        invoice |= {"status": status, "workflow_locked": True, "locked_by": by, "locked_at": "2026-03-01T09:30:00Z"}

    async def _list(
        self,
        kind: str,
        crm_potential_id: str,
        limit: int = 50,
        cursor: int = 0,
        x_organization_id: str | None = Header(None),
    ) -> Any:
        self.organizations.add(x_organization_id)
        if self.nonsense is not None:
            return self.nonsense
        if self.down:
            return refusal(503, "unavailable", "down")
        found = [one for one in self.of(kind).values() if one["crm_potential_id"] == crm_potential_id]
        hidden = ("locked_by", "locked_at")  # as in the real one's lists
        items = [{name: value for name, value in one.items() if name not in hidden} for one in found[::-1]]
        end = cursor + limit
        return {"items": items[cursor:end], "next_cursor": str(end) if end < len(items) else None}

    async def _get(self, kind: str, document_id: str) -> Any:
        if self.before_get is not None:
            self.before_get()
        return self.of(kind).get(document_id) or refusal(404, f"{kind}_not_found", f"there is no such {kind}")

    async def _create(self, kind: str, request: Request, idempotency_key: str = Header()) -> Any:
        content, body = await request.body(), await request.json()
        if self.refuses is not None:
            return refusal(*self.refuses)
        if idempotency_key in self.keys:
            first_content, first = self.keys[idempotency_key]
            if first_content != content:
                return refusal(409, "idempotency_key_reused", "used before")
            if self.loses_answers:
                return self._lose_answer()
            return JSONResponse(first, 201, headers={"Idempotency-Replayed": "true"})
        for record_id in (body["crm_account_id"], body["crm_contact_id"]):
            if record_id is not None and record_id not in self.imported:
                return refusal(409, "crm_record_not_imported", f"{record_id}: not imported", record_id=record_id)
        made = self.add("draft", kind=kind, origin="workflow", potential_id=body["crm_potential_id"])
        made["seen"] = body["crm_potential_version"]
        self.created.append(body)
        self.keys[idempotency_key] = (content, dict(made))
        return self._lose_answer() if self.loses_answers else JSONResponse(made, 201)

    def _lose_answer(self) -> JSONResponse:
        self.loses_answers -= 1
        return refusal(502, "bad_gateway", "the answer got lost")

    async def _status(self, kind: str, document_id: str, status: str, request: Request) -> Any:
        if self.before_status is not None:
            await self.before_status()
        version = (await request.json())["crm_potential_version"]
        if document_id not in self.of(kind):
            return refusal(404, f"{kind}_not_found", f"there is no such {kind}")
        document = self.of(kind)[document_id]
        if version < document["seen"]:
            return refusal(409, "stale_potential_version", f"version {document['seen']} was followed already")
        if document.get("workflow_locked"):
            return refusal(409, "invoice_locked_for_workflow", "left alone")
        if status != document["status"] and status not in MAY_BECOME[kind][document["status"]]:
            return refusal(409, f"{kind}_transition_refused", f"{document['status']} cannot become {status}")
        document |= {"seen": version, "status": status}
        return document


@dataclass
class FakeSync:
    """``organization_id``: of the connection; None: not connected. ``gone``: records that the CRM has no more."""

    invoice: FakeInvoice
    organization_id: str | None = "org-1"
    gone: set[str] = field(default_factory=set)
    refuses: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = FastAPI()
        self.app.get("/v1/connection")(self._connection)
        self.app.post("/v1/records/import")(self._import)

    async def _connection(self) -> Any:
        if self.organization_id is None:
            return refusal(404, "not_connected", "no organization is connected")
        return {"organization_id": self.organization_id}

    async def _import(self, request: Request) -> Any:
        body = await request.json()
        self.asked.append((body["record_type"], body["record_id"]))
        if self.organization_id is None:
            return refusal(409, "not_connected", "no organization is connected")
        if body["record_id"] in self.gone:
            return refusal(404, "record_not_found", f"there is no {body['record_type']} {body['record_id']}")
        if self.refuses is not None:
            return refusal(422, "record_refused", self.refuses)
        self.invoice.imported.add(body["record_id"])
        return {"customer_id": f"customer of {body['record_id']}", "outcome": "created"}


@dataclass
class World:
    """The running workflow service beside the fakes; ``admin`` is signed in."""

    stack: Any
    invoice: FakeInvoice
    sync: FakeSync
    admin: Any
    publishing: list[asyncio.Task[None]] = field(default_factory=list)

    def publish(
        self, event: Event[Any], *, event_id: str | None = None, times: int = 1, at: datetime | None = None
    ) -> str:
        """What the CRM's relay would publish of what happened ``at`` a time, now by default; gives the event's id."""
        bus = self.stack.apps["workflow"].state.service.bus
        event_id = event_id or new_id()
        body = encode(event, event_id=event_id, source="/crm", correlation_id="asked-by-ada", time=at)

        async def send() -> None:
            while True:
                try:
                    await bus.publish([Outgoing(event_id, event.exchange(), event.routing_key(), body)])
                    return
                except ConnectionError:  # as the relay does
                    await asyncio.sleep(0.02)

        self.publishing += [asyncio.create_task(send()) for _ in range(times)]
        return event_id

    async def activate(self, **changes: Any) -> Any:
        return await self.admin.put("/v1/workflow", json={"active": True, "trigger": "estimates"} | changes)

    async def runs(self, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.admin.get("/v1/runs", params=params)).json()["items"]
        return found

    async def run(self, event_id: str, *outcomes: str) -> dict[str, Any]:
        """The run of an event, when it has one of these outcomes; none named: when it has ended."""
        wanted = outcomes or ("done", "skipped", "failed")

        async def ended() -> Any:
            found = [run for run in await self.runs() if run["event_id"] == event_id and run["outcome"] in wanted]
            return found[0] if found else None

        found: dict[str, Any] = await self.stack.eventually(ended)
        return found

    async def follow(self, event: Event[Any]) -> dict[str, Any]:
        """Publish an event and wait for its run."""
        return await self.run(self.publish(event))

    async def consumed(self, count: int) -> None:
        """Wait until this many events were handled and settled."""

        async def enough() -> bool:
            registry = self.stack.apps["workflow"].state.service.metrics.registry
            labels = {"queue": "workflow.potentials", "outcome": "done"}
            return (registry.get_sample_value("consumed_events_total", labels) or 0) >= count

        await self.stack.eventually(enough)


@pytest.fixture
async def world(stack: Any) -> AsyncIterator[World]:
    admin = await stack.person("workflow", "admin")
    await stack.start("workflow")
    invoice = FakeInvoice()
    made = World(stack, invoice, FakeSync(invoice), admin)
    stack.apps |= {"invoice": made.invoice.app, "sync": made.sync.app}
    yield made
    for task in made.publishing:
        task.cancel()
    await asyncio.gather(*made.publishing, return_exceptions=True)
    for name in ("invoice", "sync"):
        stack.apps.pop(name, None)
