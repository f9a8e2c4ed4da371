"""A customer that went with its CRM record comes back with it, as what it was (S28)."""

from typing import Any

Json = dict[str, Any]

KEPT = {"notes": "Pays late", "currency_code": "CHF", "payment_terms": 14}


async def with_all_that_people_keep(invoice: Any) -> Json:
    """A customer with two persons of the CRM, of whom someone chose the second, and one added by hand."""
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("d", at="a"))
    (customer,) = await invoice.customers()
    first, second = (person["id"] for person in customer["contact_persons"])
    persons = [
        {"id": first, "email": "c@a.test"},
        {"id": second, "is_primary": True},
        {"last_name": "By hand", "email": "b@a.test"},
    ]
    path = f"/v1/customers/{customer['id']}"
    edited: Json = invoice.ok(await invoice.admin.patch(path, json={**KEPT, "contact_persons": persons}))
    return edited


def without(customer: Json, *names: str) -> Json:
    return {name: value for name, value in customer.items() if name not in names}


def persons(customer: Json) -> list[Json]:
    return [without(person, "crm_owned_fields") for person in customer["contact_persons"]]


async def test_s28_a_restored_account_brings_the_same_customer_back(invoice: Any) -> None:
    before = await with_all_that_people_keep(invoice)
    assert await invoice.outcomes(invoice.deleted("account", "a", 2)) == ["deleted"]
    assert await invoice.outcomes(invoice.contact("c", 2), invoice.contact("d", 2)) == ["updated", "updated"]
    path = f"/v1/customers/{before['id']}"
    assert (await invoice.admin.get(path)).status_code == 404
    alone = {one["customer_name"]: one for one in await invoice.customers()}
    assert [(one["id"], one["email"]) for one in alone["Person c"]["contact_persons"]] == [
        (before["contact_persons"][0]["id"], "c@a.test")
    ]

    restored = [invoice.account("a", 3), invoice.contact("c", 3, at="a"), invoice.contact("d", 3, at="a")]
    assert await invoice.outcomes(*restored) == ["created", "updated", "updated"]

    (after,) = await invoice.customers()
    assert persons(after) == persons(before)
    changing = ("version", "contact_persons", "crm_links", "crm_owned_fields")
    assert without(after, *changing) == without(before, *changing)
    assert after["version"] == before["version"] + 2
    told = [(verb, data.version) for verb, data, _ in await invoice.told("customer") if data.id == before["id"]]
    assert told == [("created", 1), ("updated", 2), ("deleted", 3), ("created", 4)]
    assert [one["id"] for one in await invoice.customers(q="by hand")] == [before["id"]]
    for query in ({"crm_account_id": "a"}, {"crm_contact_id": "d"}):
        assert [one["id"] for one in await invoice.customers(**query)] == [before["id"]]


async def test_s28_gone_and_back_again_and_again(invoice: Any) -> None:
    before = await with_all_that_people_keep(invoice)
    gone = [invoice.deleted("account", "a", 2), *(invoice.deleted("contact", id_, 2) for id_ in "cd")]
    back = [invoice.account("a", 3), *(invoice.contact(id_, 3, at="a") for id_ in "cd")]

    for later in (0, 2, 4):
        await invoice.apply(*({**one, "version": one["version"] + later} for one in gone))
        assert await invoice.customers() == []
        await invoice.apply(*({**one, "version": one["version"] + later} for one in back))

    (after,) = await invoice.customers()
    assert (persons(after), after["notes"]) == (persons(before), "Pays late")
    assert after["version"] == before["version"] + 6


async def test_s28_a_restored_contact_is_the_same_person(invoice: Any) -> None:
    before = await with_all_that_people_keep(invoice)
    await invoice.apply(invoice.deleted("contact", "c", 2), invoice.deleted("contact", "d", 2))
    (customer,) = await invoice.customers()
    assert [person["last_name"] for person in customer["contact_persons"]] == ["By hand"]

    await invoice.apply(invoice.contact("c", 3, at="a"), invoice.contact("d", 3, at="a", phone="1"))

    (after,) = await invoice.customers()
    assert persons(after) == [
        person | ({"phone": "1"} if person["last_name"] == "Person d" else {}) for person in persons(before)
    ]


