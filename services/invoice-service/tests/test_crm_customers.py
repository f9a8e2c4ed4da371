"""``PUT /v1/crm/customers``: what sync sends becomes customers (S22–S28)."""

import asyncio
from typing import Any

Json = dict[str, Any]


def shown(customers: list[Json]) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (one["customer_name"], one["status"], [person["last_name"] for person in one["contact_persons"]])
        for one in customers
    )


async def test_s22_s23_s24_the_three_cases(invoice: Any) -> None:
    with_contacts = invoice.account("a", phone="1", billing_address={"city": "Berlin"})
    results = await invoice.apply(
        invoice.contact("d", at="a"),
        with_contacts,
        invoice.contact("c", at="a"),
        invoice.account("b"),
        invoice.contact("e"),
    )

    assert [result["outcome"] for result in results] == ["created"] * 5
    customers = await invoice.customers()
    assert shown(customers) == [
        ("Company a", "active", ["Person c", "Person d"]),
        ("Company b", "active", []),
        ("Person e", "active", ["Person e"]),
    ]
    (first,) = [customer for customer in customers if customer["customer_name"] == "Company a"]
    assert (first["source"], first["phone"], first["billing_address"]["city"]) == ("crm", "1", "Berlin")
    persons = [one["id"] for one in first["contact_persons"]]
    links = [
        (one["record_type"], one["record_id"], one["version"], one["contact_person_id"]) for one in first["crm_links"]
    ]
    assert links == [("account", "a", 1, None), ("contact", "c", 1, persons[0]), ("contact", "d", 1, persons[1])]
    assert [(one["is_primary"], one["source"]) for one in first["contact_persons"]] == [(True, "crm"), (False, "crm")]
    assert {result["customer_id"] for result in results[:3]} == {first["id"]}


async def test_s22_the_oldest_contact_is_primary_whatever_came_first_unless_someone_chose(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("d", at="a"))
    await invoice.apply(invoice.contact("c", at="a"))
    (customer,) = await invoice.customers()

    def primary(customer: Json) -> list[str]:
        return [one["last_name"] for one in customer["contact_persons"] if one["is_primary"]]

    assert primary(customer) == ["Person c"]
    chosen = [{"id": customer["contact_persons"][1]["id"], "is_primary": True}]
    await invoice.admin.patch(f"/v1/customers/{customer['id']}", json={"contact_persons": chosen})
    await invoice.apply(invoice.contact("b", at="a"))
    assert primary((await invoice.customers())[0]) == ["Person d"]
    await invoice.apply(invoice.deleted("contact", "d", 2))
    assert primary((await invoice.customers())[0]) == ["Person b"]


async def test_s27_an_update_overwrites_the_imported_fields_alone(invoice: Any) -> None:
    await invoice.apply(invoice.account("a", phone="1"), invoice.contact("c", at="a", phone="1"))
    (customer,) = await invoice.customers()
    path, person = f"/v1/customers/{customer['id']}", customer["contact_persons"][0]
    persons = [{"id": person["id"], "phone": "2", "email": "c@a.test"}, {"last_name": "By hand"}]
    kept = {"notes": "Pays late", "currency_code": "EUR", "payment_terms": 14}
    await invoice.admin.patch(path, json={**kept, "phone": "2", "contact_persons": persons})

    outcomes = await invoice.outcomes(
        invoice.account("a", 2, name="Renamed", phone="3"), invoice.contact("c", 2, at="a", phone="3")
    )

    assert outcomes == ["updated", "updated"]
    now = invoice.ok(await invoice.admin.get(path))
    assert (now["customer_name"], now["phone"]) == ("Renamed", "3")
    assert {name: now[name] for name in kept} == kept
    people = [(one["last_name"], one["phone"], one["email"]) for one in now["contact_persons"]]
    assert people == [("Person c", "3", "c@a.test"), ("By hand", "", "")]
    assert now["version"] == 3


