"""Organizations, and that one's records cannot be reached from another."""

from typing import Any


async def test_the_first_start_makes_the_default_organization_and_later_ones_find_it(stack: Any) -> None:
    await stack.start("invoice", invoice_organization_name="Northwind", invoice_currency="EUR")
    await stack.stop("invoice")
    await stack.start("invoice", invoice_organization_name="Other")
    admin = await stack.person("invoice", "admin")

    (default,) = (await admin.get("/v1/organizations")).json()["items"]

    assert (default["name"], default["currency_code"], default["is_default"]) == ("Northwind", "EUR", True)
    assert default["number_prefixes"] == {"estimate": "EST-", "invoice": "INV-"}


async def test_an_administrator_sets_up_organizations(invoice: Any) -> None:
    body = {"name": "Southwind", "currency_code": "JPY", "address": {"city": "Osaka"}}
    created = invoice.made(await invoice.admin.post("/v1/organizations", json=body))
    path = f"/v1/organizations/{created['id']}"

    edited = await invoice.admin.patch(path, json={"number_prefixes": {"estimate": "Q-"}}, headers={"If-Match": '"1"'})

    assert edited.headers["etag"] == '"2"'
    assert invoice.ok(edited)["number_prefixes"] == {"estimate": "Q-", "invoice": "INV-"}
    assert invoice.ok(await invoice.admin.get(path))["address"]["city"] == "Osaka"
    late = await invoice.admin.patch(path, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    same = await invoice.admin.patch(path, json={"name": "Southwind"})
    assert invoice.ok(same)["version"] == 2


async def test_only_an_administrator_does(invoice: Any) -> None:
    member = await invoice.stack.person("invoice", "member")
    response = await member.post("/v1/organizations", json={"name": "Mine", "currency_code": "EUR"})
    assert invoice.refused(response) == (403, "role_too_low")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": " ", "currency_code": "EUR"}, "name"),
    ({"name": "Bank", "currency_code": "XXX"}, "currency_code"),
    ({"name": "Bank", "currency_code": "EUR", "number_prefixes": {"estimate": "2025"}}, "number_prefixes.estimate"),
    ({"name": "Bank", "currency_code": "EUR", "plan": "gold"}, "plan"),
]


async def test_a_field_that_is_wrong_is_named(invoice: Any) -> None:
    for body, field in WRONG:
        response = await invoice.admin.post("/v1/organizations", json=body)
        assert invoice.refused(response) == (422, "validation_error")
        assert response.json()["errors"][0]["field"] == field


async def test_an_organization_that_is_not_there_is_said_so(invoice: Any) -> None:
    for response in (
        await invoice.admin.get("/v1/customers", headers={"X-Organization-Id": "nowhere"}),
        await invoice.admin.post(
            "/v1/customers", json={"customer_name": "A"}, headers={"X-Organization-Id": "nowhere"}
        ),
        await invoice.admin.get("/v1/organizations/nowhere"),
    ):
        assert invoice.refused(response) == (404, "organization_not_found")


async def test_another_organization_s_records_cannot_be_reached(invoice: Any) -> None:
    other = invoice.made(await invoice.admin.post("/v1/organizations", json={"name": "Other", "currency_code": "EUR"}))
    customer = await invoice.customer("Ours")
    estimate = await invoice.estimate(customer["id"])
    record = {"record_type": "account", "record_id": "a-1", "version": 1, "customer": {"customer_name": "Imported"}}
    await invoice.apply(record)
    invoice.admin.headers["X-Organization-Id"] = other["id"]
    customer_path, estimate_path = f"/v1/customers/{customer['id']}", f"/v1/estimates/{estimate['id']}"

    for response in (
        await invoice.admin.get(customer_path),
        await invoice.admin.patch(customer_path, json={"notes": "mine"}),
        await invoice.admin.delete(customer_path),
    ):
        assert invoice.refused(response) == (404, "customer_not_found")
    for response in (
        await invoice.admin.get(estimate_path),
        await invoice.admin.get(f"{estimate_path}/pdf"),
        await invoice.admin.patch(estimate_path, json={"notes": "mine"}),
        await invoice.admin.post(f"{estimate_path}/status/accepted"),
        await invoice.admin.delete(estimate_path),
    ):
        assert invoice.refused(response) == (404, "estimate_not_found")
    line = {"name": "Line", "rate": "1"}
    for body, refusal in (
        ({"customer_id": customer["id"]}, (422, "customer_not_found")),
        ({"crm_account_id": "a-1"}, (409, "crm_record_not_imported")),
    ):
        response = await invoice.admin.post("/v1/estimates", json={**body, "line_items": [line]})
        assert invoice.refused(response) == refusal
    assert await invoice.customers() == []
    assert invoice.ok(await invoice.admin.get("/v1/estimates"))["items"] == []


async def test_two_organizations_import_the_same_record_and_number_their_estimates_apart(invoice: Any) -> None:
    other = invoice.made(await invoice.admin.post("/v1/organizations", json={"name": "Other", "currency_code": "EUR"}))
    record = {"record_type": "account", "record_id": "a-1", "version": 1, "customer": {"customer_name": "Imported"}}
    numbers = []

    for headers in ({}, {"X-Organization-Id": other["id"]}):
        invoice.sync.headers.update(headers)
        invoice.admin.headers.update(headers)
        assert await invoice.outcomes(record) == ["created"]
        estimate = await invoice.estimate(crm_account_id="a-1")
        numbers.append((estimate["estimate_number"], estimate["currency_code"]))

    assert numbers == [("EST-000001", "USD"), ("EST-000001", "EUR")]
