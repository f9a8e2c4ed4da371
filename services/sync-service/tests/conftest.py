"""The CRM and Invoice as the sync service sees them: small fakes that keep the real ones' contract."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import (
    ApplyCrmRecords,
    CrmRecord,
    CrmRecordKey,
    CrmRecordPlan,
    CrmRecordResult,
    CrmRecordResults,
    FieldChange,
    PlanCrmRecords,
)
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
    """One user with one key, and the records of the export feed, in pages of ``page_size``.

    ``gate``: while it is closed the feed does not answer. ``nonsense``: what the feed answers instead of a page.
    ``on_page``: called with kind and cursor before each page.
    """

    keys: dict[str, str] = field(default_factory=lambda: {"zsc_good": "key-1"})
    revoked: set[str] = field(default_factory=set)
    feed: dict[str, list[Any]] = field(default_factory=lambda: {"accounts": [], "contacts": []})
    page_size: int = 2
    down: bool = False
    nonsense: Any = None
    on_page: Callable[[str, str | None], None] = lambda kind, cursor: None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    looked_up: list[tuple[str, list[str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.app = FastAPI()
        self.app.post("/v1/zsc-keys/verify")(self._verify)
        self.app.get("/v1/export/counts")(self._counts)
        self.app.get("/v1/export/{kind}")(self._export)
        self.app.post("/v1/export/{kind}/lookup")(self._lookup)

    def fill(self, accounts: int = 5, contacts: int = 3) -> None:
        """Accounts, a contact for each of the first ones, and one contact that stands alone."""
        self.feed["accounts"] = []
        self.feed["contacts"] = []
        for number in range(accounts):
            self.put(AccountSnapshot(id=f"a{number}", version=1, account_name=f"Company {number}"))
        for number in range(contacts):
            self.put(ContactSnapshot(id=f"c{number}", version=1, last_name="P", account_id=f"a{number}"))
        self.put(ContactSnapshot(id="z-alone", version=1, last_name="Alone"))

    def put(self, snapshot: AccountSnapshot | ContactSnapshot) -> None:
        """Have the CRM hold this; a record that is there already is replaced."""
        kind = "accounts" if isinstance(snapshot, AccountSnapshot) else "contacts"
        others = [one for one in self.feed[kind] if one["id"] != snapshot.id]
        self.feed[kind] = sorted([*others, snapshot.model_dump(mode="json")], key=lambda one: one["id"])

    def change(self, record_id: str, **fields: Any) -> None:
        """Change fields of a record, which makes a new version of it."""
        found = self.record(record_id)
        found |= {"version": found["version"] + 1} | fields

    def record(self, record_id: str) -> dict[str, Any]:
        return next(one for kind in self.feed.values() for one in kind if one["id"] == record_id)

    def forget(self, record_id: str) -> None:
        """Not have the record any more, without a tombstone."""
        for kind, held in self.feed.items():
            self.feed[kind] = [one for one in held if one["id"] != record_id]

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

    def _refused(self, key_id: str) -> Any:
        if self.down:
            return refusal(503, "unavailable", "down")
        if key_id in self.revoked:
            return refusal(403, "zsc_key_revoked", "this ZSC key was revoked")
        return None

    async def _counts(self, x_zsc_key_id: str = Header()) -> Any:
        return self._refused(x_zsc_key_id) or {kind: len(held) for kind, held in self.feed.items()}

    async def _export(self, kind: str, limit: int, cursor: str | None = None, x_zsc_key_id: str = Header()) -> Any:
        self.asked.append((kind, cursor))
        self.on_page(kind, cursor)
        await self.gate.wait()
        if (refused := self._refused(x_zsc_key_id)) is not None:
            return refused
        if self.nonsense is not None:
            return self.nonsense
        start = int(cursor or 0)
        end = start + min(self.page_size, limit)
        more = end < len(self.feed[kind])
        return {"items": self.feed[kind][start:end], "next_cursor": str(end) if more else None}

    async def _lookup(self, kind: str, request: Request, x_zsc_key_id: str = Header()) -> Any:
        ids = (await request.json())["ids"]
        assert 1 <= len(ids) <= 1000
        self.looked_up.append((kind, ids))
        if (refused := self._refused(x_zsc_key_id)) is not None:
            return refused
        items = [one for one in self.feed[kind] if isinstance(one, dict) and one.get("id") in ids]
        return {"items": sorted(items, key=lambda one: one["id"])}


Key = tuple[str, str]
Shown = dict[str, str]


def fields_of(record: CrmRecord, at: str | None) -> Shown:
    """What Invoice shows of a live record. ``at``: the name of the account's customer that a contact is at."""
    said: dict[str, Any] = {}
    if at is None and record.customer is not None:
        said |= {f"customer.{name}": value for name, value in record.customer.model_dump().items()}
    if record.contact_person is not None:
        assert record.customer is not None
        said |= {f"contact_person.{name}": value for name, value in record.contact_person.model_dump().items()}
        said["contact_person.customer"] = at or record.customer.customer_name
    addresses = {name: value for name, value in said.items() if isinstance(value, dict)}
    for name, address in addresses.items():
        del said[name]
        said |= {f"{name}.{part}": value for part, value in address.items()}
    return {name: value for name, value in said.items() if value}


