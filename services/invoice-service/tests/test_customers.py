"""Customers that people keep in Invoice."""

from typing import Any

ADDRESS = {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209", "country": "Germany"}


async def test_a_customer_made_by_hand_is_shown_as_it_was_entered(invoice: Any) -> None:
    body = {
        "customer_name": " Alfreds Futterkiste ",
        "phone": "030-0074321",
        "billing_address": ADDRESS,
        "currency_code": "EUR",
        "payment_terms": 30,
        "notes": "Pays late",
        "contact_persons": [{"first_name": "Maria", "last_name": "Anders", "email": "maria@alfreds.test"}],
    }
    response = await invoice.admin.post("/v1/customers", json=body)
    created = invoice.made(response)

    shown = await invoice.admin.get(response.headers["location"])

    assert invoice.ok(shown) == created
    assert shown.headers["etag"] == '"1"'
    assert created["customer_name"] == "Alfreds Futterkiste"
    assert created["billing_address"] == {"attention": "", "street2": "", "state": "", **ADDRESS}
    assert (created["status"], created["source"], created["has_transactions"]) == ("active", "manual", False)
    assert (created["crm_links"], created["payment_terms"], created["currency_code"]) == ([], 30, "EUR")
    (person,) = created["contact_persons"]
    assert (person["first_name"], person["is_primary"], person["source"]) == ("Maria", True, "manual")
    assert (await invoice.customer("Bólido"))["currency_code"] == "USD"


async def test_an_edit_changes_only_what_was_sent(invoice: Any) -> None:
    customer = await invoice.customer(phone="1", notes="Pays late", billing_address=ADDRESS)
    path = f"/v1/customers/{customer['id']}"

    edited = invoice.ok(await invoice.admin.patch(path, json={"phone": "2"}))
    again = invoice.ok(await invoice.admin.patch(path, json={"phone": "2"}))

    assert edited == {**customer, "phone": "2", "version": 2}
    assert again == edited
    late = await invoice.admin.patch(path, json={"phone": "3"}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    assert [(verb, data.version) for verb, data, _ in await invoice.told("customer")] == [
        ("created", 1),
        ("updated", 2),
    ]


async def test_the_persons_sent_take_the_place_of_those_before(invoice: Any) -> None:
    customer = await invoice.customer(contact_persons=[{"last_name": "Anders"}, {"last_name": "Berg"}])
    path = f"/v1/customers/{customer['id']}"
    anders, berg = customer["contact_persons"]

    sent = [{"id": berg["id"], "phone": "1"}, {"last_name": "Christ", "is_primary": True}]
    edited = invoice.ok(await invoice.admin.patch(path, json={"contact_persons": sent}))

    shown = [(one["last_name"], one["phone"], one["is_primary"]) for one in edited["contact_persons"]]
    assert shown == [("Berg", "1", False), ("Christ", "", True)]
    assert edited["contact_persons"][0]["id"] == berg["id"]
    same = [{"id": one["id"], "is_primary": one["is_primary"]} for one in edited["contact_persons"]]
    assert invoice.ok(await invoice.admin.patch(path, json={"contact_persons": same}))["version"] == edited["version"]
    stranger = await invoice.admin.patch(path, json={"contact_persons": [{"id": anders["id"]}]})
    assert invoice.refused(stranger) == (422, "validation_error")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "customer_name"),
    ({"customer_name": "x" * 256}, "customer_name"),
    ({"customer_name": "A\x00B"}, "customer_name"),
    ({"customer_name": "A", "currency_code": "usd"}, "currency_code"),
    ({"customer_name": "A", "billing_address": {"planet": "Mars"}}, "billing_address.planet"),
    ({"customer_name": "A", "payment_terms": -1}, "payment_terms"),
    ({"customer_name": "A", "contact_persons": [{"phone": "1"}]}, "contact_persons.0"),
    ({"customer_name": "A", "contact_persons": [{"last_name": "B", "is_primary": True}] * 2}, "contact_persons"),
    ({"customer_name": "A", "contact_persons": [{"id": "x"}]}, "contact_persons.0.id"),
]