async def test_s25_a_contact_that_stood_alone_joined_an_account_and_stands_alone_again(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c"))
    (own,) = await invoice.customers(crm_contact_id="c")
    kept = {**KEPT, "contact_persons": [{"last_name": "By hand"}]}
    before = invoice.ok(await invoice.admin.patch(f"/v1/customers/{own['id']}", json=kept))
    await invoice.apply(invoice.contact("c", 2, at="a"))
    assert [one["customer_name"] for one in await invoice.customers()] == ["Company a"]

    await invoice.apply(invoice.contact("c", 3))

    (after,) = await invoice.customers(crm_contact_id="c")
    assert (after["id"], persons(after)) == (before["id"], persons(before))
    assert {name: after[name] for name in KEPT} == KEPT


async def test_s25_s28_contacts_told_of_before_their_account_went_come_back_with_the_account(invoice: Any) -> None:
    before = await with_all_that_people_keep(invoice)
    await invoice.apply(invoice.contact("c", 3, at="a"), invoice.contact("d", 3, at="a"))
    assert await invoice.outcomes(invoice.deleted("account", "a", 2)) == ["deleted"]

    assert await invoice.outcomes(invoice.account("a", 3)) == ["created"]

    (after,) = await invoice.customers()
    assert (after["id"], persons(after), after["notes"]) == (before["id"], persons(before), "Pays late")
    assert [link["record_id"] for link in after["crm_links"]] == ["a", "c", "d"]


async def test_s29_the_id_of_one_that_was_merged_leads_to_the_one_that_is_back(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"))
    kept, gone = [(await invoice.customers(crm_account_id=id_))[0]["id"] for id_ in "ab"]
    invoice.ok(await invoice.admin.post(f"/v1/customers/{gone}/merge", json={"into": kept}))
    await invoice.apply(invoice.deleted("account", "a", 2), invoice.deleted("account", "b", 2))
    assert (await invoice.admin.get(f"/v1/customers/{gone}")).status_code == 404

    assert await invoice.outcomes(invoice.account("b", 3, name="Back")) == ["created"]

    for id_ in (kept, gone):
        assert (await invoice.shown("customers", id_))["id"] == kept
    assert [one["customer_name"] for one in await invoice.customers()] == ["Back"]


async def test_one_that_was_deleted_by_hand_comes_back_as_another(invoice: Any) -> None:
    """It became inactive with its record and lost its document after; then someone deleted it."""
    before = await with_all_that_people_keep(invoice)
    estimate = await invoice.estimate(before["id"])
    await invoice.apply(
        invoice.deleted("contact", "c", 2), invoice.deleted("contact", "d", 2), invoice.deleted("account", "a", 2)
    )
    assert (await invoice.admin.delete(f"/v1/estimates/{estimate['id']}")).status_code == 204
    assert (await invoice.admin.delete(f"/v1/customers/{before['id']}")).status_code == 204

    await invoice.apply(invoice.account("a", 3), invoice.contact("c", 3, at="a"))

    (after,) = await invoice.customers()
    assert after["id"] != before["id"]
    assert (after["version"], after["notes"]) == (1, "")
    assert [(one["last_name"], one["email"]) for one in after["contact_persons"]] == [("Person c", "")]


async def test_s13_coming_back_takes_a_place_of_the_plan(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"))
    (before,) = await invoice.customers()
    await invoice.apply(invoice.deleted("account", "a", 2))
    await invoice.customer("By hand")
    invoice.made(await invoice.admin.post("/v1/plans", json={"name": "Starter", "customers": 1}))
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json={"plan": "Starter"})

    assert await invoice.outcomes(invoice.account("a", 3)) == ["failed"]
    await invoice.admin.patch("/v1/plans/Starter", json={"customers": 2})
    assert await invoice.outcomes(invoice.account("a", 3)) == ["created"]
    assert [one["id"] for one in await invoice.customers(crm_account_id="a")] == [before["id"]]


async def test_one_that_goes_and_comes_back_in_one_command(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"), *(invoice.contact(id_, at="b") for id_ in "cd"))
    kept, gone = [(await invoice.customers(crm_account_id=id_))[0]["id"] for id_ in "ab"]
    invoice.ok(await invoice.admin.post(f"/v1/customers/{gone}/merge", json={"into": kept}))
    by_hand = {"contact_persons": [{"last_name": "By hand"}]}
    before = invoice.ok(await invoice.admin.patch(f"/v1/customers/{kept}", json=by_hand))
    await invoice.apply(invoice.deleted("account", "b", 2))

    records = [invoice.deleted("account", "a", 2), invoice.account("b", 3), invoice.contact("c", at="b")]
    assert await invoice.outcomes(*records) == ["deleted", "created", "unchanged"]

    (after,) = await invoice.customers()
    assert (after["id"], persons(after)) == (kept, persons(before))
    assert await invoice.outcomes(invoice.contact("c", 2, at="b"), invoice.contact("d", 2, at="b")) == ["unchanged"] * 2
