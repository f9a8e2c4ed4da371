"""The CRM and Invoice as the sync service sees them: small fakes that keep the real ones' contract."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from contracts.customers import ApplyCrmRecords, CrmRecord, CrmRecordResult, CrmRecordResults
from contracts.event import Event, encode
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from servicekit.bus import Outgoing
from servicekit.db import new_id

ORGANIZATIONS = {"org-1": "Northwind Ltd", "org-2": "Southwind Ltd"}


def refusal(status: int, code: str, detail: str) -> JSONResponse:
    return JSONResponse({"code": code, "status": status, "detail": detail}, status)


@dataclass
class FakeCrm:
    """One user with one key, and the records of the export feed, in pages of ``page_size``."""

    keys: dict[str, str] = field(default_factory=lambda: {"zsc_good": "key-1"})
    revoked: set[str] = field(default_factory=set)
    feed: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"accounts": [], "contacts": []})
    page_size: int = 2
    down: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.app = FastAPI()
        self.app.post("/v1/zsc-keys/verify")(self._verify)
        self.app.get("/v1/export/{kind}")(self._export)

    async def _verify(self, request: Request) -> Any:
        body = await request.json()
        if body["email"] != "ada@crm.test":
            return refusal(403, "zsc_email_unknown", "the CRM has no user with this e-mail address")
        if body["zsc_key"] not in self.keys:
            return refusal(403, "zsc_key_wrong", "this is not a ZSC key of this user")
        key_id = self.keys[body["zsc_key"]]
        if key_id in self.revoked:
            return refusal(403, "zsc_key_revoked", "this ZSC key was revoked")
        return {"zsc_key_id": key_id, "email": body["email"]}

    async def _export(self, kind: str, limit: int, cursor: str | None = None, x_zsc_key_id: str = Header()) -> Any:
        self.asked.append((kind, cursor))
        await self.gate.wait()
        if self.down:
            return refusal(503, "unavailable", "down")
        if x_zsc_key_id in self.revoked:
            return refusal(403, "zsc_key_revoked", "this ZSC key was revoked")
        start = int(cursor or 0)
        end = start + min(self.page_size, limit)
        more = end < len(self.feed[kind])
        return {"items": self.feed[kind][start:end], "next_cursor": str(end) if more else None}


@dataclass
class FakeInvoice:
    """Holds records by id, newest version wins, as Invoice does; ``commands`` are all it was sent."""

    records: dict[tuple[str, str], CrmRecord] = field(default_factory=dict)
    commands: list[tuple[str, list[CrmRecord]]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    down: bool = False

    def __post_init__(self) -> None:
        self.app = FastAPI()
        self.app.get("/v1/organizations")(self._organizations)
        self.app.get("/v1/organizations/{organization_id}")(self._organization)
        self.app.put("/v1/crm/customers")(self._apply)

    @property
    def names(self) -> list[str]:
        """The names of all customers that live records have here."""
        found = [record.customer.customer_name for record in self.records.values() if record.customer]
        return sorted(found)

    def version(self, kind: str, record_id: str) -> int:
        return self.records[kind, record_id].version

    async def _organizations(self) -> Any:
        items = [{"id": id_, "name": name, "is_default": id_ == "org-1"} for id_, name in ORGANIZATIONS.items()]
        return {"items": items[::-1], "next_cursor": None}

    async def _organization(self, organization_id: str) -> Any:
        if organization_id not in ORGANIZATIONS:
            return refusal(404, "organization_not_found", "there is no such organization")
        return {"id": organization_id, "name": ORGANIZATIONS[organization_id], "is_default": False}

    async def _apply(self, request: Request, x_organization_id: str = Header()) -> Any:
        if self.down:
            return refusal(503, "unavailable", "down")
        command = ApplyCrmRecords.model_validate_json(await request.body())
        self.commands.append((x_organization_id, list(command.records)))
        results = tuple(self._result(record) for record in command.records)
        return JSONResponse(CrmRecordResults(results=results).model_dump(mode="json"))

    def _result(self, record: CrmRecord) -> CrmRecordResult:
        key = (record.record_type, record.record_id)
        outcome: Any = "updated" if key in self.records else "created"
        if record.record_id in self.refused:
            return CrmRecordResult(
                record_type=key[0], record_id=key[1], outcome="failed", reason=self.refused[record.record_id]
            )
        if key in self.records and self.records[key].version >= record.version:
            outcome = "unchanged"
        elif record.account_id is not None and ("account", record.account_id) not in self.records:
            outcome = "account_missing"
        else:
            self.records[key] = record
            outcome = "deleted" if record.deleted else outcome
        return CrmRecordResult(record_type=key[0], record_id=key[1], outcome=outcome)


@pytest.fixture
def crm() -> FakeCrm:
    return FakeCrm()


@pytest.fixture
def invoice() -> FakeInvoice:
    return FakeInvoice()


@dataclass
class World:
    """The running sync service between the two fakes, and an administrator who uses it."""

    stack: Any
    crm: FakeCrm
    invoice: FakeInvoice
    person: Any
    publishing: list[asyncio.Task[None]] = field(default_factory=list)

    def publish(self, *events: Event[Any], correlation_id: str | None = None) -> None:
        """What the CRM's relay would publish, in this order."""
        bus = self.stack.apps["sync"].state.service.bus

        async def send(event: Event[Any]) -> None:
            event_id = new_id()
            body = encode(event, event_id=event_id, source="/crm", correlation_id=correlation_id)
            while True:
                try:
                    await bus.publish([Outgoing(event_id, event.exchange(), event.routing_key(), body)])
                    return
                except ConnectionError:  # as the relay does
                    await asyncio.sleep(0.02)

        # All at once: the embedded bus returns when an event was handled; the others must not wait for that.
        self.publishing += [asyncio.create_task(send(event)) for event in events]

    async def connect(self, **body: Any) -> dict[str, Any]:
        """Connect the default organization and wait until the import has ended."""
        body = {"email": "ada@crm.test", "zsc_key": "zsc_good", "auto_update": True} | body
        answer = await self.person.post("/v1/imports", json=body)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["id"])

    async def finished(self, import_id: str) -> dict[str, Any]:
        """The import, when it has ended."""

        async def ended() -> Any:
            found = (await self.person.get(f"/v1/imports/{import_id}")).json()
            return found if found["status"] in ("completed", "failed") else None

        return await self.stack.eventually(ended)

    async def consumed(self, count: int) -> None:
        """Wait until this many events were handled and settled."""

        async def enough() -> bool:
            registry = self.stack.apps["sync"].state.service.metrics.registry
            labels = {"queue": "sync.records", "outcome": "done"}
            return (registry.get_sample_value("consumed_events_total", labels) or 0) >= count

        await self.stack.eventually(enough)

    async def dead_letters(self) -> Any:
        return await self.stack.apps["sync"].state.service.dead_letters.page()


@pytest.fixture
async def world(stack: Any, crm: FakeCrm, invoice: FakeInvoice) -> AsyncIterator[World]:
    # Signed in before the fake CRM is there: it has no database of users.
    person = await stack.person("sync", "admin")
    await stack.start("sync")
    stack.apps |= {"crm": crm.app, "invoice": invoice.app}
    made = World(stack, crm, invoice, person)
    yield made
    crm.gate.set()
    for task in made.publishing:
        task.cancel()
    await asyncio.gather(*made.publishing, return_exceptions=True)
    for name in ("crm", "invoice"):
        stack.apps.pop(name, None)
