"""The CRM as its callers see it, on both set-ups."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from contracts.event import decode
from contracts.topology import SYNC_RECORDS, WORKFLOW_POTENTIALS
from servicekit.bus import Delivery


class Crm:
    """A running CRM, a member signed in to it, and what it has published, as other services receive it."""

    def __init__(self, stack: Any, member: httpx.AsyncClient) -> None:
        self.stack = stack
        self.member = member
        self.published: list[tuple[str, Any]] = []
        self._listening = False

    async def _listen(self) -> None:
        """Begin to receive; what was published before has waited in the queues."""
        if self._listening:
            return
        self._listening = True
        bus = self.stack.apps["crm"].state.service.bus
        for queue in (SYNC_RECORDS, WORKFLOW_POTENTIALS):

            async def receive(deliveries: Sequence[Delivery], types: Any = queue.types) -> None:
                for delivery in deliveries:
                    _, event = decode(delivery.body, types)
                    self.published.append((type(event).routing_key().removeprefix("crm."), event.data))
                    await delivery.done()

            await bus.subscribe(queue, receive, batch_size=1000)

    async def told(self, count: int) -> list[tuple[str, Any]]:
        """All that was published, once it is at least ``count`` events: the versions of a record in order."""

        async def enough() -> bool:
            return len(self.published) >= count

        await self._listen()
        await self.stack.eventually(enough)
        assert len(self.published) == count, self.published
        return sorted(self.published, key=lambda one: (one[1].id, one[1].version))

    async def told_of(self, record: dict[str, Any], count: int) -> list[str]:
        """What was published of one record, in the order of its versions, once it is at least ``count`` events."""

        async def found() -> list[tuple[int, str]] | None:
            mine = [(data.version, verb) for verb, data in self.published if data.id == record["id"]]
            return mine if len(mine) >= count else None

        await self._listen()
        return [verb for _, verb in sorted(await self.stack.eventually(found))]

    async def make(self, path: str, **fields: Any) -> Any:
        """A new record at ``/v1/<path>``."""
        response = await self.member.post(f"/v1/{path}", json=fields)
        assert response.status_code == 201, response.text
        return response.json()

    async def account(self, account_name: str = "Alfreds Futterkiste", **fields: Any) -> Any:
        return await self.make("accounts", account_name=account_name, **fields)

    async def contact(self, last_name: str = "Anders", **fields: Any) -> Any:
        return await self.make("contacts", last_name=last_name, **fields)

    async def potential(self, potential_name: str = "Order 10643", **fields: Any) -> Any:
        return await self.make("potentials", potential_name=potential_name, **fields)

    async def read(self, path: str) -> Any:
        response = await self.member.get(f"/v1/{path}")
        assert response.status_code == 200, response.text
        return response.json()

    async def change(self, path: str, **fields: Any) -> Any:
        response = await self.member.patch(f"/v1/{path}", json=fields)
        assert response.status_code == 200, response.text
        return response.json()

    async def delete(self, path: str) -> None:
        response = await self.member.delete(f"/v1/{path}")
        assert response.status_code == 204, response.text

    async def zsc_key(self, client: httpx.AsyncClient | None = None) -> Any:
        """A new ZSC key of the member, or of whoever is signed in to ``client``."""
        response = await (client or self.member).post("/v1/zsc-keys", json={"name": "Invoice"})
        assert response.status_code == 201, response.text
        assert response.headers["cache-control"] == "no-store"
        return response.json()

    async def set_active(self, *, active: bool) -> None:
        """Have an administrator deactivate or activate the member."""
        admin = await self.stack.person("crm", "admin")
        users = (await admin.get("/v1/users")).json()["items"]
        member = next(user for user in users if user["role"] == "member")
        response = await admin.patch(f"/v1/users/{member['id']}", json={"is_active": active})
        assert response.status_code == 200, response.text

    async def restore(self, path: str) -> Any:
        response = await self.member.post(f"/v1/{path}/restore")
        assert response.status_code == 200, response.text
        return response.json()

    async def names(self, path: str, field: str) -> list[str]:
        """This field of all that the list gives, which must fit one page."""
        page = await self.read(path)
        assert page["next_cursor"] is None
        return [item[field] for item in page["items"]]

    @staticmethod
    def refused(response: httpx.Response, status: int, code: str, field: str | None = None) -> Any:
        """Assert that this is a problem document with this status and code, and about ``field`` alone; give it."""
        assert response.headers["content-type"] == "application/problem+json", response.text
        document = response.json()
        assert (response.status_code, document["code"]) == (status, code), document
        assert document["status"] == status
        if field is not None:
            assert {error["field"] for error in document["errors"]} == {field}, document
        return document

    async def send_csv(self, kind: str, text: str | bytes, *, dry_run: bool = False, **headers: str) -> httpx.Response:
        return await self.member.post(
            f"/v1/{kind}/import",
            content=text,
            params={"dry_run": "true"} if dry_run else {},
            headers={"Content-Type": "text/csv"} | headers,
        )


@pytest.fixture
async def crm(stack: Any) -> Crm:
    """A CRM that nobody has used yet."""
    await stack.start("crm")
    return Crm(stack, await stack.person("crm", "member"))
