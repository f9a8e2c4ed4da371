"""What was deleted is brought back, with what the deletion had set free (S25, S28)."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of requests is the same on both set-ups."""


async def test_s28_an_account_comes_back_with_what_went_on_without_it(crm: Any) -> None:
    account, other = await crm.account("Alfreds Futterkiste"), await crm.account("Other")
    mine, given_away, alone_by_choice, gone = [
        await crm.contact(name, account_id=account["id"]) for name in ("Anders", "Hardy", "Berglund", "Moos")
    ]
    deal = await crm.potential(account_id=account["id"], contact_id=mine["id"], stage="Closed Won")
    await crm.delete(f"accounts/{account['id']}")
    await crm.change(f"contacts/{given_away['id']}", account_id=other["id"])
    await crm.change(f"contacts/{alone_by_choice['id']}", account_id=other["id"])
    await crm.change(f"contacts/{alone_by_choice['id']}", account_id=None)
    await crm.change(f"contacts/{mine['id']}", account_id=None, phone="0921-12 34 65")
    await crm.delete(f"contacts/{gone['id']}")
    before = len(await crm.told(18))

    back = await crm.member.post(f"/v1/accounts/{account['id']}/restore")

    assert (back.status_code, back.headers["etag"]) == (200, '"3"')
    assert back.json() == account | {"version": 3, "updated_at": back.json()["updated_at"]}
    assert await crm.read(f"accounts/{account['id']}") == back.json()
    assert await crm.names("accounts?q=futter", "id") == [account["id"]]
    assert await crm.names(f"contacts?account_id={account['id']}", "last_name") == ["Anders"]
    assert (await crm.read(f"contacts/{mine['id']}"))["version"] == 4
    assert await crm.names(f"contacts?account_id={other['id']}", "last_name") == ["Hardy"]
    assert await crm.names("contacts?standalone=true", "last_name") == ["Berglund"]
    deal_now = await crm.read(f"potentials/{deal['id']}")
    assert deal_now == deal | {"version": 3, "updated_at": deal_now["updated_at"]}

    told = [(data.id, verb, data.deleted) for verb, data in (await crm.told(before + 3)) if data.version >= 3]
    assert (account["id"], "account.updated", False) in told
    assert (mine["id"], "contact.updated", False) in told
    assert (deal["id"], "potential.updated", False) in told
    assert await crm.told_of(account, 3) == ["account.created", "account.deleted", "account.updated"]


async def test_in_whatever_order_they_are_deleted_and_restored_they_belong_together_again(crm: Any) -> None:
    kinds = ("accounts", "contacts", "potentials")
    for deleted in permutations(kinds):
        for restored in permutations(kinds):
            account = await crm.account()
            contact = await crm.contact(account_id=account["id"])
            deal = await crm.potential(account_id=account["id"], contact_id=contact["id"])
            made = dict(zip(kinds, (account, contact, deal), strict=True))
            for kind in deleted:
                await crm.delete(f"{kind}/{made[kind]['id']}")
            for kind in restored:
                await crm.restore(f"{kind}/{made[kind]['id']}")
            now = {kind: await crm.read(f"{kind}/{made[kind]['id']}") for kind in kinds}
            changing = ("version", "updated_at")
            for kind in kinds:
                kept = {name: value for name, value in now[kind].items() if name not in changing}
                assert kept.items() <= made[kind].items(), (deleted, restored)


async def test_what_is_restored_stands_alone_while_its_account_is_deleted(crm: Any) -> None:
    account = await crm.account()
    contact = await crm.contact(account_id=account["id"])
    deal = await crm.potential(account_id=account["id"], contact_id=contact["id"])
    for path in (f"potentials/{deal['id']}", f"contacts/{contact['id']}", f"accounts/{account['id']}"):
        await crm.delete(path)
    assert (await crm.restore(f"contacts/{contact['id']}"))["account_id"] is None
    back = await crm.restore(f"potentials/{deal['id']}")
    assert (back["account_id"], back["contact_id"]) == (None, contact["id"])
    assert (back["version"], back["status"]) == (3, "open")
    elsewhere = await crm.account("Elsewhere")
    await crm.change(f"potentials/{deal['id']}", account_id=elsewhere["id"])
    await crm.restore(f"accounts/{account['id']}")
    assert (await crm.read(f"contacts/{contact['id']}"))["account_id"] == account["id"]
    assert (await crm.read(f"potentials/{deal['id']}"))["account_id"] == elsewhere["id"]


