"""Likely duplicates: what customers are recognised by, and which pairs are listed (S29)."""

import asyncio
from typing import Any

import pytest
from contracts.values import Address
from invoice_service.customers.duplicates import MAX_SHARING
from invoice_service.customers.likeness import address_key, name_key, phone_key

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["Alfreds Futterkiste", " ALFREDS  futterkiste ", "Alfred's Futterkiste GmbH"], "alfreds futterkiste"),
        (["Müller & Söhne", "Muller, Sohne Ltd.", "MÜLLER-SÖHNE GmbH & Co. KG"], "muller sohne"),
        (["Bólido S.A.", "Bolido S. A.", "Bolido Inc", "Bolido LLC", "Bólido AG"], "bolido"),
        (["Straße 7", "STRASSE 7"], "strasse 7"),
        (["Ωμέγα Α.Ε."], "ωμεγα αε"),
        (["株式会社 鈴木"], "株式会社 鈴木"),
        (["AG"], "ag"),
        (["...", "", "GmbH."[4:]], ""),
    ],
)
def test_a_name_is_recognised_whatever_its_spelling(names: list[str], key: str) -> None:
    assert {name_key(name) for name in names} == {key}


def test_different_names_stay_different() -> None:
    names = ["Alfreds Futterkiste", "Alfreds Futterhaus", "Alfreds", "Futterkiste Alfreds", "AG Insurance", "Insurance"]
    assert len({name_key(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("phones", "key"),
    [
        (["+49 30 1234567", "030/1234567", "(030) 12 34 567", "0049-30-1234567"], "301234567"),
        (["٠٣٠١٢٣٤٥٦٧"], "301234567"),
        (["123456", "", "no phone", "000 000 000"], ""),
    ],
)
def test_a_phone_is_recognised_by_its_last_digits(phones: list[str], key: str) -> None:
    assert {phone_key(phone) for phone in phones} == {key}


def test_an_address_is_recognised_by_street_and_zip_or_city() -> None:
    written = [
        Address(street="Obere Str. 57", zip="12209", city="Berlin"),
        Address(street="OBERE STRASSE 57", zip="12209", attention="Maria", country="Germany"),
        Address(street="Obere Straße 57", zip="12209", city="Berlin-Lichterfelde"),
    ]
    assert {address_key(address) for address in written} == {"obere str 57, 12209"}
    assert address_key(Address(street="Obere Str. 57", city="Berlin")) == "obere str 57, berlin"
    for address in (Address(street="Obere Str. 57"), Address(city="Berlin", zip="12209"), Address(street="-", zip="1")):
        assert address_key(address) == ""


async def duplicates(invoice: Any) -> list[tuple[list[str], Json]]:
    """The names of each pair, with what they share."""
    page = invoice.ok(await invoice.admin.get("/v1/customers/duplicates"))
    return [
        (
            [customer["customer_name"] for customer in pair["customers"]],
            {reason["same"]: reason["value"] for reason in pair["reasons"]},
        )
        for pair in page["items"]
    ]


async def test_s29_likely_duplicates_are_listed_with_their_reasons(invoice: Any) -> None:
    berlin = {"street": "Obere Str. 57", "zip": "12209", "city": "Berlin"}
    await invoice.customer("Alfreds Futterkiste", phone="030-0074321", billing_address=berlin)
    await invoice.customer("Bólido")
    await invoice.apply(invoice.account("a", name="ALFREDS Futterkiste GmbH", phone="+49 30 0074321"))
    await invoice.customer("Other", shipping_address=berlin | {"street": "Obere Straße 57"})

    assert await duplicates(invoice) == [
        (["Alfreds Futterkiste", "Other"], {"address": "obere str 57, 12209"}),
        (["Alfreds Futterkiste", "ALFREDS Futterkiste GmbH"], {"name": "alfreds futterkiste", "phone": "300074321"}),
    ]
    other = invoice.made(await invoice.admin.post("/v1/organizations", json={"name": "B", "currency_code": "EUR"}))
    invoice.admin.headers["X-Organization-Id"] = other["id"]
    await invoice.customer("Bólido")
    assert await duplicates(invoice) == []


async def test_s29_the_list_follows_every_change(invoice: Any) -> None:
    first, second = await invoice.customer("Alfreds", phone="030-1234567"), await invoice.customer("Alfreds GmbH")
    path = f"/v1/customers/{second['id']}"
    names, by_name = ["Alfreds", "Alfreds GmbH"], {"name": "alfreds"}
    assert await duplicates(invoice) == [(names, by_name)]

    await invoice.admin.patch(path, json={"phone": "+49 30 1234567"})
    assert await duplicates(invoice) == [(names, by_name | {"phone": "301234567"})]
    await invoice.admin.patch(path, json={"customer_name": "Berta"})
    assert await duplicates(invoice) == [(["Alfreds", "Berta"], {"phone": "301234567"})]
    await invoice.admin.post(f"{path}/inactive")
    assert await duplicates(invoice) == []
    await invoice.admin.post(f"{path}/active")
    assert await duplicates(invoice) == [(["Alfreds", "Berta"], {"phone": "301234567"})]
    done = invoice.ok(await invoice.admin.post(f"{path}/merge", json={"into": first["id"]}))
    assert await duplicates(invoice) == []
    await invoice.admin.post(f"/v1/customers/merges/{done['merge_id']}/undo")
    assert await duplicates(invoice) == [(["Alfreds", "Berta"], {"phone": "301234567"})]
    await invoice.admin.delete(path)
    assert await duplicates(invoice) == []


async def test_s29_the_list_follows_what_the_crm_sends(invoice: Any) -> None:
    await invoice.apply(invoice.account("a", name="Alfreds"), invoice.account("b", name="Alfreds Ltd"))
    assert await duplicates(invoice) == [(["Alfreds", "Alfreds Ltd"], {"name": "alfreds"})]

    await invoice.apply(invoice.account("b", 2, name="Berta"), invoice.account("c", name="BERTA Inc."))
    assert await duplicates(invoice) == [(["Berta", "BERTA Inc."], {"name": "berta"})]
    await invoice.apply(invoice.deleted("account", "c", 2))
    assert await duplicates(invoice) == []


async def test_s29_a_key_counts_for_its_first_fifty_customers(invoice: Any) -> None:
    records = [invoice.account(f"{number:03}", phone="030-1234567") for number in range(MAX_SHARING + 10)]
    await invoice.apply(*records)
    await invoice.customer("One more", phone="030-1234567")

    pairs, cursor = 0, None
    while True:
        query = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = invoice.ok(await invoice.admin.get("/v1/customers/duplicates", params=query))
        pairs += len(page["items"])
        if (cursor := page["next_cursor"]) is None:
            break
    assert pairs == MAX_SHARING * (MAX_SHARING - 1) // 2


async def test_s29_customers_made_at_once_are_seen_as_duplicates(invoice: Any) -> None:
    await asyncio.gather(*(invoice.customer("Alfreds") for _ in range(4)))

    assert len(await duplicates(invoice)) == 6


async def test_a_cursor_made_up_by_hand_is_refused(invoice: Any) -> None:
    for cursor in ("x", "WyJhIl0", "WzEsMl0"):
        response = await invoice.admin.get("/v1/customers/duplicates", params={"cursor": cursor})
        assert invoice.refused(response) == (400, "bad_cursor")