@dataclass
class Books:
    """What Invoice holds: each CRM record as it was applied last, and what is shown of the live ones."""

    records: dict[Key, CrmRecord] = field(default_factory=dict)
    shown: dict[Key, Shown] = field(default_factory=dict)

    def copy(self) -> "Books":
        return Books(dict(self.records), {key: dict(shown) for key, shown in self.shown.items()})

    def _shown(self, key: Key) -> Shown | None:
        """What is shown of a record now: a contact person's customer bears the name that it has by now."""
        shown = self.shown.get(key)
        if shown is not None and key in self.records:
            at = self.shown.get(("account", self.records[key].account_id or ""), {})
            if "customer.customer_name" not in shown and "customer.customer_name" in at:
                return shown | {"contact_person.customer": at["customer.customer_name"]}
        return shown

    def customers(self) -> int:
        return sum(1 for shown in self.shown.values() if "customer.customer_name" in shown)

    def apply(self, record: CrmRecord, *, reapply: bool, refused: str | None, places: int | None) -> CrmRecordResult:
        key = (record.record_type, record.record_id)
        known = self.records.get(key)
        result = CrmRecordResult(
            record_type=key[0], record_id=key[1], outcome="unchanged", known_version=known and known.version
        )
        account = ("account", record.account_id or "")
        at = self.shown.get(account, {}).get("customer.customer_name") if record.account_id else None
        before, after = self._shown(key), None if record.deleted else fields_of(record, at)
        made = (
            after is not None and "customer.customer_name" in after and "customer.customer_name" not in (before or {})
        )
        again = reapply and known is not None and known.version in (record.version, record.set_back_from)
        if known is not None and known.version >= record.version and not again:
            pass
        elif refused is not None:
            return result.model_copy(update={"outcome": "failed", "reason": refused})
        elif record.account_id and account not in self.records:
            return result.model_copy(update={"outcome": "account_missing"})
        elif made and places is not None and self.customers() >= places:
            return result.model_copy(update={"outcome": "failed", "reason": "the plan has no room for it"})
        else:
            self.records[key] = record
            self.shown.pop(key, None)
            if after is not None:
                self.shown[key] = after
            outcomes = {(False, True): "created", (True, False): "deleted", (True, True): "updated"}
            if before != after:
                changes = [
                    FieldChange(field=name, before=(before or {}).get(name), after=(after or {}).get(name))
                    for name in sorted({*(before or {}), *(after or {})})
                    if (before or {}).get(name) != (after or {}).get(name)
                ]
                outcome = outcomes[before is not None, after is not None]
                result = result.model_copy(update={"outcome": outcome, "changes": tuple(changes)})
        shown = self.shown.get(key, {})
        alone = key[0] == "contact" and "customer.customer_name" in shown
        name = shown.get("customer.customer_name") or shown.get("contact_person.customer")
        customer_id = None if not shown else f"customer-of-{key[1] if alone or not record.account_id else account[1]}"
        return result.model_copy(update={"stands_alone": alone, "customer_name": name, "customer_id": customer_id})


