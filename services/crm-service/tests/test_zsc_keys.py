"""S21: a CRM user's ZSC key opens the import's feed, until it is revoked."""

from typing import Any

from servicekit.identity.models import User
from sqlalchemy import text, update

EMAIL = "member@crm.test"


async def make_key(client: Any) -> Any:
    response = await client.post("/v1/zsc-keys", json={"name": "Invoice"})
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


async def verify(crm: Any, email: str, key: str) -> Any:
    return await crm.stack.service("sync", "crm").post("/v1/zsc-keys/verify", json={"email": email, "zsc_key": key})


async def deactivate(crm: Any, email: str = EMAIL) -> None:
    async with crm.stack.database("crm").transaction() as session:
        await session.execute(update(User).where(User.email == email).values(is_active=False))


async def test_s21_the_key_is_shown_once_and_kept_as_a_hash(crm: Any) -> None:
    made = await make_key(crm.member)
    assert made["key"].startswith("zsc_")
    assert len(made["key"]) >= 4 + 43, "32 random bytes"
    assert made["key"].startswith(made["prefix"])
    assert len(made["prefix"]) <= 12
    [listed] = (await crm.read("zsc-keys"))["items"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["email"], listed["name"], listed["revoked_at"]) == (EMAIL, "Invoice", None)
    async with crm.stack.database("crm").reading() as session:
        kept = (await session.execute(text("SELECT * FROM zsc_keys"))).one()
    assert made["key"] not in [str(value) for value in kept]
    assert (await make_key(crm.member))["key"] != made["key"]


async def test_s21_the_right_key_and_email_are_recognised(crm: Any) -> None:
    made = await make_key(crm.member)
    answer = await verify(crm, " Member@CRM.test ", made["key"])
    assert answer.status_code == 200
    assert answer.json() == {"zsc_key_id": made["id"], "email": EMAIL}


async def test_s21_a_wrong_email_or_key_is_refused_saying_which(crm: Any) -> None:
    made = await make_key(crm.member)
    anothers = await make_key(await crm.stack.person("crm", "admin"))
    crm.refused(await verify(crm, "nobody@crm.test", made["key"]), 403, "zsc_email_unknown")
    for wrong in ("zsc_" + "x" * 43, "", "\x00", made["prefix"], anothers["key"]):
        crm.refused(await verify(crm, EMAIL, wrong), 403, "zsc_key_wrong")
    await deactivate(crm)
    crm.refused(await verify(crm, EMAIL, made["key"]), 403, "zsc_user_inactive")


async def test_s21_a_revoked_key_stops_working_at_once(crm: Any) -> None:
    made, other = await make_key(crm.member), await make_key(crm.member)
    await crm.delete(f"zsc-keys/{made['id']}")
    crm.refused(await verify(crm, EMAIL, made["key"]), 403, "zsc_key_revoked")
    assert (await verify(crm, EMAIL, other["key"])).status_code == 200
    [_, revoked] = (await crm.read("zsc-keys"))["items"]
    assert revoked["revoked_at"] is not None
    await crm.delete(f"zsc-keys/{made['id']}")
    assert (await crm.read("zsc-keys"))["items"][1] == revoked, "the first revocation counts"


async def test_each_person_has_their_own_keys_and_an_administrator_sees_all(crm: Any) -> None:
    admin = await crm.stack.person("crm", "admin")
    mine, theirs = await make_key(crm.member), await make_key(admin)
    assert [key["id"] for key in (await crm.read("zsc-keys"))["items"]] == [mine["id"]]
    assert [key["id"] for key in (await admin.get("/v1/zsc-keys")).json()["items"]] == [theirs["id"], mine["id"]]
    crm.refused(await crm.member.delete(f"/v1/zsc-keys/{theirs['id']}"), 404, "zsc_key_not_found")
    assert (await admin.delete(f"/v1/zsc-keys/{mine['id']}")).status_code == 204
    crm.refused(await verify(crm, EMAIL, mine["key"]), 403, "zsc_key_revoked")


