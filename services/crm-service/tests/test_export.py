"""The import's feed: what it gives, whatever is in the database, and to whom (S21, S30)."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from sqlalchemy import text

EMAIL = "member@crm.test"


class Feed:
    """sync, as it reads the feed with a key of the member."""

    def __init__(self, crm: Any, key: Mapping[str, str]) -> None:
        self._client: httpx.AsyncClient = crm.stack.service("sync", "crm")
        self._headers = {"X-ZSC-Key-Id": key["id"]}

    async def get(self, path: str, **params: Any) -> Any:
        response = await self._client.get(f"/v1/export/{path}", params=params, headers=self._headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def whole(self, kind: str, *, limit: int) -> list[Any]:
        """All that it gives of this kind, page by page."""
        page = await self.get(kind, limit=limit)
        items = page["items"]
        while page["next_cursor"] is not None:
            page = await self.get(kind, limit=limit, cursor=page["next_cursor"])
            assert len(page["items"]) <= limit
            items += page["items"]
        return list(items)

    async def look_up(self, kind: str, ids: list[Any]) -> httpx.Response:
        return await self._client.post(f"/v1/export/{kind}/lookup", json={"ids": ids}, headers=self._headers)


@pytest.fixture
async def feed(crm: Any) -> Feed:
    return Feed(crm, await crm.zsc_key())


async def test_s30_it_gives_every_record_and_tombstone_in_pages_as_the_events_do(crm: Any, feed: Feed) -> None:
    accounts = [await crm.account(f"Company {number}", billing_address={"city": "Berlin"}) for number in range(5)]
    people = [await crm.contact(account_id=accounts[1]["id"]), await crm.contact("Hardy", mobile="1")]
    assert await feed.get("counts") == {"accounts": 5, "contacts": 2}
    await crm.delete(f"accounts/{accounts[1]['id']}")
    told: dict[str, Any] = {}
    for _, snapshot in await crm.told(9):
        told[snapshot.id] = snapshot  # the versions of a record come in order
    given = await feed.whole("accounts", limit=2)
    assert [AccountSnapshot.model_validate(item) for item in given] == [told[account["id"]] for account in accounts]
    assert [(item["deleted"], item["version"]) for item in given][:3] == [(False, 1), (True, 2), (False, 1)]
    given = await feed.whole("contacts", limit=1000)
    assert [ContactSnapshot.model_validate(item) for item in given] == [told[person["id"]] for person in people]
    assert (given[0]["version"], given[0]["account_id"]) == (2, None)
    assert await feed.get("counts") == {"accounts": 5, "contacts": 2}, "what an import will read"


async def test_s30_records_are_looked_up_by_their_ids(crm: Any, feed: Feed) -> None:
    accounts = [await crm.account(f"Company {number}") for number in range(3)]
    person = await crm.contact()
    await crm.delete(f"accounts/{accounts[2]['id']}")
    first, _, gone = await feed.whole("accounts", limit=3)
    asked = [gone["id"], person["id"], first["id"], "0" * 36, "nope", "\x00", "", gone["id"]]
    assert (await feed.look_up("accounts", asked)).json() == {"items": [first, gone]}
    assert (await feed.look_up("contacts", asked)).json()["items"] == await feed.whole("contacts", limit=1)
    assert (await feed.look_up("accounts", [first["id"]] * 1_000)).json() == {"items": [first]}
    for wrong in ([], ["1"] * 1_001):
        crm.refused(await feed.look_up("accounts", wrong), 422, "validation_error", "ids")
    for strange in ("x" * 3_000, 5, None):
        crm.refused(await feed.look_up("accounts", [strange]), 422, "validation_error", "ids.0")


STRANGE = {
    "emoji": "Café 👩‍👩‍👧‍👦 🇩🇪",
    "right to left": "شركة الأغذية \u202eevil\u202c בע״מ",
    "no letter": "\u200b",
    "control characters": "a\x01b\x1bc\x7fd\x85e\u2028f\ttab\nline",
    "quotes": """'"\\ </script> {{7*7}} %s""",
    "astral": "𝕏" * 255,
}