@dataclass
class FakeInvoice:
    """Applies and plans as Invoice does, as far as sync can tell; ``commands`` are all it was sent to apply.

    ``refused``: record id → why it fails. ``unreadable``: ids for which it refuses the whole command. ``places``: how
    many customers the plan allows. ``gate``: while it is closed the bulk command does not answer.
    ``merged``: records that matter to each other.
    """

    books: Books = field(default_factory=Books)
    commands: list[tuple[str, list[CrmRecord]]] = field(default_factory=list)
    plans: list[PlanCrmRecords] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    places: int | None = None
    most_earlier: int = 10_000
    default: str | None = "org-1"
    down: bool = False
    nonsense: Any = None
    on_command: Callable[[Sequence[CrmRecord]], None] = lambda records: None
    merged: set[Key] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.app = FastAPI()
        self.app.get("/v1/organizations")(self._organizations)
        self.app.get("/v1/organizations/{organization_id}")(self._organization)
        self.app.put("/v1/crm/customers")(self._apply)
        self.app.post("/v1/crm/customers/plan")(self._plan)
        self.app.get("/v1/crm/links")(self._links)

    @property
    def records(self) -> dict[Key, CrmRecord]:
        return self.books.records

    @property
    def names(self) -> list[str]:
        """The names of all customers that live records have here."""
        found = [record.customer.customer_name for record in self.records.values() if record.customer]
        return sorted(found)

    def version(self, kind: str, record_id: str) -> int:
        return self.records[kind, record_id].version

    async def _organizations(self) -> Any:
        items = [{"id": id_, "name": name, "is_default": id_ == self.default} for id_, name in ORGANIZATIONS.items()]
        return {"items": items[::-1], "next_cursor": None}

    async def _organization(self, organization_id: str) -> Any:
        if organization_id not in ORGANIZATIONS:
            return refusal(404, "organization_not_found", "there is no such organization")
        return {"id": organization_id, "name": ORGANIZATIONS[organization_id], "is_default": False}

    async def _apply(self, request: Request, x_organization_id: str = Header()) -> Any:
        command = ApplyCrmRecords.model_validate_json(await request.body())
        self.on_command(command.records)
        await self.gate.wait()
        if (instead := self._instead(command.records)) is not None:
            return instead
        self.commands.append((x_organization_id, list(command.records)))
        results = tuple(self._result(self.books, one, command.reapply, self.places) for one in command.records)
        if not command.explain:
            results = tuple(one.model_copy(update={"changes": ()}) for one in results)
        return JSONResponse(CrmRecordResults(results=results).model_dump(mode="json"))

    async def _plan(self, request: Request) -> Any:
        command = PlanCrmRecords.model_validate_json(await request.body())
        self.plans.append(command)
        if (instead := self._instead(command.records, command.earlier)) is not None:
            return instead
        spoken_of = (*command.earlier, *command.refused, *command.gone, *command.records)
        sent = {(one.record_type, one.record_id) for one in spoken_of}
        first = (command.records[0].record_type, command.records[0].record_id)
        links = [self.records.get((one.record_type, one.record_id)) for one in command.records]
        named = {("account", one.account_id) for one in (*command.records, *links) if one and one.account_id}
        if self.merged & {(one.record_type, one.record_id) for one in command.records}:
            named |= self.merged
        missing = sorted(key for key in named - sent if command.after_all or key < first)
        if missing:
            keys = tuple(CrmRecordKey(record_type=kind, record_id=id_) for kind, id_ in missing)
            return JSONResponse(CrmRecordPlan(missing=keys).model_dump(mode="json"))
        books = self.books.copy()
        for one in command.earlier:
            self._result(books, one, command.reapply, None)
        there = books.customers()
        places = None if self.places is None else self.places - self.books.customers() - command.places_taken + there
        results = tuple(self._result(books, one, command.reapply, places) for one in command.records)
        plan = CrmRecordPlan(results=results, places_taken=books.customers() - there)
        return JSONResponse(plan.model_dump(mode="json"))

    async def _links(self, limit: int, cursor: str | None = None) -> Any:
        keys = sorted(key for key in self.books.shown if cursor is None or key > tuple(cursor.split(":")))
        page = keys[: min(limit, 2)]
        items = [{"record_type": kind, "record_id": id_, "version": self.version(kind, id_)} for kind, id_ in page]
        return {"items": items, "next_cursor": ":".join(page[-1]) if len(keys) > len(page) else None}

    def _instead(self, records: Sequence[CrmRecord], earlier: Sequence[CrmRecord] = ()) -> Any:
        if self.down:
            return refusal(503, "unavailable", "down")
        if self.nonsense is not None:
            return self.nonsense
        for where, sent in (("records", records), ("earlier", earlier)):
            for index, one in enumerate(sent):
                if one.record_id in self.unreadable:
                    fault = {"field": f"{where}.{index}.record_id", "message": "cannot be read"}
                    detail = f"{fault['field']}: cannot be read"
                    return JSONResponse(
                        {"code": "validation_error", "status": 422, "detail": detail, "errors": [fault]}, 422
                    )
        if len(earlier) > self.most_earlier:
            fault = {"field": "earlier", "message": "too many"}
            return JSONResponse(
                {"code": "validation_error", "status": 422, "detail": "earlier: too many", "errors": [fault]}, 422
            )
        return None

    def _result(self, books: Books, record: CrmRecord, reapply: bool, places: int | None) -> CrmRecordResult:
        return books.apply(record, reapply=reapply, refused=self.refused.get(record.record_id), places=places)


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

    async def start(self, path: str = "/v1/imports", **body: Any) -> dict[str, Any]:
        """Start a run and wait until it has ended."""
        answer = await self.person.post(path, json=body)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["id"])

    async def listed(self, run: dict[str, Any], what: str = "changes", **query: Any) -> list[dict[str, Any]]:
        """All that the run lists, page by page."""
        found: list[dict[str, Any]] = []
        params = {"limit": 3} | query
        while True:
            page = (await self.person.get(f"/v1/imports/{run['id']}/{what}", params=params)).json()
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

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
    invoice.gate.set()
    for task in made.publishing:
        task.cancel()
    await asyncio.gather(*made.publishing, return_exceptions=True)
    for name in ("crm", "invoice"):
        stack.apps.pop(name, None)
