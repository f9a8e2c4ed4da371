"""Invoices: made, edited, converted from estimates, sent, void, overdue, locked for the workflow, printed."""

import datetime
from typing import Any

import pypdf
import pytest
from invoice_service.documents import queries as documents
from invoice_service.invoices.models import INVOICES
from invoice_service.invoices.overdue import write_overdue
from invoice_service.invoices.schemas import InvoiceOut

TODAY = datetime.datetime.now(datetime.UTC).date()
YESTERDAY = TODAY - datetime.timedelta(days=1)
LINE = {"name": "Line", "rate": "1"}


async def test_an_invoice_has_number_totals_due_date_and_the_customer_as_on_the_day(invoice: Any) -> None:
    customer = await invoice.customer(currency_code="EUR", billing_address={"city": "Berlin"}, payment_terms=30)
    body = {
        "customer_id": customer["id"],
        "line_items": [
            {"name": "Chai", "quantity": "2", "unit": "kg", "rate": "19.90", "tax_percentage": "19"},
            {"name": "Chang", "quantity": "1", "rate": "10.00", "tax_percentage": "7", "discount_percentage": "50"},
        ],
        "discount_percentage": "10",
        "adjustment": "-0.01",
        "adjustment_description": "Rounding",
    }
    response = await invoice.admin.post("/v1/invoices", json=body)
    created = invoice.made(response)

    assert await invoice.shown("invoices", created["id"]) == created
    InvoiceOut.model_validate(created, extra="forbid")
    assert (created["invoice_number"], created["status"], created["version"]) == ("INV-000001", "draft", 1)
    assert created["due_date"] == str(TODAY + datetime.timedelta(days=30))
    # 39.80 + 5.00 = 44.80, of which 10 % are 4.48: 3.98 and 0.50. 19 % of 35.82 = 6.81, 7 % of 4.50 = 0.32 (0.315).
    names = ("sub_total", "document_discount", "discount_total", "tax_total", "adjustment", "total", "balance")
    assert [created[name] for name in names] == ["49.80", "4.48", "9.48", "7.13", "-0.01", "47.44", "47.44"]
    assert created["taxes"] == [
        {"tax_percentage": "7", "taxable": "4.50", "tax": "0.32"},
        {"tax_percentage": "19", "taxable": "35.82", "tax": "6.81"},
    ]
    ((verb, data, _),) = await invoice.told("invoice")
    assert (verb, data.invoice_number, str(data.total), str(data.balance)) == (
        "created",
        "INV-000001",
        "47.44",
        "47.44",
    )
    assert (str(data.adjustment), data.line_items[0].unit) == ("-0.01", "kg")


async def test_a_draft_follows_its_customer_and_an_issued_invoice_does_not(invoice: Any) -> None:
    customer = await invoice.customer(billing_address={"city": "Berlin"})
    path = f"/v1/customers/{customer['id']}"
    draft = await invoice.bill(customer["id"], "draft")
    await invoice.admin.patch(path, json={"customer_name": "Renamed", "billing_address": {"city": "Hamburg"}})

    issued = invoice.ok(await invoice.admin.post(f"/v1/invoices/{draft['id']}/status/sent"))
    await invoice.admin.patch(path, json={"customer_name": "Once more", "billing_address": {"city": "Köln"}})
    later = await invoice.shown("invoices", draft["id"])

    assert (draft["customer_name"], draft["billing_address"]["city"]) == ("Alfreds Futterkiste", "Berlin")
    assert (issued["customer_name"], issued["billing_address"]["city"]) == ("Renamed", "Hamburg")
    assert later == issued