async def test_a_field_that_is_wrong_is_named_and_nothing_is_created(invoice: Any) -> None:
    for body, field in WRONG:
        response = await invoice.admin.post("/v1/customers", json=body)
        assert invoice.refused(response) == (422, "validation_error")
        assert response.json()["errors"][0]["field"] == field
    assert await invoice.customers() == []


async def test_a_post_repeated_with_its_key_creates_one_customer(invoice: Any) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await invoice.admin.post("/v1/customers", json={"customer_name": "Once"}, headers=headers)
    second = await invoice.admin.post("/v1/customers", json={"customer_name": "Once"}, headers=headers)

    assert first.content == second.content
    assert len(await invoice.customers()) == 1
    other = await invoice.admin.post("/v1/customers", json={"customer_name": "Other"}, headers=headers)
    assert invoice.refused(other) == (409, "idempotency_key_reused")


async def test_a_customer_without_transactions_can_be_deleted_and_one_with_cannot(invoice: Any) -> None:
    plain = await invoice.customer("Plain", contact_persons=[{"last_name": "Anders"}])
    busy = await invoice.customer("Busy")
    estimate = await invoice.estimate(busy["id"])

    assert (await invoice.admin.delete(f"/v1/customers/{plain['id']}")).status_code == 204
    refused = await invoice.admin.delete(f"/v1/customers/{busy['id']}")

    assert invoice.refused(await invoice.admin.get(f"/v1/customers/{plain['id']}")) == (404, "customer_not_found")
    assert invoice.refused(refused) == (409, "customer_has_transactions")
    verb, last, _ = (await invoice.told("customer"))[-1]
    assert (verb, last.customer_name, last.version, last.deleted) == ("deleted", "Plain", 2, True)
    (shown,) = await invoice.customers()
    assert shown["has_transactions"] is True
    await invoice.admin.delete(f"/v1/estimates/{estimate['id']}")
    assert (await invoice.admin.delete(f"/v1/customers/{busy['id']}")).status_code == 204


