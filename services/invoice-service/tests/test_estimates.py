"""Estimates: made, edited, decided, listed and printed."""

import asyncio
import datetime
from typing import Any

from invoice_service.estimates.schemas import EstimateOut, EstimateSummary
from invoice_service.line_items import MAX_LINE_ITEMS

TODAY = datetime.datetime.now(datetime.UTC).date()
YESTERDAY = TODAY - datetime.timedelta(days=1)
DETAILS = EstimateOut.model_fields.keys() - EstimateSummary.model_fields.keys()
"""What lists leave out."""
LINE = {"name": "Line", "rate": "1"}


async def test_an_estimate_has_number_totals_and_the_customer_as_on_the_day(invoice: Any) -> None:
    person = {"salutation": "Ms.", "first_name": "Maria", "last_name": "Anders"}
    customer = await invoice.customer(currency_code="EUR", billing_address={"city": "Berlin"}, contact_persons=[person])
    lines = [
        {"name": "Chai", "quantity": "2", "rate": "19.90", "discount_percentage": "10", "tax_percentage": "19"},
        {"name": "Chang", "quantity": 0.5, "rate": 4, "description": "Dark\nbeer"},
    ]
    body = {
        "customer_id": customer["id"],
        "contact_person_id": customer["contact_persons"][0]["id"],
        "expiry_date": str(TODAY + datetime.timedelta(days=30)),
        "reference_number": "PO 7",
        "line_items": lines,
        "notes": "Thank you",
        "terms": "30 days",
    }
    response = await invoice.admin.post("/v1/estimates", json=body)
    created = invoice.made(response)
    await invoice.admin.patch(f"/v1/customers/{customer['id']}", json={"customer_name": "Renamed"})

    shown = await invoice.admin.get(response.headers["location"])

    assert invoice.ok(shown) == created
    assert shown.headers["etag"] == '"1"'
    EstimateOut.model_validate(created, extra="forbid")
    assert (created["estimate_number"], created["status"], created["origin"]) == ("EST-000001", "draft", "manual")
    assert (created["customer_name"], created["billing_address"]["city"]) == ("Alfreds Futterkiste", "Berlin")
    assert (created["contact_person_name"], created["date"]) == ("Ms. Maria Anders", str(TODAY))
    assert created["currency_code"] == "EUR"
    # 2 × 19.90 = 39.80, less 10 % = 35.82, 19 % of it = 6.81; 0.5 × 4 = 2.00.
    amounts = [created[name] for name in ("sub_total", "discount_total", "tax_total", "total")]
    assert amounts == ["41.80", "3.98", "6.81", "44.63"]
    assert [(line["quantity"], line["rate"], line["item_total"]) for line in created["line_items"]] == [
        ("2", "19.90", "35.82"),
        ("0.5", "4.00", "2.00"),
    ]
    assert [(one["who"], one["what"]) for one in created["history"]] == [("admin@invoice.test", "created")]
    ((verb, data, _),) = await invoice.told("estimate")
    assert (verb, data.version, data.estimate_number, str(data.total)) == ("created", 1, "EST-000001", "44.63")
    assert [line.name for line in data.line_items] == ["Chai", "Chang"]


async def test_a_field_that_is_wrong_is_named_and_nothing_is_created(invoice: Any) -> None:
    customer = await invoice.customer()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"line_items": []}, "line_items"),
        ({"line_items": [LINE] * (MAX_LINE_ITEMS + 1)}, "line_items"),
        ({"line_items": [LINE, {**LINE, "rate": "NaN"}]}, "line_items.1.rate"),
        ({"line_items": [LINE, {**LINE, "rate": "-1"}]}, "line_items.1.rate"),
        ({"line_items": [{**LINE, "quantity": "1e12"}]}, "line_items.0.quantity"),
        ({"line_items": [{**LINE, "tax_percentage": 101}]}, "line_items.0.tax_percentage"),
        ({"line_items": [{**LINE, "name": ""}]}, "line_items.0.name"),
        ({"line_items": [{**LINE, "item_id": "i"}]}, "line_items.0.item_id"),
        ({"line_items": [{"name": "Line", "quantity": "999999999", "rate": "999999999"}]}, "line_items"),
        ({"currency_code": "EURO"}, "currency_code"),
        ({"date": str(TODAY), "expiry_date": str(YESTERDAY)}, "expiry_date"),
        ({"contact_person_id": "nobody"}, "contact_person_id"),
        ({"customer_id": "nobody"}, "customer_id"),
        ({"crm_account_id": "a"}, "body"),
        ({"customer_id": None}, "body"),
        ({"crm_potential_version": 1}, "crm_potential_version"),
        ({"total": "1"}, "total"),
    ]

    for fields, field in wrong:
        body = {"customer_id": customer["id"], "line_items": [LINE], **fields}
        response = await invoice.admin.post("/v1/estimates", json=body)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field), response.text
    assert invoice.ok(await invoice.admin.get("/v1/estimates"))["items"] == []
    assert (await invoice.customers())[0]["has_transactions"] is False