async def test_an_account_and_its_contact_restored_at_the_same_moment_belong_together(crm: Any) -> None:
    for _ in range(8):
        account = await crm.account()
        contacts = [await crm.contact(account_id=account["id"]) for _ in range(3)]
        for contact in contacts[:2]:
            await crm.delete(f"contacts/{contact['id']}")
        await crm.delete(f"accounts/{account['id']}")
        await asyncio.gather(
            *(crm.restore(f"contacts/{contact['id']}") for contact in contacts[:2]),
            crm.restore(f"accounts/{account['id']}"),
            crm.restore(f"accounts/{account['id']}"),
        )
        found = await crm.names(f"contacts?account_id={account['id']}", "id")
        assert found == [contact["id"] for contact in contacts][::-1]
        assert (await crm.read(f"accounts/{account['id']}"))["version"] == 3, "it came back once"


@pytest.mark.parametrize("kind", ["accounts", "contacts", "potentials"])
class TestARestoredRecord:
    async def made(self, crm: Any, kind: str) -> Any:
        return await getattr(crm, kind.removesuffix("s"))()

    async def test_pressed_twice_comes_back_once(self, crm: Any, kind: str) -> None:
        made = await self.made(crm, kind)
        assert await crm.restore(f"{kind}/{made['id']}") == made, "it was not deleted"
        await crm.delete(f"{kind}/{made['id']}")
        path, seen = f"/v1/{kind}/{made['id']}/restore", {"If-Match": '"2"'}
        crm.refused(await crm.member.post(path, headers={"If-Match": '"1"'}), 412, "version_conflict")
        first, second = [await crm.member.post(path, headers=seen) for _ in range(2)]
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json() == made | {"version": 3, "updated_at": first.json()["updated_at"]}
        assert first.headers["etag"] == second.headers["etag"] == '"3"'
        assert [data.version for _, data in await crm.told(3)] == [1, 2, 3]

    async def test_can_be_found_while_it_is_deleted(self, crm: Any, kind: str) -> None:
        made = [await self.made(crm, kind) for _ in range(5)]
        for one in made[1:]:
            await crm.delete(f"{kind}/{one['id']}")
        assert await crm.names(kind, "id") == [made[0]["id"]]
        page = await crm.read(f"{kind}?deleted=true&limit=3")
        rest = await crm.read(f"{kind}?deleted=true&limit=3&cursor={page['next_cursor']}")
        assert [item["id"] for item in page["items"] + rest["items"]] == [one["id"] for one in made[:0:-1]]
        first = page["items"][0]
        assert (first["version"], first["deleted_at"]) == (2, first["updated_at"])

        some_name = next(value for field, value in made[0].items() if field.endswith("_name") and value).split()[0]
        assert len(await crm.names(f"{kind}?deleted=true&q={some_name}", "id")) == 4
        assert await crm.names(f"{kind}?q={some_name}", "id") == [made[0]["id"]]
        await crm.restore(f"{kind}/{made[4]['id']}")
        assert len(await crm.names(f"{kind}?deleted=true&q={some_name}", "id")) == 3
        assert await crm.names(f"{kind}?q={some_name}", "id") == [made[4]["id"], made[0]["id"]]

    async def test_says_how_to_restore_it_while_it_is_deleted(self, crm: Any, kind: str) -> None:
        made, code = await self.made(crm, kind), f"{kind.removesuffix('s')}_not_found"
        path = f"/v1/{kind}/{made['id']}"
        await crm.delete(f"{kind}/{made['id']}")
        for answer in (
            await crm.member.get(path),
            await crm.member.patch(path, json={}),
            await crm.member.delete(path),
        ):
            document = crm.refused(answer, 404, code)
            assert document["restore"] == f"{path}/restore"
            assert document["restore"] in document["detail"]
            assert document["deleted_at"] > made["created_at"][:19]
        assert (await crm.member.post(document["restore"])).status_code == 200
        assert (await crm.member.get(path)).status_code == 200

    @FORM
    async def test_was_once_there_and_a_member_asks_for_it(self, crm: Any, kind: str) -> None:
        code = f"{kind.removesuffix('s')}_not_found"
        for unknown in ("0" * 36, "nope"):
            document = crm.refused(await crm.member.post(f"/v1/{kind}/{unknown}/restore"), 404, code)
            assert "restore" not in document
        made = await self.made(crm, kind)
        await crm.delete(f"{kind}/{made['id']}")
        viewer = await crm.stack.person("crm", "viewer")
        crm.refused(await viewer.post(f"/v1/{kind}/{made['id']}/restore"), 403, "role_too_low")
        assert await crm.names(f"{kind}?deleted=true", "id") == [made["id"]]
