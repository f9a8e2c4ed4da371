"""Items: what is sold, with its price and tax."""

import asyncio
from decimal import Decimal
from typing import Any

from invoice_service.items import queries

CHEESE = {"name": "Queso Cabrales", "description": "Sheep's milk", "rate": "14", "unit": "kg", "tax_percentage": "19"}


async def item(invoice: Any, **fields: Any) -> dict[str, Any]:
    """An item, as it is shown."""
    made: dict[str, Any] = invoice.made(await invoice.admin.post("/v1/items", json={**CHEESE, **fields}))
    return made


async def test_an_item_is_shown_as_it_was_entered_and_told_of(invoice: Any) -> None:
    response = await invoice.admin.post("/v1/items", json={**CHEESE, "rate": "14.123456", "name": " Queso Cabrales "})
    created = invoice.made(response)

    shown = await invoice.admin.get(response.headers["location"])

    assert invoice.ok(shown) == created
    assert shown.headers["etag"] == '"1"'
    assert {name: created[name] for name in CHEESE} == {**CHEESE, "rate": "14.123456"}
    assert created["currency_code"] == "USD"
    assert (await item(invoice, tax_percentage="7.50"))["rate"] == "14.00"
    (verb, told, _), (_, second, _) = await invoice.told("item")
    assert (verb, told.name, told.rate, told.unit, told.currency_code) == (
        "created",
        "Queso Cabrales",
        Decimal("14.123456"),
        "kg",
        "USD",
    )
    assert (str(second.rate), str(second.tax_percentage)) == ("14.00", "7.5")


async def test_an_edit_changes_only_what_was_sent(invoice: Any) -> None:
    created = await item(invoice)
    path = f"/v1/items/{created['id']}"

    edited = invoice.ok(await invoice.admin.patch(path, json={"rate": "15.5"}))
    again = invoice.ok(await invoice.admin.patch(path, json={"rate": "15.50"}))

    assert edited == {**created, "rate": "15.50", "version": 2}
    assert again == edited
    late = await invoice.admin.patch(path, json={"rate": "1"}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    told = [(verb, data.version, str(data.rate)) for verb, data, _ in await invoice.told("item")]
    assert told == [("created", 1, "14.00"), ("updated", 2, "15.50")]


async def test_prices_of_items_are_in_the_organization_s_currency_which_stays_while_there_are_some(
    invoice: Any,
) -> None:
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    path = f"/v1/organizations/{organization['id']}"
    assert invoice.ok(await invoice.admin.patch(path, json={"currency_code": "EUR"}))["currency_code"] == "EUR"
    created = await item(invoice)

    refused = await invoice.admin.patch(path, json={"currency_code": "JPY", "name": "Nippon"})

    assert invoice.refused(refused) == (409, "organization_currency_in_use")
    assert refused.json()["items"] == 1
    renamed = invoice.ok(await invoice.admin.patch(path, json={"currency_code": "EUR", "name": "Southwind"}))
    assert (renamed["currency_code"], renamed["name"]) == ("EUR", "Southwind")
    assert invoice.ok(await invoice.admin.get(f"/v1/items/{created['id']}")) == created
    await invoice.admin.delete(f"/v1/items/{created['id']}")
    assert invoice.ok(await invoice.admin.patch(path, json={"currency_code": "JPY"}))["currency_code"] == "JPY"


async def test_an_item_made_while_the_currency_changes_is_in_the_one_or_the_other(invoice: Any) -> None:
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    path = f"/v1/organizations/{organization['id']}"

    made, changed = await asyncio.gather(
        invoice.admin.post("/v1/items", json=CHEESE), invoice.admin.patch(path, json={"currency_code": "EUR"})
    )

    created = invoice.made(made)
    assert changed.status_code in (200, 409)
    assert invoice.ok(await invoice.admin.get(f"/v1/items/{created['id']}")) == created


async def test_deleting_an_item_leaves_documents_as_they_are(invoice: Any) -> None:
    created = await item(invoice)
    customer = await invoice.customer()
    line = {"item_id": created["id"], "name": "Queso", "rate": "14"}
    estimate = await invoice.estimate(customer["id"], line_items=[line])
    path = f"/v1/items/{created['id']}"

    late = await invoice.admin.delete(path, headers={"If-Match": '"7"'})
    assert invoice.refused(late) == (412, "version_conflict")
    assert (await invoice.admin.delete(path)).status_code == 204

    assert invoice.refused(await invoice.admin.get(path)) == (404, "item_not_found")
    assert invoice.refused(await invoice.admin.delete(path)) == (404, "item_not_found")
    assert invoice.ok(await invoice.admin.get("/v1/items", params={"q": "queso"}))["items"] == []
    assert invoice.ok(await invoice.admin.get(f"/v1/estimates/{estimate['id']}")) == estimate
    assert estimate["line_items"][0]["item_id"] == created["id"]
    verb, last, _ = (await invoice.told("item"))[-1]
    assert (verb, last.name, last.version, last.deleted) == ("deleted", "Queso Cabrales", 2, True)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"rate": None}, "rate"),
    ({"rate": "-0.01"}, "rate"),
    ({"rate": "NaN"}, "rate"),
    ({"rate": "1.0000001"}, "rate"),
    ({"rate": "1000000000000"}, "rate"),
    ({"rate": "1" * 30}, "rate"),
    ({"tax_percentage": "100.01"}, "tax_percentage"),
    ({"tax_percentage": "-1"}, "tax_percentage"),
    ({"unit": "kg\nm"}, "unit"),
    ({"price": "1"}, "price"),
]