async def test_s18_an_estimate_for_a_crm_record_goes_to_its_customer(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("e"))
    people = {one["customer_name"]: one for one in await invoice.customers()}
    company, alone = people["Company a"], people["Person e"]

    both = await invoice.estimate(crm_account_id="a", crm_contact_id="c")
    by_contact = await invoice.estimate(crm_contact_id="c")
    standing_alone = await invoice.estimate(crm_contact_id="e")
    stranger = await invoice.estimate(crm_account_id="a", crm_contact_id="e")

    person_id = company["contact_persons"][0]["id"]
    assert [(one["customer_id"], one["contact_person_id"]) for one in (both, by_contact, stranger)] == [
        (company["id"], person_id),
        (company["id"], person_id),
        (company["id"], None),
    ]
    assert standing_alone["customer_id"] == alone["id"]
    links = [
        [(link.record_type, link.record_id) for link in data.crm_links] for _, data, _ in await invoice.told("estimate")
    ]
    assert links == [
        [("account", "a"), ("contact", "c")],
        [("account", "a"), ("contact", "c")],
        [("contact", "e")],
        [("account", "a")],
    ]


async def test_s6_a_record_that_is_not_imported_or_not_active_is_said_so(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.account("b"), invoice.contact("c"))
    await invoice.estimate(crm_account_id="a")
    await invoice.apply(invoice.deleted("account", "a", 2), invoice.deleted("account", "b", 2))
    inactive = (await invoice.customers(status="inactive"))[0]["id"]

    for who, code in (
        ({"crm_account_id": "a", "crm_contact_id": "on-its-way"}, "crm_record_not_imported"),
        ({"crm_account_id": "unknown"}, "crm_record_not_imported"),
        ({"crm_account_id": "unknown", "crm_contact_id": "c"}, "crm_record_not_imported"),
        ({"crm_account_id": "b"}, "crm_record_not_imported"),
        ({"crm_account_id": "a"}, "crm_record_not_imported"),
        ({"customer_id": inactive}, "customer_inactive"),
    ):
        response = await invoice.admin.post("/v1/estimates", json={**who, "line_items": [LINE]})
        assert invoice.refused(response) == (409, code)


async def test_an_edit_changes_what_was_sent_and_tells_of_it_once(invoice: Any) -> None:
    customer = await invoice.customer()
    estimate = await invoice.estimate(customer["id"], notes="Old")
    path = f"/v1/estimates/{estimate['id']}"
    changes = {"notes": "New", "line_items": [{"name": "Other", "rate": "5"}]}

    edited = invoice.ok(await invoice.admin.patch(path, json=changes, headers={"If-Match": '"1"'}))
    same = invoice.ok(await invoice.admin.patch(path, json=changes))

    assert same == edited
    assert (edited["version"], edited["total"], edited["notes"]) == (2, "5.00", "New")
    assert [line["name"] for line in edited["line_items"]] == ["Other"]
    assert [one["what"] for one in edited["history"]] == ["created", "edited: notes, line_items"]
    assert [(verb, data.version) for verb, data, _ in await invoice.told("estimate")] == [
        ("created", 1),
        ("updated", 2),
    ]
    late = await invoice.admin.patch(path, json={"notes": "Late"}, headers={"If-Match": '"1"'})
    assert invoice.refused(late) == (412, "version_conflict")
    yen = invoice.ok(await invoice.admin.patch(path, json={"currency_code": "JPY"}))
    assert (yen["total"], yen["version"], yen["history"][-1]["what"]) == ("5", 3, "edited: currency_code")
    lines = [{"name": "Other", "rate": "6"}]
    dearer = invoice.ok(await invoice.admin.patch(path, json={"line_items": lines}))
    assert (dearer["total"], dearer["version"], dearer["history"][-1]["what"]) == ("6", 4, "edited: line_items")