async def test_a_field_that_is_wrong_is_named_and_nothing_is_created(invoice: Any) -> None:
    customer = await invoice.customer()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"line_items": [LINE] * 10_000}, "line_items"),
        ({"line_items": [{**LINE, "quantity": "-1"}]}, "line_items.0.quantity"),
        ({"line_items": [{**LINE, "quantity": "1e400"}]}, "line_items.0.quantity"),
        ({"line_items": [{**LINE, "rate": "123456789012345678901234567890"}]}, "line_items.0.rate"),
        ({"line_items": [{**LINE, "rate": "0.123456789012345678901234567890"}]}, "line_items.0.rate"),
        ({"line_items": [{"name": "Line"}]}, "line_items.0"),
        ({"line_items": [{"item_id": "nothing"}]}, "line_items.0.item_id"),
        ({"discount_percentage": "101"}, "discount_percentage"),
        ({"discount_percentage": "1", "discount_amount": "0.50"}, "discount_amount"),
        ({"discount_amount": "1.01"}, "discount_amount"),
        ({"adjustment": "-2"}, "adjustment"),
        ({"adjustment": "0.001"}, "adjustment"),
        ({"adjustment": "NaN"}, "adjustment"),
        ({"date": str(TODAY), "due_date": str(YESTERDAY)}, "due_date"),
        ({"due_date": str(TODAY), "payment_terms": 3}, "body"),
        ({"date": "9999-12-31", "payment_terms": 1}, "date"),
        ({"balance": "0"}, "balance"),
    ]

    for fields, field in wrong:
        response = await invoice.admin.post(
            "/v1/invoices", json={"customer_id": customer["id"], "line_items": [LINE], **fields}
        )
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field), (fields, response.text)
    assert invoice.ok(await invoice.admin.get("/v1/invoices"))["items"] == []
    assert (await invoice.bill(customer["id"]))["invoice_number"] == "INV-000001"


async def test_a_line_takes_from_its_item_what_it_leaves_out(invoice: Any) -> None:
    customer = await invoice.customer()
    item = {"name": "Chai", "description": "Tea", "unit": "box", "rate": "18.50", "tax_percentage": "7"}
    item_id = invoice.made(await invoice.admin.post("/v1/items", json=item))["id"]
    path = f"/v1/items/{item_id}"

    one = await invoice.bill(customer["id"], line_items=[{"item_id": item_id}, {"item_id": item_id, "rate": "20"}])
    invoice.ok(await invoice.admin.patch(path, json={"rate": "99", "name": "Dearer"}))
    assert (await invoice.admin.delete(path)).status_code == 204
    kept = {"line_items": [{name: line[name] for name in ("item_id", "name", "rate")} for line in one["line_items"]]}
    edited = invoice.ok(await invoice.admin.patch(f"/v1/invoices/{one['id']}", json=kept))
    gone = await invoice.admin.post(
        "/v1/invoices", json={"customer_id": customer["id"], "line_items": [{"item_id": item_id}]}
    )
    foreign = {"customer_id": customer["id"], "currency_code": "JPY", "line_items": [{"item_id": item_id}]}

    assert [(line["name"], line["unit"], line["rate"], line["tax_percentage"]) for line in one["line_items"]] == [
        ("Chai", "box", "18.50", "7"),
        ("Chai", "box", "20.00", "7"),
    ]
    assert [line["name"] for line in edited["line_items"]] == ["Chai", "Chai"]
    assert invoice.refused(gone) == (422, "item_not_found")
    assert (await invoice.admin.post("/v1/invoices", json=foreign)).status_code == 422


async def test_a_draft_says_by_its_terms_when_it_is_due_until_the_date_is_set(invoice: Any) -> None:
    customer = await invoice.customer()
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    terms = {"payment_terms": 14, "default_notes": "Thank you", "default_terms": "Net 14"}
    invoice.ok(await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json=terms))
    one = await invoice.bill(customer["id"], "draft", date="2026-01-01")
    path = f"/v1/invoices/{one['id']}"

    async def due(**changes: Any) -> Any:
        return invoice.ok(await invoice.admin.patch(path, json=changes))["due_date"]

    assert (one["due_date"], one["notes"], one["terms"]) == ("2026-01-15", "Thank you", "Net 14")
    assert await due(date="2026-02-01") == "2026-02-15"
    assert await due(payment_terms=30) == "2026-03-03"
    assert await due(due_date="2026-02-20") == "2026-02-20"
    assert await due(date="2026-02-10") == "2026-02-20"
    late = await invoice.admin.patch(path, json={"date": "2026-02-21"})
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "due_date")


async def test_the_number_of_an_invoice_that_was_sent_is_never_given_to_another(invoice: Any) -> None:
    customer = await invoice.customer()
    one = await invoice.bill(customer["id"], "void")
    sent = await invoice.bill(customer["id"])
    paths = [f"/v1/invoices/{found['id']}" for found in (one, sent)]
    for path in paths:
        await invoice.admin.post(f"{path}/status/void")
        invoice.ok(await invoice.admin.post(f"{path}/status/draft"))

    refused = await invoice.admin.delete(paths[1])

    assert invoice.refused(refused) == (409, "invoice_not_deletable")
    assert "was sent before" in refused.json()["detail"]
    assert (await invoice.bill(customer["id"]))["invoice_number"] == "INV-000003"


