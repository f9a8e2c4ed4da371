"""Invoice and sync as the workflow service sees them: small fakes that keep the real ones' contract."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from contracts.event import Event, encode
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from servicekit.bus import Outgoing
from servicekit.db import new_id

MAY_BECOME = {
    "draft": {"accepted", "declined"},
    "sent": {"accepted", "declined"},
    "accepted": {"declined"},
    "declined": {"accepted"},
    "expired": {"accepted"},
    "invoiced": set(),
}


def refusal(status: int, code: str, detail: str) -> JSONResponse:
    return JSONResponse({"code": code, "status": status, "detail": detail}, status)


@dataclass
class FakeInvoice:
    """Estimates by id. ``imported``: the accounts it knows; ``created``: bodies it made estimates of."""

    imported: set[str] = field(default_factory=lambda: {"a1"})
    estimates: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    organizations: set[str | None] = field(default_factory=set)
    down: bool = False
    loses_answers: int = 0
    """How many of the next creations succeed without their answer arriving."""
    refuses: str | None = None
    before_status: Any = None

    def __post_init__(self) -> None:
        self.app = FastAPI()
        self.app.get("/v1/estimates")(self._list)
        self.app.post("/v1/estimates")(self._create)
        self.app.post("/v1/estimates/{estimate_id}/status/{status}")(self._status)

    @property
    def statuses(self) -> list[str]:
        return [one["status"] for one in self.estimates.values()]

    def add(self, status: str, *, origin: str = "manual", potential_id: str = "p1") -> dict[str, Any]:
        number = f"EST-{len(self.estimates) + 1:06d}"
        made = {"id": new_id(), "estimate_number": number, "status": status, "origin": origin}
        made |= {"crm_potential_id": potential_id, "seen": 0}
        self.estimates[made["id"]] = made
        return made

    async def _list(self, crm_potential_id: str, x_organization_id: str | None = Header(None)) -> Any:
        self.organizations.add(x_organization_id)
        if self.down:
            return refusal(503, "unavailable", "down")
        found = [one for one in self.estimates.values() if one["crm_potential_id"] == crm_potential_id]
        return {"items": found[::-1], "next_cursor": None}

    async def _create(self, request: Request, idempotency_key: str = Header()) -> Any:
        content, body = await request.body(), await request.json()
        if self.refuses is not None:
            return refusal(422, "validation_error", self.refuses)
        if idempotency_key in self.keys:
            first_content, first = self.keys[idempotency_key]
            if first_content != content:
                return refusal(409, "idempotency_key_reused", "used before")
            return JSONResponse(first, 201, headers={"Idempotency-Replayed": "true"})
        if body["crm_account_id"] not in self.imported:
            return refusal(409, "crm_record_not_imported", "crm_account_id: not imported; import it first")
        made = self.add("draft", origin="workflow", potential_id=body["crm_potential_id"])
        made["seen"] = body["crm_potential_version"]
        self.created.append(body)
        self.keys[idempotency_key] = (content, dict(made))
        if self.loses_answers:
            self.loses_answers -= 1
            return refusal(502, "bad_gateway", "the answer got lost")
        return JSONResponse(made, 201)

    async def _status(self, estimate_id: str, status: str, request: Request) -> Any:
        if self.before_status is not None:
            await self.before_status()
        version = (await request.json())["crm_potential_version"]
        if estimate_id not in self.estimates:
            return refusal(404, "estimate_not_found", "there is no such estimate")
        estimate = self.estimates[estimate_id]
        if version < estimate["seen"]:
            return refusal(409, "stale_potential_version", f"version {estimate['seen']} was followed already")
        if status != estimate["status"] and status not in MAY_BECOME[estimate["status"]]:
            return refusal(409, "estimate_transition_refused", f"{estimate['status']} cannot become {status}")
        estimate |= {"seen": version, "status": status}
        return estimate


@dataclass
class FakeSync:
    """``organization_id``: of the connection; None: not connected."""

    organization_id: str | None = "org-1"

    def __post_init__(self) -> None:
        self.app = FastAPI()
        self.app.get("/v1/connection")(self._connection)

    async def _connection(self) -> Any:
        if self.organization_id is None:
            return refusal(404, "not_connected", "no organization is connected")
        return {"organization_id": self.organization_id}


@dataclass
class World:
    """The running workflow service beside the fakes; ``admin`` is signed in."""

    stack: Any
    invoice: FakeInvoice
    sync: FakeSync
    admin: Any
    publishing: list[asyncio.Task[None]] = field(default_factory=list)

    def publish(self, event: Event[Any], *, event_id: str | None = None, times: int = 1) -> str:
        """What the CRM's relay would publish; gives the event's id."""
        bus = self.stack.apps["workflow"].state.service.bus
        event_id = event_id or new_id()
        body = encode(event, event_id=event_id, source="/crm", correlation_id="asked-by-ada")

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
    made = World(stack, FakeInvoice(), FakeSync(), admin)
    stack.apps |= {"invoice": made.invoice.app, "sync": made.sync.app}
    yield made
    for task in made.publishing:
        task.cancel()
    await asyncio.gather(*made.publishing, return_exceptions=True)
    for name in ("invoice", "sync"):
        stack.apps.pop(name, None)