async def test_an_edit_of_something_else_keeps_the_contact_person(invoice: Any) -> None:
    customer = await invoice.customer(contact_persons=[{"last_name": "Anders"}])
    person_id = customer["contact_persons"][0]["id"]
    estimate = await invoice.estimate(customer["id"], contact_person_id=person_id)
    path = f"/v1/estimates/{estimate['id']}"

    kept = invoice.ok(await invoice.admin.patch(path, json={"notes": "New"}))
    removed = invoice.ok(await invoice.admin.patch(path, json={"contact_person_id": None}))

    assert (kept["contact_person_id"], kept["contact_person_name"]) == (person_id, "Anders")
    assert (removed["contact_person_id"], removed["contact_person_name"]) == (None, "")


async def test_an_estimate_that_became_an_invoice_is_not_changed_any_more(invoice: Any) -> None:
    customer = await invoice.customer()
    estimate = await invoice.estimate(customer["id"])
    path = f"/v1/estimates/{estimate['id']}"
    invoice.made(await invoice.admin.post(f"{path}/convert"))

    for response in (
        await invoice.admin.patch(path, json={"notes": "New"}),
        await invoice.admin.post(f"{path}/status/declined"),
    ):
        assert invoice.refused(response) == (409, "estimate_already_invoiced")
    assert invoice.refused(await invoice.admin.delete(path)) == (409, "estimate_not_deletable")
    assert not any(action["allowed"] for action in invoice.ok(await invoice.admin.get(path))["allowed_actions"])


async def test_an_accepted_draft_was_sent_first_and_again_changes_nothing(invoice: Any) -> None:
    customer = await invoice.customer()
    estimate = await invoice.estimate(customer["id"])

    accepted = await invoice.mark(estimate["id"], "accepted")
    again = await invoice.mark(estimate["id"], "accepted")

    assert again == accepted
    assert (accepted["status"], accepted["version"]) == ("accepted", 2)
    assert [one["what"] for one in accepted["history"]] == ["created", "sent", "accepted"]
    told = [(verb, data.status, data.version) for verb, data, _ in await invoice.told("estimate")]
    assert told == [("created", "draft", 1), ("status_changed", "accepted", 2)]
    refused = await invoice.admin.post(f"/v1/estimates/{estimate['id']}/status/sent")
    assert invoice.refused(refused) == (409, "estimate_transition_refused")
    unknown = await invoice.admin.post(f"/v1/estimates/{estimate['id']}/status/invoiced")
    assert invoice.refused(unknown) == (422, "validation_error")


async def test_s19_the_workflow_s_commands_may_arrive_late_and_twice(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"))
    body = {
        "crm_account_id": "a",
        "crm_potential_id": "p",
        "crm_potential_version": 2,
        "line_items": [LINE],
    }
    headers = {"Idempotency-Key": "potential p"}
    created = invoice.made(await invoice.workflow.post("/v1/estimates", json=body, headers=headers))
    again = invoice.made(await invoice.workflow.post("/v1/estimates", json=body, headers=headers))
    path = f"/v1/estimates/{created['id']}"

    async def mark(status: str, version: int) -> Any:
        return await invoice.workflow.post(f"{path}/status/{status}", json={"crm_potential_version": version})

    assert again == created
    assert (created["origin"], created["crm_potential_id"]) == ("workflow", "p")
    assert invoice.ok(await mark("accepted", 4))["status"] == "accepted"
    assert invoice.refused(await mark("declined", 3)) == (409, "stale_potential_version")
    assert invoice.ok(await mark("accepted", 4))["version"] == 2
    assert invoice.ok(await mark("accepted", 5))["version"] == 2
    assert invoice.refused(await mark("declined", 4)) == (409, "stale_potential_version")
    assert invoice.ok(await invoice.workflow.get("/v1/estimates", params={"crm_potential_id": "p"}))["items"] == [
        {name: value for name, value in invoice.ok(await invoice.admin.get(path)).items() if name not in DETAILS}
    ]
    person = await invoice.admin.post(f"{path}/status/declined", json={"crm_potential_version": 9})
    assert invoice.refused(person) == (422, "validation_error")


async def test_s28_a_customer_deleted_in_the_crm_while_estimates_are_made_keeps_all_that_were_made(
    invoice: Any,
) -> None:
    names = [f"a{number}" for number in range(8)]
    await invoice.apply(*(invoice.account(name) for name in names))

    async def make(name: str) -> Any:
        return await invoice.admin.post("/v1/estimates", json={"crm_account_id": name, "line_items": [LINE]})

    gone, *responses = await asyncio.gather(
        invoice.apply(*(invoice.deleted("account", name, 2) for name in names)), *(make(name) for name in names)
    )

    made = [response.status_code == 201 for response in responses]
    assert [result["outcome"] == "made_inactive" for result in gone] == made
    for response in responses:
        assert response.status_code == 201 or invoice.refused(response)[0] in (409, 422)
    assert len(await invoice.customers()) == sum(made)
