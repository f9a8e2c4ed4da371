"""Contacts: of an account or standing alone."""

import asyncio
from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of requests is the same on both set-ups."""


async def test_a_contact_is_created_read_edited_and_told_of(crm: Any) -> None:
    account = await crm.account()
    made = await crm.contact("Anders", first_name="Maria", email="maria@alfreds.example", account_id=account["id"])
    assert (made["version"], made["account_id"], made["salutation"]) == (1, account["id"], "")
    assert await crm.read(f"contacts/{made['id']}") == made
    edited = await crm.change(f"contacts/{made['id']}", salutation="Ms.", mobile="0170 1")
    assert edited | {"updated_at": ""} == made | {
        "salutation": "Ms.",
        "mobile": "0170 1",
        "version": 2,
        "updated_at": "",
    }
    assert await crm.told_of(made, 2) == ["contact.created", "contact.updated"]


async def test_s25_a_contact_gains_changes_and_loses_its_account(crm: Any) -> None:
    first, second = await crm.account("First"), await crm.account("Second")
    contact = await crm.contact()
    assert contact["account_id"] is None
    for account_id in (first["id"], second["id"], None):
        edited = await crm.change(f"contacts/{contact['id']}", account_id=account_id)
        assert edited["account_id"] == account_id
    told = [data.account_id for verb, data in await crm.told(6) if verb.startswith("contact")]
    assert told == [None, first["id"], second["id"], None]


class TestAnAccountThatIsNotThere:
    async def test_cannot_be_referred_to(self, crm: Any) -> None:
        gone = await crm.account()
        await crm.delete(f"accounts/{gone['id']}")
        contact = await crm.contact("Anders")
        for account_id in ("0" * 36, "nope", gone["id"]):
            for refusal in (
                await crm.member.post("/v1/contacts", json={"last_name": "Trujillo", "account_id": account_id}),
                await crm.member.patch(f"/v1/contacts/{contact['id']}", json={"account_id": account_id}),
            ):
                document = crm.refused(refusal, 422, "account_not_found", "account_id")
                assert document["errors"][0]["code"] == "account_not_found"
                assert account_id in document["detail"]
        assert await crm.names("contacts", "last_name") == ["Anders"]
        assert await crm.read(f"contacts/{contact['id']}") == contact

    async def test_is_never_left_with_a_contact_however_both_come_at_once(self, crm: Any) -> None:
        accounts = [await crm.account(f"Company {number}") for number in range(8)]

        async def contact_of(account: Any) -> Any:
            return await crm.member.post("/v1/contacts", json={"last_name": "A", "account_id": account["id"]})

        async def move_to(account: Any, contact: Any) -> Any:
            return await crm.member.patch(f"/v1/contacts/{contact['id']}", json={"account_id": account["id"]})

        movers = [await crm.contact("Mover") for _ in accounts]
        answers = await asyncio.gather(
            *(contact_of(account) for account in accounts for _ in range(3)),
            *(crm.member.delete(f"/v1/accounts/{account['id']}") for account in accounts),
            *(move_to(account, contact) for account, contact in zip(accounts, movers, strict=True)),
            *(contact_of(account) for account in accounts for _ in range(3)),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 204, 422}
        assert await crm.names("accounts", "id") == []
        assert set(await crm.names("contacts?limit=200", "account_id")) <= {None}


BAD: list[tuple[str, dict[str, Any]]] = [
    ("last_name", {"first_name": "Maria"}),
    ("email", {"last_name": "Anders", "email": "not an address"}),
    ("mobile", {"last_name": "Anders", "mobile": "0" * 51}),
    ("account_id", {"last_name": "Anders", "account_id": 7}),
]


@FORM
async def test_bad_input_names_the_field(crm: Any) -> None:
    for field, fields in BAD:
        crm.refused(await crm.member.post("/v1/contacts", json=fields), 422, "validation_error", field)


async def test_the_list_is_narrowed_down(crm: Any) -> None:
    account = await crm.account()
    await crm.contact("Anders", first_name="Maria", account_id=account["id"])
    await crm.contact("Hardy", first_name="Thomas", email="hardy@horn.example", account_id=account["id"])
    alone = await crm.contact("Trujillo", phone="(5) 555-4729")
    gone = await crm.contact("Moreno")
    await crm.delete(f"contacts/{gone['id']}")
    found = {
        query: await crm.names(f"contacts?{query}", "last_name")
        for query in (
            f"account_id={account['id']}",
            f"account_id={account['id']}&q=maria",
            "standalone=true",
            "standalone=false",
            "q=thom%20har",
            "q=horn",
            "q=555",
            "q=moreno",
        )
    }
    assert found == {
        f"account_id={account['id']}": ["Hardy", "Anders"],
        f"account_id={account['id']}&q=maria": ["Anders"],
        "standalone=true": ["Trujillo"],
        "standalone=false": ["Hardy", "Anders"],
        "q=thom%20har": ["Hardy"],
        "q=horn": ["Hardy"],
        "q=555": [alone["last_name"]],
        "q=moreno": [],
    }
    crm.refused(await crm.member.get("/v1/contacts?account_id=nope"), 422, "validation_error", "account_id")
