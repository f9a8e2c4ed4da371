"""All four services, and the people of one company that uses them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from contracts.event import Event, encode
from servicekit.bus import Outgoing
from servicekit.db import new_id

Json = dict[str, Any]


class Company:
    """Ada is admin of both products; what she does here is what a person would do in the browser."""

    def __init__(self, stack: Any, people: dict[str, httpx.AsyncClient]) -> None:
        self.stack = stack
        self.crm, self.invoice = people["crm"], people["invoice"]
        self.sync, self.workflow = people["sync"], people["workflow"]
        self._publishing: list[asyncio.Task[None]] = []

    async def make(self, path: str, **fields: Any) -> Json:
        """A new record in the CRM at ``/v1/<path>``."""
        return read(await self.crm.post(f"/v1/{path}", json=fields), 201)

    async def account(self, name: str, **fields: Any) -> Json:
        return await self.make("accounts", account_name=name, **fields)

    async def contact(self, last_name: str, **fields: Any) -> Json:
        return await self.make("contacts", last_name=last_name, **fields)

    async def potential(self, name: str, **fields: Any) -> Json:
        values = {"amount": "440.00", "currency_code": "EUR"} | fields
        return await self.make("potentials", potential_name=name, **values)

    async def change(self, record: str, **fields: Any) -> Json:
        return read(await self.crm.patch(f"/v1/{record}", json=fields))

    async def move(self, potential: Json, stage: str) -> Json:
        """Put a potential into another stage."""
        return await self.change(f"potentials/{potential['id']}", stage=stage)

    async def connect(self, *, auto_update: bool = True) -> Json:
        """Make a ZSC key in the CRM, import with it, and wait until the import has ended."""
        key = await self.make("zsc-keys")
        body = {"email": key["email"], "zsc_key": key["key"], "auto_update": auto_update}
        return await self._finished(read(await self.sync.post("/v1/imports", json=body), 202))

    async def import_again(self) -> Json:
        return await self._finished(read(await self.sync.post("/v1/imports", json={}), 202))

    async def _finished(self, run: Json) -> Json:
        async def ended() -> Json | None:
            found = read(await self.sync.get(f"/v1/imports/{run['id']}"))
            return found if found["status"] in ("completed", "failed") else None

        found: Json = await self.stack.eventually(ended)
        assert found["status"] == "completed", found
        return found

    async def activate_workflow(self) -> None:
        read(await self.crm.put("/v1/workflow", json={"active": True, "trigger": "estimates"}))

    async def customers(self, **query: Any) -> list[Json]:
        """Invoice's customers, by name."""
        items = read(await self.invoice.get("/v1/customers", params=query))["items"]
        return sorted(items, key=lambda one: str(one["customer_name"]))

    async def customer_of(self, account: Json) -> Json:
        """The customer of an account, when it has come."""

        async def come() -> Json | None:
            found = await self.customers(crm_account_id=account["id"])
            return found[0] if found else None

        found: Json = await self.stack.eventually(come)
        return found

    async def names(self) -> list[str]:
        return [one["customer_name"] for one in await self.customers()]

    async def estimates(self, potential: Json) -> list[Json]:
        params = {"crm_potential_id": potential["id"]}
        items: list[Json] = read(await self.invoice.get("/v1/estimates", params=params))["items"]
        return items

    async def estimate(self, potential: Json, status: str) -> Json:
        """The potential's one estimate, in full, when it has this status."""

        async def there() -> Json | None:
            found = await self.estimates(potential)
            assert len(found) <= 1, found
            return found[0] if found and found[0]["status"] == status else None

        found = await self.stack.eventually(there)
        return read(await self.invoice.get(f"/v1/estimates/{found['id']}"))

    async def runs(self, potential: Json, count: int) -> list[Json]:
        """What the CRM shows on the potential, oldest first, when it is so many runs that have ended."""

        async def there() -> list[Json] | None:
            found = read(await self.crm.get(f"/v1/potentials/{potential['id']}/workflow-runs"))["items"]
            ended = [run for run in found if run["outcome"] != "waiting"]
            return ended[::-1] if len(ended) >= count else None

        found: list[Json] = await self.stack.eventually(there)
        return found

    def publish(self, *events: Event[Any]) -> None:
        """Have the bus carry these events of the CRM in this order, whatever its outbox would do."""
        bus = self.stack.apps["crm"].state.service.bus

        async def send(event: Event[Any]) -> None:
            event_id = new_id()
            body = encode(event, event_id=event_id, source="/crm")
            while True:
                try:
                    await bus.publish([Outgoing(event_id, event.exchange(), event.routing_key(), body)])
                    return
                except ConnectionError:  # as the relay does
                    await asyncio.sleep(0.02)

        self._publishing += [asyncio.create_task(send(event)) for event in events]

    async def leave(self) -> None:
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)


def read(answer: httpx.Response, status: int = 200) -> Json:
    """The body of an answer that is to have this status."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


@pytest.fixture
async def company(stack: Any) -> AsyncIterator[Company]:
    await stack.start("crm", "invoice", "sync", "workflow")
    made = Company(stack, {name: await stack.person(name, "admin") for name in ("crm", "invoice", "sync", "workflow")})
    yield made
    await made.leave()