async def test_only_people_have_keys_and_only_services_ask_about_them(crm: Any) -> None:
    crm.refused(await crm.stack.service("sync", "crm").post("/v1/zsc-keys"), 403, "people_only")
    viewer = await crm.stack.person("crm", "viewer")
    crm.refused(await viewer.post("/v1/zsc-keys"), 403, "role_too_low")
    body = {"email": EMAIL, "zsc_key": "zsc_x"}
    crm.refused(await crm.member.post("/v1/zsc-keys/verify", json=body), 403, "services_only")


class TestTheFeed:
    async def test_gives_every_record_and_tombstone_in_pages(self, crm: Any) -> None:
        key = await make_key(crm.member)
        accounts = [await crm.account(f"Company {number}", phone=str(number)) for number in range(5)]
        contact = await crm.contact(account_id=accounts[1]["id"])
        await crm.delete(f"accounts/{accounts[1]['id']}")
        sync = crm.stack.service("sync", "crm")
        headers = {"X-ZSC-Key-Id": key["id"]}
        items, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await sync.get("/v1/export/accounts", params=params, headers=headers)).json()
            items += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert [item["id"] for item in items] == [account["id"] for account in accounts]
        assert [(item["deleted"], item["version"]) for item in items] == [
            (False, 1),
            (True, 2),
            (False, 1),
            (False, 1),
            (False, 1),
        ]
        assert items[0]["phone"] == "0"
        assert set(items[0]["billing_address"]) == set(accounts[0]["billing_address"])
        [person] = (await sync.get("/v1/export/contacts", headers=headers)).json()["items"]
        assert (person["id"], person["version"], person["account_id"]) == (contact["id"], 2, None)

    async def test_asks_for_a_good_key(self, crm: Any) -> None:
        key = await make_key(crm.member)
        viewer, sync = await crm.stack.person("crm", "viewer"), crm.stack.service("sync", "crm")
        person, by_id = {"X-ZSC-Key": key["key"], "X-ZSC-Email": EMAIL}, {"X-ZSC-Key-Id": key["id"]}
        for kind in ("accounts", "contacts"):
            path = f"/v1/export/{kind}"
            for client, headers in ((viewer, person), (sync, person), (sync, by_id)):
                assert (await client.get(path, headers=headers)).status_code == 200
            for client, headers, code in (
                (viewer, {}, "zsc_key_wrong"),
                (viewer, by_id, "zsc_key_wrong"),
                (viewer, person | {"X-ZSC-Key": "zsc_wrong"}, "zsc_key_wrong"),
                (viewer, person | {"X-ZSC-Email": "nobody@crm.test"}, "zsc_email_unknown"),
                (sync, {}, "zsc_key_wrong"),
                (sync, {"X-ZSC-Key-Id": "0" * 36}, "zsc_key_wrong"),
            ):
                crm.refused(await client.get(path, headers=headers), 403, code)

    async def test_closes_when_the_key_is_revoked_or_its_owner_deactivated(self, crm: Any) -> None:
        key = await make_key(crm.member)
        viewer, sync = await crm.stack.person("crm", "viewer"), crm.stack.service("sync", "crm")
        person, by_id = {"X-ZSC-Key": key["key"], "X-ZSC-Email": EMAIL}, {"X-ZSC-Key-Id": key["id"]}
        await crm.delete(f"zsc-keys/{key['id']}")
        for client, headers in ((viewer, person), (sync, by_id)):
            crm.refused(await client.get("/v1/export/accounts", headers=headers), 403, "zsc_key_revoked")
        await deactivate(crm)
        for client, headers in ((viewer, person), (sync, by_id)):
            crm.refused(await client.get("/v1/export/contacts", headers=headers), 403, "zsc_user_inactive")
