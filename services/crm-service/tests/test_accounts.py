"""Accounts: made, read, edited, deleted and found."""

import asyncio
from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of requests is the same on both set-ups."""

ADDRESS = {"attention": "", "street": "", "street2": "", "city": "", "state": "", "zip": "", "country": ""}


class TestAnAccount:
    async def test_is_created_and_told_of(self, crm: Any) -> None:
        fields = {
            "account_name": "  Alfreds Futterkiste ",
            "phone": "030-0074321",
            "website": "https://alfreds.example",
            "billing_address": {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209", "country": "Germany"},
        }
        response = await crm.member.post("/v1/accounts", json=fields)
        made = response.json()
        assert response.status_code == 201
        assert response.headers["etag"] == '"1"'
        assert made["version"] == 1
        assert made["account_name"] == "Alfreds Futterkiste"
        assert made["billing_address"] == ADDRESS | fields["billing_address"]
        assert made["shipping_address"] == ADDRESS
        assert made["fax"] == made["description"] == ""
        read = await crm.member.get(response.headers["location"])
        assert read.json() == made
        assert read.headers["etag"] == '"1"'
        [(verb, snapshot)] = await crm.told(1)
        assert verb == "account.created"
        assert snapshot.model_dump(mode="json", exclude={"deleted"}) == {
            name: value for name, value in made.items() if name not in ("created_at", "updated_at", "deleted_at")
        }

    async def test_changes_only_in_the_fields_that_are_sent(self, crm: Any) -> None:
        made = await crm.account(phone="1", fax="2", billing_address={"city": "Berlin", "zip": "12209"})
        edited = await crm.change(f"accounts/{made['id']}", phone="3", billing_address={"city": "Bonn"})
        assert edited["version"] == 2
        assert (edited["phone"], edited["fax"], edited["account_name"]) == ("3", "2", made["account_name"])
        assert edited["billing_address"] == ADDRESS | {"city": "Bonn"}, "an address is replaced as a whole"
        assert edited["updated_at"] > made["updated_at"]
        assert edited["created_at"] == made["created_at"]
        assert await crm.told_of(made, 2) == ["account.created", "account.updated"]

    async def test_an_edit_that_changes_nothing_is_no_new_version(self, crm: Any) -> None:
        made = await crm.account(phone="1", billing_address={"city": "Berlin"})
        same = await crm.change(f"accounts/{made['id']}", phone=" 1 ", billing_address={"city": "Berlin"})
        assert same == made
        assert await crm.change(f"accounts/{made['id']}") == made
        await crm.account("The next one")
        assert [verb for verb, _ in await crm.told(2)] == ["account.created", "account.created"]

    async def test_is_gone_when_deleted_and_leaves_a_tombstone_for_the_others(self, crm: Any) -> None:
        made = await crm.account(phone="030-0074321")
        await crm.delete(f"accounts/{made['id']}")
        crm.refused(await crm.member.get(f"/v1/accounts/{made['id']}"), 404, "account_not_found")
        crm.refused(await crm.member.patch(f"/v1/accounts/{made['id']}", json={"fax": "1"}), 404, "account_not_found")
        crm.refused(await crm.member.delete(f"/v1/accounts/{made['id']}"), 404, "account_not_found")
        assert await crm.names("accounts", "id") == []
        assert await crm.names("accounts?q=alfreds", "id") == []
        _, (verb, last) = await crm.told(2)
        assert verb == "account.deleted"
        assert (last.deleted, last.version, last.phone) == (True, 2, "030-0074321")

    async def test_two_people_editing_at_once_the_second_is_told(self, crm: Any) -> None:
        made = await crm.account()
        path, seen = f"/v1/accounts/{made['id']}", {"If-Match": '"1"'}
        answers = await asyncio.gather(
            *(crm.member.patch(path, json={"phone": phone}, headers=seen) for phone in ("1", "2"))
        )
        first, second = sorted(answers, key=lambda answer: answer.status_code)
        assert first.status_code == 200
        assert crm.refused(second, 412, "version_conflict")["current_version"] == 2
        assert (await crm.read(path.removeprefix("/v1/")))["phone"] == first.json()["phone"]
        crm.refused(await crm.member.delete(path, headers=seen), 412, "version_conflict")
        assert (await crm.member.delete(path, headers={"If-Match": '"2"'})).status_code == 204

    async def test_posted_twice_with_one_key_is_created_once(self, crm: Any) -> None:
        key = {"Idempotency-Key": "a click"}
        first = await crm.member.post("/v1/accounts", json={"account_name": "A"}, headers=key)
        again = await crm.member.post("/v1/accounts", json={"account_name": "A"}, headers=key)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["location"] == first.headers["location"]
        assert await crm.names("accounts", "account_name") == ["A"]


BAD: list[tuple[str, dict[str, Any]]] = [
    ("account_name", {}),
    ("account_name", {"account_name": "  "}),
    ("account_name", {"account_name": None}),
    ("account_name", {"account_name": "x" * 256}),
    ("account_name", {"account_name": "two\nlines"}),
    ("description", {"account_name": "A", "description": "a\x00b"}),
    ("phone", {"account_name": "A", "phone": "0" * 51}),
    ("fax", {"account_name": "A", "fax": 5}),
    ("billing_address.town", {"account_name": "A", "billing_address": {"town": "Berlin"}}),
    ("owner", {"account_name": "A", "owner": "me"}),
]


@FORM
async def test_bad_input_names_the_field_and_changes_nothing(crm: Any) -> None:
    for field, fields in BAD:
        crm.refused(await crm.member.post("/v1/accounts", json=fields), 422, "validation_error", field)
    assert await crm.names("accounts", "id") == []


async def test_there_is_no_account_with_a_strange_id(crm: Any) -> None:
    for strange in ("nope", "0" * 36, "x" * 3000):
        crm.refused(await crm.member.get(f"/v1/accounts/{strange}"), 404, "account_not_found")


class TestTheList:
    async def test_gives_every_account_once_newest_first(self, crm: Any) -> None:
        made = [(await crm.account(f"Company {number}"))["id"] for number in range(7)]
        seen, cursor = [], ""
        while cursor is not None:
            page = await crm.read(f"accounts?limit=3{cursor and '&cursor='}{cursor}")
            assert len(page["items"]) <= 3
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == made[::-1]
        crm.refused(await crm.member.get("/v1/accounts?cursor=nonsense"), 400, "bad_cursor")

    async def test_finds_by_the_beginnings_of_words(self, crm: Any) -> None:
        await crm.account("Alfreds Futterkiste", phone="030-0074321", billing_address={"city": "Berlin"})
        around = await crm.account("Around the Horn", shipping_address={"city": "Malmö"})
        found = {
            query: await crm.names(f"accounts?q={query}", "account_name")
            for query in ("fut alf", "0074", "berl", "MALMO", "erlin", "alf horn")
        }
        assert found == {
            "fut alf": ["Alfreds Futterkiste"],
            "0074": ["Alfreds Futterkiste"],
            "berl": ["Alfreds Futterkiste"],
            "MALMO": ["Around the Horn"],
            "erlin": [],
            "alf horn": [],
        }
        await crm.change(f"accounts/{around['id']}", account_name="Round the Corner")
        assert await crm.names("accounts?q=horn", "id") == []
        assert await crm.names("accounts?q=corner", "id") == [around["id"]]


@FORM
async def test_a_viewer_reads_and_only_a_member_writes(crm: Any) -> None:
    made = await crm.account()
    viewer = await crm.stack.person("crm", "viewer")
    assert (await viewer.get(f"/v1/accounts/{made['id']}")).status_code == 200
    refusals = [
        await viewer.post("/v1/accounts", json={"account_name": "B"}),
        await viewer.patch(f"/v1/accounts/{made['id']}", json={"phone": "1"}),
        await viewer.delete(f"/v1/accounts/{made['id']}"),
        await viewer.post("/v1/accounts/import", content="account_name\nB\n", headers={"Content-Type": "text/csv"}),
    ]
    for refusal in refusals:
        crm.refused(refusal, 403, "role_too_low")
    crm.refused(await crm.stack.anonymous("crm").get("/v1/accounts"), 401, "unauthorized")
    assert await crm.names("accounts", "version") == [1]