async def test_s27_a_person_from_the_crm_is_not_removed_here(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"))
    (customer,) = await invoice.customers()

    path = f"/v1/customers/{customer['id']}"
    edited = invoice.ok(await invoice.admin.patch(path, json={"contact_persons": [{"last_name": "By hand"}]}))

    assert [one["last_name"] for one in edited["contact_persons"]] == ["Person c", "By hand"]


async def test_applying_the_same_again_changes_nothing_and_tells_nothing(invoice: Any) -> None:
    records = [invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("e")]
    await invoice.apply(*records)
    before, told = await invoice.customers(), await invoice.told("customer")

    assert await invoice.outcomes(*records) == ["unchanged"] * 3
    assert await invoice.outcomes(*({**one, "version": 2} for one in records)) == ["unchanged"] * 3

    after = await invoice.customers()
    assert [customer["version"] for customer in after] == [customer["version"] for customer in before]
    assert {link["version"] for customer in after for link in customer["crm_links"]} == {2}
    assert await invoice.told("customer") == told


async def test_s25_the_case_changes_and_the_customers_follow(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"), invoice.contact("c", at="a"), invoice.contact("e"))
    (own,) = [one for one in await invoice.customers() if one["customer_name"] == "Person e"]
    await invoice.estimate(own["id"])

    assert await invoice.outcomes(invoice.contact("c", 2, at="b"), invoice.contact("e", 2, at="b")) == [
        "updated",
        "updated",
    ]
    assert shown(await invoice.customers()) == [
        ("Company a", "active", []),
        ("Company b", "active", ["Person c", "Person e"]),
        ("Person e", "inactive", []),
    ]
    assert await invoice.outcomes(invoice.contact("c", 3), invoice.contact("e", 3)) == ["updated", "updated"]
    assert shown(await invoice.customers()) == [
        ("Company a", "active", []),
        ("Company b", "active", []),
        ("Person c", "active", ["Person c"]),
        ("Person e", "active", ["Person e"]),
    ]
    (again,) = [one for one in await invoice.customers() if one["customer_name"] == "Person e"]
    assert again["id"] == own["id"]


async def test_s25_an_account_is_deleted_before_its_contacts_are_heard_of(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("d", at="a"))

    assert await invoice.outcomes(invoice.deleted("account", "a", 2)) == ["deleted"]
    assert await invoice.customers() == []
    assert await invoice.outcomes(invoice.contact("c", 2), invoice.contact("d", 2)) == ["updated", "updated"]

    assert shown(await invoice.customers()) == [
        ("Person c", "active", ["Person c"]),
        ("Person d", "active", ["Person d"]),
    ]
    assert await invoice.outcomes(invoice.account("a", 1), invoice.account("a", 3)) == ["unchanged", "created"]


async def test_s28_an_imported_customer_is_not_deleted_in_invoice(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"))
    (customer,) = await invoice.customers()

    response = await invoice.admin.delete(f"/v1/customers/{customer['id']}")

    assert invoice.refused(response) == (409, "customer_is_imported")
    assert "merge" in response.json()["detail"]


async def test_s28_deleted_in_the_crm_it_goes_or_with_transactions_becomes_inactive(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"), invoice.contact("e"))
    ids = {one["customer_name"]: one["id"] for one in await invoice.customers()}
    await invoice.estimate(ids["Company b"])
    await invoice.estimate(ids["Person e"])

    outcomes = await invoice.outcomes(
        invoice.deleted("account", "a", 2), invoice.deleted("account", "b", 2), invoice.deleted("contact", "e", 2)
    )

    assert outcomes == ["deleted", "made_inactive", "made_inactive"]
    assert shown(await invoice.customers()) == [("Company b", "inactive", []), ("Person e", "inactive", [])]
    response = await invoice.admin.delete(f"/v1/customers/{ids['Company b']}")
    assert invoice.refused(response) == (409, "customer_has_transactions")
    assert await invoice.outcomes(invoice.account("b", 3), invoice.contact("e", 3), invoice.account("a", 3)) == [
        "updated",
        "updated",
        "created",
    ]
    assert {one["customer_name"]: one["id"] for one in await invoice.customers(status="active")} == ids


async def test_each_changed_customer_is_told_of_once_with_the_record_s_correlation_id(invoice: Any) -> None:
    await invoice.apply(
        invoice.account("a") | {"correlation_id": "first"}, invoice.account("b") | {"correlation_id": "second"}
    )
    await invoice.apply(
        invoice.account("a", 2, name="Renamed") | {"correlation_id": "third"},
        invoice.contact("c", at="a") | {"correlation_id": "fourth"},
        invoice.deleted("account", "b", 2) | {"correlation_id": "fifth"},
    )

    told = [(verb, data.customer_name, data.version, why) for verb, data, why in await invoice.told("customer")]
    assert told == [
        ("created", "Company a", 1, "first"),
        ("created", "Company b", 1, "second"),
        ("updated", "Renamed", 2, "fourth"),
        ("deleted", "Company b", 2, "fifth"),
    ]
    renamed = (await invoice.told("customer"))[2][1]
    assert [person.last_name for person in renamed.contact_persons] == ["Person c"]
    assert [(link.record_id, link.version) for link in renamed.crm_links] == [("a", 2), ("c", 1)]


async def test_a_record_that_does_not_fit_fails_by_itself(invoice: Any) -> None:
    results = await invoice.apply(
        invoice.account("a", name="x" * 256),
        invoice.account("b") | {"customer": None},
        invoice.account("c", billing_address={"city": ["Berlin"]}),
        invoice.contact("d") | {"contact_person": {"last_name": "A\x00B"}},
        invoice.account("e"),
    )

    assert [result["outcome"] for result in results] == ["failed"] * 4 + ["created"]
    assert [result["reason"].partition(":")[0] for result in results[:4]] == [
        "customer.customer_name",
        "customer",
        "customer.billing_address.city",
        "contact_person.last_name",
    ]
    assert [one["customer_name"] for one in await invoice.customers()] == ["Company e"]


async def test_a_command_has_one_to_a_thousand_records(invoice: Any) -> None:
    for count in (0, 1001):
        records = [invoice.account(f"a{number}") for number in range(count)]
        response = await invoice.sync.put("/v1/crm/customers", json={"records": records})
        assert invoice.refused(response) == (422, "validation_error")


async def test_only_services_may_send_it(invoice: Any) -> None:
    response = await invoice.admin.put("/v1/crm/customers", json={"records": [invoice.account("a")]})
    assert invoice.refused(response) == (403, "services_only")


async def test_a_command_takes_the_same_few_statements_whatever_its_length(invoice: Any) -> None:
    await invoice.apply(invoice.account("first"))  # what the service does at its start is over then
    counts = []
    for prefix, size in (("a", 10), ("b", 150)):
        ids = [f"{prefix}{number}" for number in range(size)]
        for records in (
            [*(invoice.account(id_) for id_ in ids), *(invoice.contact(id_, at=id_) for id_ in ids)],
            [*(invoice.account(id_, 2, name="Renamed") for id_ in ids), *(invoice.contact(id_, 2) for id_ in ids)],
            [
                *(invoice.deleted("account", id_, 3) for id_ in ids),
                *(invoice.deleted("contact", id_, 3) for id_ in ids),
            ],
        ):
            with invoice.statements() as sent:
                results = await invoice.apply(*records)
            assert len(results) == 2 * size
            counts.append(len(sent))
    assert counts[:3] == counts[3:]
    assert max(counts) <= 25


async def test_commands_at_once_do_not_double_a_customer(invoice: Any) -> None:
    commands = [[invoice.account(f"a{number}", version) for number in range(20)] for version in (1, 2, 3, 1)]

    await asyncio.gather(*(invoice.apply(*records) for records in commands))

    customers = await invoice.customers(limit=200)
    assert len(customers) == 20
    assert {link["version"] for customer in customers for link in customer["crm_links"]} == {3}


async def test_imported_customers_are_found_by_their_record_and_by_name(invoice: Any) -> None:
    await invoice.apply(
        invoice.account("a", name="Alfreds Futterkiste"), invoice.contact("c", at="a"), invoice.account("b")
    )

    for query in ({"crm_account_id": "a"}, {"crm_contact_id": "c"}, {"q": "futt"}, {"q": "person c"}):
        assert [one["customer_name"] for one in await invoice.customers(**query)] == ["Alfreds Futterkiste"]
    assert await invoice.customers(crm_account_id="c") == []
    await invoice.apply(invoice.account("a", 2, name="Blauer See"))
    assert await invoice.customers(q="futt") == []