async def test_an_answer_shows_one_moment_whatever_is_changed_meanwhile(invoice: Any) -> None:
    customer = await invoice.customer()
    (organization,) = invoice.ok(await invoice.admin.get("/v1/organizations"))["items"]
    made = await invoice.bill(customer["id"], line_items=[{"name": "Old", "rate": "100"}], discount_amount="50")
    changes = {"line_items": [{"name": "New", "rate": "10"}], "discount_amount": "0"}

    async with invoice.database.reading() as session:
        found = await documents.find(session, INVOICES, organization["id"], made["id"])
        invoice.ok(await invoice.admin.patch(f"/v1/invoices/{made['id']}", json=changes))
        whole = await documents.whole(session, INVOICES, found)

    assert ([line.name for line in whole.lines], str(whole.amounts.total)) == (["Old"], made["total"])


async def test_numbers_are_told_as_they_are_shown_however_they_were_typed(invoice: Any) -> None:
    customer = await invoice.customer()
    lines = [{"name": "Line", "quantity": "1E+3", "rate": "0.50"}, {"name": "Line", "quantity": "-0", "rate": "0E+99"}]

    made = await invoice.bill(customer["id"], "draft", line_items=lines)

    assert [(line["quantity"], line["rate"]) for line in made["line_items"]] == [("1000", "0.50"), ("0", "0.00")]
    assert await invoice.shown("invoices", made["id"]) == made
    ((_, data, _),) = await invoice.told("invoice")
    assert [(str(line.quantity), str(line.rate)) for line in data.line_items] == [("1000", "0.50"), ("0", "0.00")]


class TestOverdue:
    async def test_a_sent_invoice_is_overdue_the_day_after_and_it_is_written_down_once(self, invoice: Any) -> None:
        customer = await invoice.customer()
        late = await invoice.bill(customer["id"], date="2020-01-01", due_date=str(YESTERDAY))
        await invoice.bill(customer["id"], date="2020-01-01", due_date=str(TODAY))
        free = await invoice.bill(customer["id"], date="2020-01-01", line_items=[{"name": "Gift", "rate": "0"}])

        listed = invoice.ok(await invoice.admin.get("/v1/invoices", params={"status": "overdue"}))["items"]
        written = [await write_overdue(invoice.database, TODAY) for _ in range(2)]
        shown = await invoice.shown("invoices", late["id"])

        assert (late["status"], [one["id"] for one in listed]) == ("overdue", [late["id"]])
        assert written == [1, 0]
        assert (shown["status"], shown["is_past_due"], shown["version"]) == ("overdue", True, 3)
        assert [(one["who"], one["what"]) for one in shown["history"]][-1] == ("system", "overdue")
        verb, data, _ = (await invoice.told("invoice"))[-1]
        assert (verb, data.id, data.status) == ("status_changed", late["id"], "overdue")
        assert (await invoice.shown("invoices", free["id"]))["status"] == "sent"

    async def test_a_later_due_date_makes_it_sent_again(self, invoice: Any) -> None:
        customer = await invoice.customer()
        late = await invoice.bill(customer["id"], date="2020-01-01", due_date=str(YESTERDAY))
        await write_overdue(invoice.database, TODAY)
        edited = invoice.ok(await invoice.admin.patch(f"/v1/invoices/{late['id']}", json={"due_date": str(TODAY)}))
        assert (edited["status"], edited["version"]) == ("sent", 4)
        assert (await invoice.told("invoice"))[-1][0] == "status_changed"


async def test_an_old_if_match_is_told_so_and_nothing_changes(invoice: Any) -> None:
    customer = await invoice.customer()
    one = await invoice.bill(customer["id"])
    path, old = f"/v1/invoices/{one['id']}", {"If-Match": '"1"'}
    attempts = [
        await invoice.admin.patch(path, json={"notes": "New"}, headers=old),
        await invoice.admin.post(f"{path}/status/void", headers=old),
        await invoice.admin.delete(path, headers=old),
        await invoice.admin.post(f"{path}/unlock", headers=old),
    ]
    assert [invoice.refused(one) for one in attempts] == [(412, "version_conflict")] * 4
    assert await invoice.shown("invoices", one["id"]) == one


