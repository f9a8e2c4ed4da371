"""What deleting a record does to those that referred to it."""

from typing import Any


async def test_s25_deleting_an_account_leaves_its_contacts_standing_alone_and_its_potentials(crm: Any) -> None:
    account, other = await crm.account("Gone"), await crm.account("Stays")
    mine = await crm.contact("Anders", account_id=account["id"])
    theirs = await crm.contact("Hardy", account_id=other["id"])
    deal = await crm.potential("Order 1", account_id=account["id"], contact_id=mine["id"], stage="Closed Won")
    left_already = await crm.contact("Moreno", account_id=account["id"])
    await crm.delete(f"contacts/{left_already['id']}")
    before = len(await crm.told(7))

    await crm.delete(f"accounts/{account['id']}")

    now_alone = await crm.read(f"contacts/{mine['id']}")
    assert (now_alone["account_id"], now_alone["version"], now_alone["last_name"]) == (None, 2, "Anders")
    deal_now = await crm.read(f"potentials/{deal['id']}")
    assert (deal_now["account_id"], deal_now["contact_id"], deal_now["version"]) == (None, mine["id"], 2)
    assert deal_now["status"] == "won"
    assert await crm.read(f"contacts/{theirs['id']}") == theirs
    assert await crm.names("contacts?standalone=true", "last_name") == ["Anders"]
    await crm.told(before + 3)
    assert await crm.told_of(account, 2) == ["account.created", "account.deleted"]
    assert await crm.told_of(mine, 2) == ["contact.created", "contact.updated"]
    assert await crm.told_of(deal, 2) == ["potential.created", "potential.updated"]


async def test_s25_an_account_with_more_contacts_than_a_batch_leaves_none_behind(crm: Any) -> None:
    account = await crm.account()
    rows = "".join(f"Contact {number},{account['id']}\n" for number in range(1_203))
    imported = await crm.send_csv("contacts", "last_name,account_id\n" + rows)
    assert imported.json()["created"] == 1_203
    await crm.delete(f"accounts/{account['id']}")
    assert await crm.names(f"contacts?account_id={account['id']}", "id") == []
    told = await crm.told(2 + 2 * 1_203)
    updated = {data.id: data for verb, data in told if verb == "contact.updated"}
    assert set(updated) == set(imported.json()["ids"])
    assert {(data.version, data.account_id) for data in updated.values()} == {(2, None)}
    await crm.restore(f"accounts/{account['id']}")
    told = await crm.told(3 + 3 * 1_203)
    back = [data for verb, data in told if verb == "contact.updated" and data.version == 3]
    assert {data.id for data in back} == set(imported.json()["ids"])
    assert {data.account_id for data in back} == {account["id"]}


async def test_deleting_a_contact_leaves_its_potentials(crm: Any) -> None:
    account = await crm.account()
    contact = await crm.contact(account_id=account["id"])
    deal = await crm.potential(account_id=account["id"], contact_id=contact["id"])
    await crm.delete(f"contacts/{contact['id']}")
    crm.refused(await crm.member.get(f"/v1/contacts/{contact['id']}"), 404, "contact_not_found")
    deal_now = await crm.read(f"potentials/{deal['id']}")
    assert (deal_now["account_id"], deal_now["contact_id"], deal_now["version"]) == (account["id"], None, 2)
    assert await crm.read(f"accounts/{account['id']}") == account
    assert await crm.told_of(contact, 2) == ["contact.created", "contact.deleted"]
    assert await crm.told_of(deal, 2) == ["potential.created", "potential.updated"]


async def test_deleting_a_potential_concerns_nothing_else(crm: Any) -> None:
    account = await crm.account()
    deal = await crm.potential(account_id=account["id"], amount="10.00")
    await crm.delete(f"potentials/{deal['id']}")
    crm.refused(await crm.member.get(f"/v1/potentials/{deal['id']}"), 404, "potential_not_found")
    assert await crm.names("potentials", "id") == []
    told = await crm.told(3)
    last = next(data for verb, data in told if verb == "potential.deleted")
    assert (last.id, last.version, last.deleted, str(last.amount)) == (deal["id"], 2, True, "10.00")