async def test_whatever_is_in_the_database_it_gives_it_and_the_records_beside_it(crm: Any, feed: Feed) -> None:
    """Also what a request could not have put there, but a restored backup or a hand on the database might have."""
    names = {(await crm.account(what))["id"]: name for what, name in STRANGE.items()}
    torn, person = await crm.account("torn"), await crm.contact()
    long = await crm.account("long", description="x" * 20_000)
    async with crm.stack.database("crm").transaction() as session:
        for account_id, name in names.items():
            change = text("UPDATE accounts SET account_name = :name, website = :name WHERE id = :id")
            await session.execute(change, {"name": name, "id": account_id})
        change = text("UPDATE contacts SET first_name = :name WHERE id = :id")
        await session.execute(change, {"name": STRANGE["control characters"], "id": person["id"]})
        change = text("UPDATE accounts SET billing_address = :address, shipping_address = 'null' WHERE id = :id")
        await session.execute(change, {"address": '{"city": null, "planet": "Mars"}', "id": torn["id"]})
        if crm.stack.kind == "embedded":  # PostgreSQL holds no column longer than it may be, and no NUL
            change = text("UPDATE accounts SET account_name = :name WHERE id = :id")
            await session.execute(change, {"name": "long\x00" * 2_000, "id": long["id"]})
    given = {item["id"]: item for item in await feed.whole("accounts", limit=1000)}
    assert {account_id: given[account_id]["account_name"] for account_id in names} == names
    assert given[torn["id"]]["billing_address"] == {"city": None, "planet": "Mars"}
    assert given[long["id"]]["description"] == "x" * 20_000
    assert given[long["id"]]["account_name"] == ("long\x00" * 2_000 if crm.stack.kind == "embedded" else "long")
    assert {AccountSnapshot.model_validate(given[account_id]).website for account_id in names} == set(names.values())
    [found] = (await feed.look_up("contacts", [person["id"]])).json()["items"]
    assert found["first_name"] == STRANGE["control characters"]


PATHS = ("/v1/export/accounts", "/v1/export/contacts", "/v1/export/counts")
LOOKUPS = ("/v1/export/accounts/lookup", "/v1/export/contacts/lookup")


class TestWhoMayRead:
    async def answers(self, client: httpx.AsyncClient, headers: dict[str, str]) -> list[httpx.Response]:
        """Those of all its addresses."""
        read = [await client.get(path, headers=headers) for path in PATHS]
        return read + [await client.post(path, json={"ids": ["0" * 36]}, headers=headers) for path in LOOKUPS]

    async def test_s21_who_shows_a_good_key(self, crm: Any) -> None:
        key = await crm.zsc_key()
        viewer, sync = await crm.stack.person("crm", "viewer"), crm.stack.service("sync", "crm")
        person, by_id = {"X-ZSC-Key": key["key"], "X-ZSC-Email": EMAIL}, {"X-ZSC-Key-Id": key["id"]}
        for client, headers in ((viewer, person), (sync, person), (sync, by_id)):
            assert {answer.status_code for answer in await self.answers(client, headers)} == {200}
        for client, headers, code in (
            (viewer, {}, "zsc_key_wrong"),
            (viewer, by_id, "zsc_key_wrong"),
            (viewer, person | {"X-ZSC-Key": "zsc_wrong"}, "zsc_key_wrong"),
            (viewer, person | {"X-ZSC-Email": "nobody@crm.test"}, "zsc_email_unknown"),
            (sync, {}, "zsc_key_wrong"),
            (sync, {"X-ZSC-Key-Id": "0" * 36}, "zsc_key_wrong"),
        ):
            for answer in await self.answers(client, headers):
                crm.refused(answer, 403, code)

    async def test_s21_not_once_the_key_is_revoked_nor_while_its_user_is_deactivated(self, crm: Any) -> None:
        key, other = await crm.zsc_key(), await crm.zsc_key()
        viewer, sync = await crm.stack.person("crm", "viewer"), crm.stack.service("sync", "crm")

        async def all_are_refused(key: Any, code: str) -> None:
            person, by_id = {"X-ZSC-Key": key["key"], "X-ZSC-Email": EMAIL}, {"X-ZSC-Key-Id": key["id"]}
            for client, headers in ((viewer, person), (sync, by_id)):
                for answer in await self.answers(client, headers):
                    crm.refused(answer, 403, code)

        await crm.delete(f"zsc-keys/{key['id']}")
        await all_are_refused(key, "zsc_key_revoked")
        await crm.set_active(active=False)
        await all_are_refused(other, "zsc_user_inactive")
        await crm.set_active(active=True)
        by_id = {"X-ZSC-Key-Id": other["id"]}
        assert {answer.status_code for answer in await self.answers(sync, by_id)} == {200}
        await all_are_refused(key, "zsc_key_revoked")

    async def test_s21_a_key_revoked_between_two_pages_ends_the_reading(self, crm: Any) -> None:
        for number in range(3):
            await crm.account(f"Company {number}")
        key, sync = await crm.zsc_key(), crm.stack.service("sync", "crm")
        headers = {"X-ZSC-Key-Id": key["id"]}
        page = (await sync.get("/v1/export/accounts", params={"limit": 2}, headers=headers)).json()
        await crm.delete(f"zsc-keys/{key['id']}")
        next_page = {"limit": 2, "cursor": page["next_cursor"]}
        refused = await sync.get("/v1/export/accounts", params=next_page, headers=headers)
        crm.refused(refused, 403, "zsc_key_revoked")
        headers = {"X-ZSC-Key-Id": (await crm.zsc_key())["id"]}
        rest = (await sync.get("/v1/export/accounts", params=next_page, headers=headers)).json()
        assert [item["account_name"] for item in page["items"] + rest["items"]] == [
            "Company 0",
            "Company 1",
            "Company 2",
        ]
