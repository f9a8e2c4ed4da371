"""Payments: full, partial, of several invoices, above what is owed, taken back; credits; and a customer's statement."""

import asyncio
import datetime
from decimal import Decimal
from typing import Any

import pypdf
import pytest

TODAY = datetime.datetime.now(datetime.UTC).date()


async def invoices_of(invoice: Any, customer_id: str, *amounts: str, **fields: Any) -> list[str]:
    lines = [[{"name": "Line", "rate": amount}] for amount in amounts]
    return [(await invoice.bill(customer_id, line_items=line, **fields))["id"] for line in lines]


async def states(invoice: Any, *ids: str) -> list[tuple[str, str, str]]:
    shown = [await invoice.shown("invoices", id_) for id_ in ids]
    return [(one["status"], one["amount_paid"], one["balance"]) for one in shown]


async def balances(invoice: Any, customer_id: str) -> list[tuple[str, str, str, str]]:
    found = invoice.ok(await invoice.admin.get(f"/v1/customers/{customer_id}/balances"))["balances"]
    return [(one["currency_code"], one["receivable"], one["overdue"], one["credit"]) for one in found]


async def test_an_invoice_is_paid_in_parts_and_deleting_a_payment_restores_its_state(invoice: Any) -> None:
    customer = await invoice.customer()
    (one,) = await invoices_of(invoice, customer["id"], "10")
    first = await invoice.pay(one, "4", date="2026-01-31", payment_mode="cash", reference_number="R 1")
    assert await states(invoice, one) == [("partially_paid", "4.00", "6.00")]
    second = await invoice.pay(one, "6")
    assert await states(invoice, one) == [("paid", "10.00", "0.00")]

    assert (first["amount"], first["unused_amount"], first["date"], first["payment_mode"]) == (
        "4.00", "0.00", "2026-01-31", "cash"
    )  # fmt: skip
    assert first["invoices"] == [{"invoice_id": one, "invoice_number": "INV-000001", "amount": "4.00"}]
    listed = invoice.ok(await invoice.admin.get("/v1/payments", params={"invoice_id": one}))["items"]
    assert [payment["id"] for payment in listed] == [second["id"], first["id"]]
    edited = invoice.ok(await invoice.admin.patch(f"/v1/payments/{first['id']}", json={"reference_number": "R 2"}))
    assert (edited["reference_number"], edited["version"]) == ("R 2", 2)

    for payment, state in ((second, ("partially_paid", "4.00", "6.00")), (first, ("sent", "0.00", "10.00"))):
        assert (await invoice.admin.delete(f"/v1/payments/{payment['id']}")).status_code == 204
        assert await states(invoice, one) == [state]
    history = [entry["what"] for entry in (await invoice.shown("invoices", one))["history"]]
    assert history == [
        "created",
        "sent",
        "payment of 4.00 USD recorded",
        "payment of 6.00 USD recorded",
        "payment of 6.00 USD deleted",
        "payment of 4.00 USD deleted",
    ]
    gone = await invoice.admin.get(f"/v1/payments/{first['id']}")
    assert invoice.refused(gone) == (404, "payment_not_found")
    told = [(verb, data.version, str(data.amount)) for verb, data, _ in await invoice.told("payment")]
    assert told == [
        ("recorded", 1, "4.00"),
        ("recorded", 1, "6.00"),
        ("updated", 2, "4.00"),
        ("deleted", 2, "6.00"),
        ("deleted", 3, "4.00"),
    ]
    told_of_invoice = [(verb, data.status, str(data.balance)) for verb, data, _ in await invoice.told("invoice")]
    assert told_of_invoice[2:] == [
        ("status_changed", "partially_paid", "6.00"),
        ("status_changed", "paid", "0.00"),
        ("status_changed", "partially_paid", "6.00"),
        ("status_changed", "sent", "10.00"),
    ]


async def test_a_part_paid_invoice_that_loses_its_payment_after_the_due_date_is_overdue(invoice: Any) -> None:
    customer = await invoice.customer()
    (one,) = await invoices_of(invoice, customer["id"], "10", date="2020-01-01", due_date="2020-01-31")
    assert await states(invoice, one) == [("overdue", "0.00", "10.00")]
    payment = await invoice.pay(one, "4")
    shown = await invoice.shown("invoices", one)
    assert (shown["status"], shown["is_past_due"]) == ("partially_paid", True)
    await invoices_of(invoice, customer["id"], "10")
    for is_past_due, count in ((True, 1), (False, 1)):
        found = invoice.ok(await invoice.admin.get("/v1/invoices", params={"is_past_due": is_past_due}))["items"]
        assert [found_one["is_past_due"] for found_one in found] == [is_past_due] * count
    await invoice.admin.delete(f"/v1/payments/{payment['id']}")
    assert await states(invoice, one) == [("overdue", "0.00", "10.00")]