async def test_customers_are_listed_newest_first_in_pages(invoice: Any) -> None:
    for number in range(5):
        await invoice.customer(f"Customer {number}")
    names, cursor = [], None

    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = invoice.ok(await invoice.admin.get("/v1/customers", params=query))
        names += [customer["customer_name"] for customer in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert names == [f"Customer {number}" for number in (4, 3, 2, 1, 0)]


async def test_customers_are_found_by_the_beginnings_of_words(invoice: Any) -> None:
    await invoice.customer("Alfreds Futterkiste", contact_persons=[{"first_name": "Maria", "last_name": "Anders"}])
    renamed = await invoice.customer("Bólido Comidas preparadas")
    await invoice.admin.patch(f"/v1/customers/{renamed['id']}", json={"customer_name": "Blauer See"})

    async def found(q: str) -> list[str]:
        return [customer["customer_name"] for customer in await invoice.customers(q=q)]

    assert await found("fut ALF") == ["Alfreds Futterkiste"]
    assert await found("mar and") == ["Alfreds Futterkiste"]
    assert await found("bolido") == []
    assert await found("blau") == ["Blauer See"]


async def test_a_list_is_read_in_the_same_few_statements_whatever_its_length(invoice: Any) -> None:
    counts = []
    for number in range(2):
        for count in range(10 * number + 1):
            await invoice.customer(f"Customer {count}", contact_persons=[{"last_name": "Anders"}])
        with invoice.statements() as sent:
            await invoice.customers()
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 5


async def test_an_inactive_customer_gets_no_new_documents_until_it_is_active_again(invoice: Any) -> None:
    customer = await invoice.customer()
    path = f"/v1/customers/{customer['id']}"

    late = await invoice.admin.post(f"{path}/inactive", headers={"If-Match": '"7"'})
    assert invoice.refused(late) == (412, "version_conflict")
    inactive = invoice.ok(await invoice.admin.post(f"{path}/inactive", headers={"If-Match": '"1"'}))
    again = invoice.ok(await invoice.admin.post(f"{path}/inactive"))

    assert inactive == again == {**customer, "status": "inactive", "version": 2}
    assert [one["id"] for one in await invoice.customers(status="inactive")] == [customer["id"]]
    line = {"name": "Order 10248", "rate": "1"}
    for kind in ("estimates", "invoices"):
        refused = await invoice.admin.post(f"/v1/{kind}", json={"customer_id": customer["id"], "line_items": [line]})
        assert invoice.refused(refused) == (409, "customer_inactive")
    assert invoice.ok(await invoice.admin.post(f"{path}/active")) == {**customer, "version": 3}
    await invoice.estimate(customer["id"])
    told = [(verb, data.status) for verb, data, _ in await invoice.told("customer")]
    assert told == [("created", "active"), ("updated", "inactive"), ("updated", "active")]
    nobody = await invoice.admin.post("/v1/customers/nobody/inactive")
    assert invoice.refused(nobody) == (404, "customer_not_found")


async def test_s28_allowed_actions_say_what_the_routes_do(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"))
    (imported,) = await invoice.customers()
    busy, plain, other = [await invoice.customer(name) for name in ("Busy", "Plain", "Other")]
    await invoice.estimate(busy["id"])

    for one, code in ((imported, "customer_is_imported"), (busy, "customer_has_transactions"), (plain, None)):
        path = f"/v1/customers/{one['id']}"
        actions = {
            action["action"]: action for action in (await invoice.shown("customers", one["id"]))["allowed_actions"]
        }
        assert list(actions) == ["edit", "delete", "active", "inactive", "merge"]
        assert [name for name, action in actions.items() if not action["allowed"]] == (
            [] if code is None else ["delete"]
        )
        assert (await invoice.admin.patch(path, json={"notes": "A"})).status_code == 200
        for name, body in (("inactive", None), ("active", None), ("merge?dry_run=true", {"into": other["id"]})):
            assert (await invoice.admin.post(f"{path}/{name}", json=body)).status_code == 200
        deleted = await invoice.admin.delete(path)
        if code is None:
            assert deleted.status_code == 204
        else:
            assert invoice.refused(deleted) == (409, code)
            assert actions["delete"]["reason"] == deleted.json()["detail"]
    viewer = await invoice.stack.person("invoice", "viewer")
    seen = invoice.ok(await viewer.get(f"/v1/customers/{other['id']}"))["allowed_actions"]
    assert [action["allowed"] for action in seen] == [False] * 5


async def test_a_viewer_reads_and_does_not_write(invoice: Any) -> None:
    viewer = await invoice.stack.person("invoice", "viewer")
    customer = await invoice.customer()

    assert (await viewer.get(f"/v1/customers/{customer['id']}")).status_code == 200
    for response in (
        await viewer.post("/v1/customers", json={"customer_name": "A"}),
        await viewer.patch(f"/v1/customers/{customer['id']}", json={"notes": "A"}),
        await viewer.delete(f"/v1/customers/{customer['id']}"),
        await viewer.post(f"/v1/customers/{customer['id']}/inactive"),
        await viewer.post(f"/v1/customers/{customer['id']}/active"),
    ):
        assert invoice.refused(response) == (403, "role_too_low")


async def test_the_currency_of_a_customer_with_documents_stays(invoice: Any) -> None:
    customer = await invoice.customer(currency_code="EUR")
    path = f"/v1/customers/{customer['id']}"
    free = invoice.ok(await invoice.admin.patch(path, json={"currency_code": "USD"}))
    await invoice.estimate(customer["id"])

    refused = await invoice.admin.patch(path, json={"currency_code": "EUR", "notes": "New"})
    same = invoice.ok(await invoice.admin.patch(path, json={"currency_code": "USD", "notes": "New"}))

    assert free["currency_code"] == "USD"
    assert invoice.refused(refused) == (409, "customer_currency_in_use")
    assert (same["currency_code"], same["notes"]) == ("USD", "New")
