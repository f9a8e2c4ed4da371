"""Totals of documents that are being written."""

import datetime
from typing import Any

import pytest
from servicekit.outbox import outbox
from sqlalchemy import func, select

TODAY = datetime.datetime.now(datetime.UTC).date()
LINE = {"name": "Line", "rate": "1"}
WHOLE = {
    "line_items": [
        {"name": "Chai", "quantity": "2", "rate": "19.90", "discount_percentage": "10", "tax_percentage": "19"},
        {"name": "Chang", "quantity": 0.5, "rate": 4},
    ],
    "discount_percentage": "5",
    "adjustment": "-0.03",
}
KINDS = pytest.mark.parametrize("kind", ["estimate", "invoice"])


@KINDS
async def test_a_preview_says_what_the_document_will_say_and_makes_none(invoice: Any, kind: str) -> None:
    customer = await invoice.customer(currency_code="EUR", payment_terms=10)
    body = WHOLE | {"customer_id": customer["id"]}
    async with invoice.database.reading() as session:
        told = (await session.execute(select(func.count()).select_from(outbox))).scalar_one()

    with invoice.statements() as sent:
        shown = invoice.ok(await invoice.admin.post(f"/v1/{kind}s/preview", json=body))

    assert {statement.split()[0] for statement in sent} == {"SELECT"}
    async with invoice.database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(outbox))).scalar_one() == told
    assert invoice.ok(await invoice.admin.get(f"/v1/{kind}s"))["items"] == []
    made = invoice.made(await invoice.admin.post(f"/v1/{kind}s", json=body))
    assert made[f"{kind}_number"].endswith("-000001"), "no number was taken"
    assert made | shown == made, "all that a preview says is what the document says then"
    assert shown["total"] == "42.37"  # 37.82 less 5 % (1.89), 19 % of 34.03 (6.47), less 0.03
    if kind == "invoice":
        assert (shown["due_date"], shown["payment_terms"]) == (str(TODAY + datetime.timedelta(days=10)), 10)


@KINDS
async def test_it_may_be_for_nobody_yet_or_for_a_record_of_the_crm(invoice: Any, kind: str) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"))
    [company] = await invoice.customers()
    await invoice.admin.patch(f"/v1/customers/{company['id']}", json={"currency_code": "JPY"})
    for who, total in (
        ({}, "1.00"),
        ({"crm_account_id": "a", "crm_contact_id": "c"}, "1"),
        ({"crm_account_id": "a", "currency_code": "BHD"}, "1.000"),
    ):
        answer = await invoice.admin.post(f"/v1/{kind}s/preview", json=who | {"line_items": [LINE]})
        assert invoice.ok(answer)["total"] == total
    unknown = await invoice.admin.post(f"/v1/{kind}s/preview", json={"crm_account_id": "unknown", "line_items": [LINE]})
    assert invoice.refused(unknown) == (409, "crm_record_not_imported")


@KINDS
async def test_what_making_it_would_refuse_is_refused(invoice: Any, kind: str) -> None:
    customer = await invoice.customer()
    inactive = await invoice.customer("Inactive")
    await invoice.admin.post(f"/v1/customers/{inactive['id']}/inactive")
    end = "expiry_date" if kind == "estimate" else "due_date"
    item = invoice.made(await invoice.admin.post("/v1/items", json={"name": "Chai", "rate": "18"}))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"line_items": []}, "line_items"),
        ({"line_items": [LINE, {**LINE, "rate": "-1"}]}, "line_items.1.rate"),
        ({"line_items": [{"item_id": "gone"}]}, "line_items.0.item_id"),
        ({"adjustment": "-2"}, "adjustment"),
        ({"date": str(TODAY), end: str(TODAY - datetime.timedelta(days=1))}, end),
        ({"customer_id": "nobody"}, "customer_id"),
        ({"contact_person_id": "nobody"}, "contact_person_id"),
        ({"customer_id": None, "contact_person_id": "nobody"}, "body"),
        ({"crm_account_id": "a"}, "body"),
        ({"crm_potential_version": 1}, "crm_potential_version"),
    ]
    for fields, field in wrong:
        body = {"customer_id": customer["id"], "line_items": [LINE], **fields}
        answer = await invoice.admin.post(f"/v1/{kind}s/preview", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    body = {"customer_id": inactive["id"], "line_items": [LINE]}
    assert invoice.refused(await invoice.admin.post(f"/v1/{kind}s/preview", json=body)) == (409, "customer_inactive")
    of_item = {"line_items": [{"item_id": item["id"]}, {"item_id": "gone", "name": "Of before", "rate": "2"}]}
    assert invoice.ok(await invoice.admin.post(f"/v1/{kind}s/preview", json=of_item))["total"] == "20.00"
    viewer = await invoice.stack.person("invoice", "viewer")
    assert invoice.refused(await viewer.post(f"/v1/{kind}s/preview", json=of_item)) == (403, "role_too_low")