async def test_one_payment_pays_several_invoices_and_what_is_left_is_credit_for_later(invoice: Any) -> None:
    customer = await invoice.customer(currency_code="EUR")
    one, two, three = await invoices_of(invoice, customer["id"], "10", "20", "30")
    body = {
        "customer_id": customer["id"],
        "amount": "50",
        "invoices": [{"invoice_id": one, "amount": "10"}, {"invoice_id": two, "amount": "5"}],
    }
    payment = invoice.made(await invoice.admin.post("/v1/payments", json=body))
    path = f"/v1/payments/{payment['id']}"

    assert (payment["amount"], payment["unused_amount"], payment["currency_code"]) == ("50.00", "35.00", "EUR")
    assert await states(invoice, one, two) == [("paid", "10.00", "0.00"), ("partially_paid", "5.00", "15.00")]
    assert await balances(invoice, customer["id"]) == [("EUR", "45.00", "0.00", "35.00")]

    applied = invoice.ok(
        await invoice.admin.post(f"{path}/invoices", json={"invoices": [{"invoice_id": two, "amount": "15"}]})
    )
    assert (applied["unused_amount"], [part["amount"] for part in applied["invoices"]]) == ("20.00", ["10.00", "20.00"])
    used = invoice.ok(await invoice.admin.post(f"/v1/invoices/{three}/credits", json={}))
    assert (used["status"], used["amount_paid"], used["history"][-1]["what"]) == (
        "partially_paid", "20.00", "credit of 20.00 EUR applied"
    )  # fmt: skip
    refused = await invoice.admin.post(f"/v1/invoices/{three}/credits", json={})
    assert invoice.refused(refused) == (409, "no_credit")

    freed = invoice.ok(await invoice.admin.delete(f"{path}/invoices/{one}"))
    assert (freed["unused_amount"], await states(invoice, one)) == ("10.00", [("sent", "0.00", "10.00")])
    missing = await invoice.admin.delete(f"{path}/invoices/{one}")
    assert invoice.refused(missing) == (404, "invoice_not_found")
    assert (await invoice.admin.delete(path)).status_code == 204
    assert [state for state, *_ in await states(invoice, one, two, three)] == ["sent"] * 3
    assert await balances(invoice, customer["id"]) == [("EUR", "60.00", "0.00", "0.00")]


async def test_more_than_is_owed_is_refused_or_kept_as_credit_as_one_says(invoice: Any) -> None:
    customer = await invoice.customer()
    one, two = await invoices_of(invoice, customer["id"], "10", "10")
    refused = await invoice.admin.post(f"/v1/invoices/{one}/payments", json={"amount": "15"})
    assert invoice.refused(refused) == (409, "payment_exceeds_balance")
    assert refused.json()["balance"] == "10.00"

    kept = await invoice.pay(one, "15", excess_as_credit=True)
    assert (kept["unused_amount"], kept["invoices"][0]["amount"]) == ("5.00", "10.00")
    more = await invoice.admin.post(f"/v1/invoices/{two}/credits", json={"amount": "6"})
    assert invoice.refused(more) == (409, "credit_exceeded")
    invoice.ok(await invoice.admin.post(f"/v1/invoices/{two}/credits", json={"amount": "5"}))
    assert await states(invoice, one, two) == [("paid", "10.00", "0.00"), ("partially_paid", "5.00", "5.00")]
    listed = invoice.ok(await invoice.admin.get("/v1/payments", params={"has_credit": True}))["items"]
    assert listed == []


async def test_credit_of_many_payments_is_used_in_a_fixed_number_of_statements(invoice: Any) -> None:
    customer = await invoice.customer()
    counts = []
    for number in (1, 12):
        for _ in range(number):
            await invoice.admin.post("/v1/payments", json={"customer_id": customer["id"], "amount": "1"})
        (one,) = await invoices_of(invoice, customer["id"], "20")
        with invoice.statements() as sent:
            used = invoice.ok(await invoice.admin.post(f"/v1/invoices/{one}/credits", json={}))
        counts.append(len(sent))
        assert used["amount_paid"] == f"{number}.00"
        assert [entry["what"] for entry in used["history"]][2:] == [f"credit of {number}.00 USD applied"]
        assert used["version"] == 3
        assert [told["allowed"] for told in used["allowed_actions"] if told["action"] == "apply_credits"] == [False]
    assert counts[0] == counts[1]
    told = [str(data.unused_amount) for verb, data, _ in await invoice.told("payment") if verb == "updated"]
    assert told == ["0.00"] * 13


