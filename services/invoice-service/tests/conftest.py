"""What invoice-service's tests share: a running Invoice, its people, and records to begin with."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from contracts.event import decode
from contracts.topology import PUBLISHED, by_wire_type
from servicekit.outbox import outbox
from sqlalchemy import event, select

Json = dict[str, Any]

LINE = {"name": "Order 10248", "quantity": "2", "rate": "19.90", "discount_percentage": "10", "tax_percentage": "19"}


def ok(response: httpx.Response) -> Json:
    """The body of a 200."""
    assert response.status_code == 200, response.text
    body: Json = orjson.loads(response.content)
    return body


def made(response: httpx.Response) -> Json:
    """The body of a 201."""
    assert response.status_code == 201, response.text
    body: Json = orjson.loads(response.content)
    return body


def refused(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, orjson.loads(response.content)["code"]


def account(id_: str, version: int = 1, *, name: str = "", **fields: Any) -> Json:
    """An account as sync sends it."""
    customer = {"customer_name": name or f"Company {id_}", **fields}
    return {"record_type": "account", "record_id": id_, "version": version, "customer": customer}


def contact(id_: str, version: int = 1, *, at: str | None = None, **fields: Any) -> Json:
    """A contact as sync sends it, at the account ``at`` or alone."""
    return {
        "record_type": "contact",
        "record_id": id_,
        "version": version,
        "account_id": at,
        "customer": {"customer_name": f"Person {id_}"},
        "contact_person": {"last_name": f"Person {id_}", **fields},
    }


def deleted(kind: str, id_: str, version: int) -> Json:
    """A deleted record as sync sends it."""
    return {"record_type": kind, "record_id": id_, "version": version, "deleted": True}


class Invoice:
    """A running Invoice and who uses it: an admin, sync and workflow."""

    ok, made, refused = staticmethod(ok), staticmethod(made), staticmethod(refused)
    account, contact, deleted = staticmethod(account), staticmethod(contact), staticmethod(deleted)

    def __init__(self, stack: Any, admin: httpx.AsyncClient) -> None:
        self.stack = stack
        self.admin = admin
        self.sync: httpx.AsyncClient = stack.service("sync", "invoice")
        self.workflow: httpx.AsyncClient = stack.service("workflow", "invoice")
        self.database = stack.database("invoice")

    async def customer(self, name: str = "Alfreds Futterkiste", **fields: Any) -> Json:
        """A customer made by hand."""
        return made(await self.admin.post("/v1/customers", json={"customer_name": name, **fields}))

    async def customers(self, **query: Any) -> list[Json]:
        """The first page of customers."""
        items: list[Json] = ok(await self.admin.get("/v1/customers", params=query))["items"]
        return items

    async def apply(self, *records: Json) -> list[Json]:
        """What sync's bulk command answers."""
        results: list[Json] = ok(await self.sync.put("/v1/crm/customers", json={"records": records}))["results"]
        return results

    async def outcomes(self, *records: Json) -> list[str]:
        """The outcomes of sync's bulk command."""
        return [result["outcome"] for result in await self.apply(*records)]

    async def estimate(self, customer_id: str | None = None, **fields: Any) -> Json:
        """A draft."""
        body = {"line_items": [LINE], **fields}
        if customer_id is not None:
            body["customer_id"] = customer_id
        return made(await self.admin.post("/v1/estimates", json=body))

    async def bill(self, customer_id: str | None = None, status: str = "sent", **fields: Any) -> Json:
        """An invoice, sent unless ``status`` says draft."""
        body = {"line_items": [LINE], **fields}
        if customer_id is not None:
            body["customer_id"] = customer_id
        draft = made(await self.admin.post("/v1/invoices", json=body))
        if status == "draft":
            return draft
        return ok(await self.admin.post(f"/v1/invoices/{draft['id']}/status/{status}"))

    async def pay(self, invoice_id: str, amount: str, **fields: Any) -> Json:
        """A payment of an invoice."""
        return made(await self.admin.post(f"/v1/invoices/{invoice_id}/payments", json={"amount": amount, **fields}))

    async def shown(self, kind: str, id_: str) -> Json:
        """The record as it is now."""
        return ok(await self.admin.get(f"/v1/{kind}/{id_}"))

    async def mark(self, estimate_id: str, status: str) -> Json:
        """The estimate, made ``status``."""
        return ok(await self.admin.post(f"/v1/estimates/{estimate_id}/status/{status}"))

    async def told(self, noun: str) -> list[tuple[str, Any, str | None]]:
        """What the outbox tells of ``noun``: verb, snapshot and correlation id; the stack's relay must be stopped."""
        types = by_wire_type(PUBLISHED["invoice"])
        async with self.database.reading() as session:
            bodies = (await session.execute(select(outbox.c.body).order_by(outbox.c.position))).scalars().all()
        found = []
        for body in bodies:
            envelope, fact = decode(body, types)
            if envelope.type.split(".")[1] == noun:
                found.append((envelope.type.split(".")[2], fact.data, envelope.correlationid))
        return found

    @contextlib.contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL statements that are sent meanwhile."""
        sent: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            if not statement.startswith(
                ("BEGIN", "SELECT 1", "DELETE FROM outbox", "SELECT outbox", "DELETE FROM sign_ins")
            ):
                sent.append(statement)

        engine = self.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def invoice_settings() -> Json:
    """What Invoice is started with besides the stack's own settings; a test file may say otherwise."""
    return {}


@pytest.fixture
async def invoice(stack: Any, invoice_settings: Json) -> Invoice:
    """Invoice alone, on each set-up; its relay is stopped, so that the outbox keeps what it tells."""
    await stack.start("invoice", **invoice_settings)
    await stack.apps["invoice"].state.service.relay.stop()
    return Invoice(stack, await stack.person("invoice", "admin"))