async def test_invoices_are_listed_by_what_they_are_and_whose(invoice: Any) -> None:
    await invoice.apply(invoice.account("a"), invoice.contact("c", at="a"), invoice.contact("e"))
    first = await invoice.bill(crm_account_id="a", reference_number="Zebra", date="2026-01-10")
    second = await invoice.bill(crm_account_id="a", crm_contact_id="c", date="2026-02-10")
    third = await invoice.bill(crm_contact_id="e", crm_potential_id="p", status="draft")
    await invoice.pay(second["id"], "0.50")

    async def listed(**query: Any) -> list[Any]:
        items = invoice.ok(await invoice.admin.get("/v1/invoices", params=query))["items"]
        return [one["invoice_number"][-1] for one in items]

    assert await listed() == ["3", "2", "1"]
    assert await listed(crm_account_id="a") == ["2", "1"]
    assert await listed(crm_contact_id="c") == ["2"]
    assert await listed(crm_contact_id="e") == ["3"]
    assert await listed(crm_potential_id="p") == ["3"]
    assert await listed(customer_id=third["customer_id"]) == ["3"]
    assert await listed(status="partially_paid") == ["2"]
    assert await listed(status="draft") == ["3"]
    assert await listed(date_from="2026-01-01", date_to="2026-01-31") == ["1"]
    assert await listed(q="zeb") == ["1"]
    assert await listed(q="INV-000002") == ["2"]
    assert first["status"] == "overdue"
    for cursor in ("not-ours", "WzFd", "W10", "WyJ6enoiXQ"):
        response = await invoice.admin.get("/v1/invoices", params={"cursor": cursor})
        assert invoice.refused(response) == (400, "bad_cursor")


async def test_s11_the_pdf_says_what_the_api_says(invoice: Any, tmp_path: Any) -> None:
    customer = await invoice.customer(currency_code="EUR")
    one = await invoice.bill(
        customer["id"],
        line_items=[{"name": "Chai", "quantity": "3", "rate": "19.90", "tax_percentage": "19"}],
        discount_percentage="10",
        adjustment="0.05",
        adjustment_description="Small change",
    )
    await invoice.pay(one["id"], "20")
    shown = await invoice.shown("invoices", one["id"])

    response = await invoice.admin.get(f"/v1/invoices/{one['id']}/pdf", params={"download": True})
    again = await invoice.admin.get(
        f"/v1/invoices/{one['id']}/pdf", headers={"If-None-Match": response.headers["etag"]}
    )

    assert response.headers["content-disposition"].startswith('attachment; filename="INV-000001.pdf"')
    assert again.status_code == 304
    file = tmp_path / "invoice.pdf"
    file.write_bytes(response.content)
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages)
    for name in ("total", "balance", "tax_total", "amount_paid", "document_discount"):
        assert shown[name] in text, name
    assert "INV-000001" in text
    assert "Small change" in text


async def test_what_cannot_be_printed_is_said_in_the_answer(invoice: Any) -> None:
    customer = await invoice.customer()
    plain = await invoice.bill(customer["id"], line_items=[{"name": "Καφές 茶 شاي", "rate": "1"}])
    odd = await invoice.bill(customer["id"], line_items=[{"name": "Tea \U0001f375", "rate": "1"}])
    assert plain["warnings"] == []
    assert len(odd["warnings"]) == 1
    assert "U+1F375" in odd["warnings"][0]


@pytest.mark.parametrize("kind", ["invoices", "estimates"])
async def test_a_fixed_number_of_statements_whatever_the_number_of_lines_and_documents(invoice: Any, kind: str) -> None:
    customer = await invoice.customer()

    async def counted(lines: int, documents: int) -> list[int]:
        line = {"name": "Line", "rate": "1", "tax_percentage": "19"}
        body = {"customer_id": customer["id"], "line_items": [line] * lines}
        counts = []
        with invoice.statements() as sent:
            made = invoice.made(await invoice.admin.post(f"/v1/{kind}", json=body))
        counts.append(len(sent))
        for _ in range(documents - 1):
            await invoice.admin.post(f"/v1/{kind}", json=body)
        for path in (f"/v1/{kind}/{made['id']}", f"/v1/{kind}?limit=50"):
            with invoice.statements() as sent:
                invoice.ok(await invoice.admin.get(path))
            counts.append(len(sent))
        return counts

    few = await counted(1, 1)
    assert await counted(200, 5) == few
    assert few[0] <= 16
    assert few[1] <= 6
    assert few[2] <= 3