async def test_payments_and_deletions_of_the_same_draft_never_end_in_a_fault(invoice: Any) -> None:
    customer = await invoice.customer()
    for _ in range(8):
        draft = (await invoice.bill(customer["id"], "draft"))["id"]
        body = {"customer_id": customer["id"], "amount": "1", "invoices": [{"invoice_id": draft, "amount": "1"}]}
        responses = await asyncio.gather(
            *(invoice.admin.post("/v1/payments", json=body) for _ in range(3)),
            *(invoice.admin.delete(f"/v1/invoices/{draft}") for _ in range(2)),
        )
        assert {response.status_code for response in responses} <= {204, 404, 409, 422}
        assert sorted(response.status_code for response in responses[3:]) == [204, 404]


async def test_a_payment_that_cannot_be_is_refused_by_name_and_changes_nothing(invoice: Any) -> None:
    customer, other = await invoice.customer(), await invoice.customer("Other")
    one, paid = await invoices_of(invoice, customer["id"], "10", "10")
    await invoice.pay(paid, "10")
    (foreign,) = await invoices_of(invoice, other["id"], "10")
    (yen,) = await invoices_of(invoice, customer["id"], "1000", currency_code="JPY")
    draft = (await invoice.bill(customer["id"], "draft"))["id"]
    void = (await invoice.bill(customer["id"], "void"))["id"]
    before = await states(invoice, one, paid, foreign, yen, draft, void)

    def part(invoice_id: str, amount: str = "1") -> dict[str, str]:
        return {"invoice_id": invoice_id, "amount": amount}

    wrong: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
        (f"/v1/invoices/{one}/payments", {"amount": "0"}, (422, "amount_not_positive")),
        (f"/v1/invoices/{one}/payments", {"amount": "-1"}, (422, "amount_not_positive")),
        (f"/v1/invoices/{one}/payments", {"amount": "0.001"}, (422, "validation_error")),
        (f"/v1/invoices/{one}/payments", {"amount": "NaN"}, (422, "validation_error")),
        (f"/v1/invoices/{one}/payments", {"amount": "1e30"}, (422, "validation_error")),
        (f"/v1/invoices/{one}/payments", {"amount": "1", "currency_code": "EUR"}, (409, "payment_currency_differs")),
        (f"/v1/invoices/{one}/payments", {"amount": "10.01"}, (409, "payment_exceeds_balance")),
        (f"/v1/invoices/{one}/payments", {"amount": "1", "date": "2999-01-01"}, (422, "validation_error")),
        (f"/v1/invoices/{one}/payments", {"amount": "1", "date": "0001-01-01"}, (422, "validation_error")),
        (f"/v1/invoices/{paid}/payments", {"amount": "1"}, (409, "invoice_already_paid")),
        (f"/v1/invoices/{draft}/payments", {"amount": "1"}, (409, "invoice_not_sent")),
        (f"/v1/invoices/{void}/payments", {"amount": "1"}, (409, "invoice_void")),
        ("/v1/invoices/nothing/payments", {"amount": "1"}, (404, "invoice_not_found")),
        ("/v1/payments", {"amount": "5", "invoices": [part(one), part(one)]}, (422, "validation_error")),
        ("/v1/payments", {"amount": "5", "invoices": [part(one, "6")]}, (422, "allocations_exceed_payment")),
        ("/v1/payments", {"amount": "50", "invoices": [part(one, "11")]}, (409, "payment_exceeds_balance")),
        ("/v1/payments", {"amount": "5", "invoices": [part(one), part(foreign)]}, (409, "invoice_of_another_customer")),
        ("/v1/payments", {"amount": "5", "invoices": [part(one), part(yen)]}, (409, "payment_currency_differs")),
        ("/v1/payments", {"amount": "5", "invoices": [part("nothing")]}, (422, "invoice_not_found")),
        ("/v1/payments", {"amount": "5", "invoices": [part(one, "0")]}, (422, "amount_not_positive")),
        ("/v1/payments", {"amount": "5", "customer_id": "nobody"}, (422, "customer_not_found")),
    ]

    for path, fields, expected in wrong:
        body = ({"customer_id": customer["id"]} if path == "/v1/payments" else {}) | fields
        response = await invoice.admin.post(path, json=body)
        assert invoice.refused(response) == expected, (path, fields, response.text)
    assert await states(invoice, one, paid, foreign, yen, draft, void) == before
    assert len(invoice.ok(await invoice.admin.get("/v1/payments"))["items"]) == 1