async def test_a_field_that_is_wrong_is_named_and_nothing_changes(invoice: Any) -> None:
    created = await item(invoice)
    for fields, field in WRONG:
        for response in (
            await invoice.admin.post("/v1/items", json={**CHEESE, **fields}),
            await invoice.admin.patch(f"/v1/items/{created['id']}", json=fields),
        ):
            assert invoice.refused(response) == (422, "validation_error")
            assert response.json()["errors"][0]["field"] == field
    assert invoice.ok(await invoice.admin.get("/v1/items"))["items"] == [created]


async def test_items_are_listed_in_pages_and_found_by_the_beginnings_of_words(invoice: Any) -> None:
    for name in ("Chai", "Chang", "Aniseed Syrup", "Côte de Blaye", "Tofu"):
        await item(invoice, name=name, description="")
    names: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = invoice.ok(await invoice.admin.get("/v1/items", params=query))
        names += [one["name"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert names == ["Tofu", "Côte de Blaye", "Aniseed Syrup", "Chang", "Chai"]
    for q, expected in (("cha", ["Chang", "Chai"]), ("BLA cote", ["Côte de Blaye"]), ("beer", []), ("", [])):
        found = invoice.ok(await invoice.admin.get("/v1/items", params={"q": q}))["items"]
        assert [one["name"] for one in found] == expected
    bad = await invoice.admin.get("/v1/items", params={"cursor": "made-up"})
    assert invoice.refused(bad) == (400, "bad_cursor")


async def test_many_items_are_read_in_one_statement_and_only_the_organization_s(invoice: Any) -> None:
    ids = [(await item(invoice, name=f"Item {number}"))["id"] for number in range(3)]
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]

    async with invoice.database.reading() as session:
        with invoice.statements() as sent:
            found = await queries.get_many(session, organization["id"], [*ids[:2], "nowhere"])
        assert len(sent) == 1
        assert {id_: one.name for id_, one in found.items()} == {ids[0]: "Item 0", ids[1]: "Item 1"}
        assert await queries.get_many(session, "other", ids) == {}
        assert await queries.get_many(session, organization["id"], []) == {}


async def test_a_post_repeated_with_its_key_creates_one_item_and_a_viewer_none(invoice: Any) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await invoice.admin.post("/v1/items", json=CHEESE, headers=headers)
    second = await invoice.admin.post("/v1/items", json=CHEESE, headers=headers)

    assert first.content == second.content
    assert len(invoice.ok(await invoice.admin.get("/v1/items"))["items"]) == 1
    viewer = await invoice.stack.person("invoice", "viewer")
    assert (await viewer.get(first.headers["location"])).status_code == 200
    for response in (
        await viewer.post("/v1/items", json=CHEESE),
        await viewer.patch(first.headers["location"], json={"rate": "1"}),
        await viewer.delete(first.headers["location"]),
    ):
        assert invoice.refused(response) == (403, "role_too_low")