async def test_a_paid_invoice_is_not_voided_nor_its_total_cut_below_what_was_paid(invoice: Any) -> None:
    customer = await invoice.customer()
    (one,) = await invoices_of(invoice, customer["id"], "10")
    await invoice.pay(one, "4")
    path = f"/v1/invoices/{one}"

    void = await invoice.admin.post(f"{path}/status/void")
    assert invoice.refused(void) == (409, "invoice_has_payments")
    less = await invoice.admin.patch(path, json={"line_items": [{"name": "Line", "rate": "3"}]})
    assert invoice.refused(less) == (409, "total_below_paid")
    other = await invoice.admin.patch(path, json={"currency_code": "EUR"})
    assert invoice.refused(other) == (409, "total_below_paid")

    just = invoice.ok(await invoice.admin.patch(path, json={"line_items": [{"name": "Line", "rate": "4"}]}))
    assert (just["status"], just["balance"]) == ("paid", "0.00")
    again = await invoice.admin.patch(path, json={"notes": "New"})
    assert invoice.refused(again) == (409, "invoice_already_paid")


async def test_of_payments_at_once_no_more_is_taken_than_is_owed(invoice: Any) -> None:
    customer = await invoice.customer()
    (one,) = await invoices_of(invoice, customer["id"], "10")
    path = f"/v1/invoices/{one}/payments"

    responses = await asyncio.gather(*(invoice.admin.post(path, json={"amount": "3"}) for _ in range(8)))

    assert sorted(response.status_code for response in responses) == [201] * 3 + [409] * 5
    assert await states(invoice, one) == [("partially_paid", "9.00", "1.00")]
    key = {"Idempotency-Key": "the last one"}
    twice = [await invoice.admin.post(path, json={"amount": "1"}, headers=key) for _ in range(2)]
    assert [response.status_code for response in twice] == [201, 201]
    assert await states(invoice, one) == [("paid", "10.00", "0.00")]


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
async def test_a_statement_goes_from_what_was_owed_to_what_is_owed(invoice: Any, currency: str, tmp_path: Any) -> None:
    customer = await invoice.customer("Grüner Käfer", currency_code=currency)
    january = {"date": "2026-01-10", "due_date": "2026-01-31"}
    february = {"date": "2026-02-05", "due_date": "2026-02-28"}
    old, new = [
        *await invoices_of(invoice, customer["id"], "100", **january),
        *await invoices_of(invoice, customer["id"], "40", **february),
    ]
    await invoice.bill(customer["id"], "draft", **february)
    await invoice.bill(customer["id"], "void", **february)
    await invoice.bill(customer["id"], currency_code="USD", **february)
    await invoice.pay(old, "30", date="2026-01-20")
    await invoice.pay(old, "80", date="2026-02-05", reference_number="E2E", excess_as_credit=True)
    path = f"/v1/customers/{customer['id']}/statement"
    period = {"date_from": "2026-02-01", "date_to": "2026-02-28"}

    statement = invoice.ok(await invoice.admin.get(path, params=period))

    def amounts(*names: str) -> list[Decimal]:
        return [Decimal(statement[name]) for name in names]

    assert amounts("opening_balance", "invoiced", "received", "closing_balance") == [70, 40, 80, 30]
    assert [(row["date"], row["kind"], row["id"], Decimal(row["balance"])) for row in statement["entries"]] == [
        ("2026-02-05", "invoice", new, 110),
        ("2026-02-05", "payment", statement["entries"][1]["id"], 30),
    ]
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    assert len(statement["closing_balance"].partition(".")[2]) == decimals
    whole = invoice.ok(await invoice.admin.get(path, params={"date_from": "2025-01-01"}))
    assert (Decimal(whole["opening_balance"]), whole["closing_balance"]) == (0, statement["closing_balance"])
    receivable = {one[0]: one[1:] for one in await balances(invoice, customer["id"])}[currency]
    assert [Decimal(one) for one in receivable] == [40, 40, 10]

    response = await invoice.admin.get(f"{path}/pdf", params=period)
    file = tmp_path / "statement.pdf"
    file.write_bytes(response.content)
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages)
    assert "Grüner Käfer" in text
    assert statement["opening_balance"] in text
    assert statement["closing_balance"] in text
    wrong = await invoice.admin.get(path, params={"date_from": "2026-02-01", "date_to": "2026-01-01"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "date_to")


async def test_a_customer_with_a_payment_alone_has_transactions(invoice: Any) -> None:
    customer = await invoice.customer()
    body = {"customer_id": customer["id"], "amount": "5"}
    payment = invoice.made(await invoice.admin.post("/v1/payments", json=body))
    path = f"/v1/customers/{customer['id']}"
    assert invoice.refused(await invoice.admin.delete(path)) == (409, "customer_has_transactions")
    await invoice.admin.delete(f"/v1/payments/{payment['id']}")
    assert (await invoice.admin.delete(path)).status_code == 204
