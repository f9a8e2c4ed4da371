"""What may be done with invoices and estimates: every state with every action, asked and then tried."""

import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

TODAY = datetime.datetime.now(datetime.UTC).date()
LONG_AGO = {"date": "2020-01-01", "due_date": "2020-01-31"}
MAIL = {"to": ["maria@alfreds.example"]}

# From interfaces.md, "States and who may move them", and what else may be done with a document.
INVOICE: dict[str, set[str]] = {
    "draft": {"edit", "delete", "sent", "void", "draft", "send"},
    "sent": {"edit", "sent", "void", "send", "record_payment", "apply_credits", "unlock"},
    "overdue": {"edit", "void", "send", "record_payment", "apply_credits", "unlock"},
    "partially_paid": {"edit", "send", "record_payment", "apply_credits", "unlock"},
    "paid": {"send", "unlock"},
    "void": {"draft", "void", "unlock"},
}
ESTIMATE: dict[str, set[str]] = {
    "draft": {"edit", "delete", "sent", "accepted", "declined", "send", "convert"},
    "sent": {"edit", "sent", "accepted", "declined", "send", "convert"},
    "accepted": {"edit", "accepted", "declined", "send", "convert"},
    "declined": {"edit", "sent", "accepted", "declined", "send"},
    "expired": {"edit", "sent", "accepted", "send"},
    "invoiced": set(),
}


@pytest.fixture
def invoice_settings(tmp_path: Path) -> Any:
    return {"mail_dir": tmp_path}


async def invoice_in(invoice: Any, customer_id: str, state: str) -> Any:
    one = await invoice.bill(
        customer_id,
        "draft" if state == "draft" else "sent",
        line_items=[{"name": "Line", "rate": "10"}],
        **(LONG_AGO if state == "overdue" else {}),
    )
    if state in ("partially_paid", "paid"):
        await invoice.pay(one["id"], "10" if state == "paid" else "4")
    if state == "void":
        invoice.ok(await invoice.admin.post(f"/v1/invoices/{one['id']}/status/void"))
    return await invoice.shown("invoices", one["id"])


async def estimate_in(invoice: Any, customer_id: str, state: str) -> Any:
    expired = {"date": "2020-01-01", "expiry_date": "2020-01-31"} if state == "expired" else {}
    one = await invoice.estimate(customer_id, **expired)
    path = f"/v1/estimates/{one['id']}"
    if state == "invoiced":
        invoice.made(await invoice.admin.post(f"{path}/convert"))
    elif state != "draft":
        await invoice.mark(one["id"], "sent" if state == "expired" else state)
    if state == "expired":
        # Marking it sent after its date waives the date: that takes setting it anew.
        invoice.ok(await invoice.admin.patch(path, json={"expiry_date": "2020-02-01"}))
    return await invoice.shown("estimates", one["id"])


async def attempt(invoice: Any, path: str, action: str) -> httpx.Response:
    client = invoice.admin
    actions: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "edit": lambda: client.patch(path, json={"notes": "New"}),
        "delete": lambda: client.delete(path),
        "send": lambda: client.post(f"{path}/send", json=MAIL),
        "convert": lambda: client.post(f"{path}/convert"),
        "unlock": lambda: client.post(f"{path}/unlock"),
        "record_payment": lambda: client.post(f"{path}/payments", json={"amount": "1"}),
        "apply_credits": lambda: client.post(f"{path}/credits", json={"amount": "1"}),
    }
    response: httpx.Response = await actions.get(action, lambda: client.post(f"{path}/status/{action}"))()
    return response


@pytest.mark.parametrize("state", INVOICE)
async def test_s12_s17_an_invoice_allows_what_the_table_says_and_does_just_that(invoice: Any, state: str) -> None:
    customer = await invoice.customer()
    credit = {"customer_id": customer["id"], "amount": "100"}
    invoice.made(await invoice.admin.post("/v1/payments", json=credit))
    shown = await invoice_in(invoice, customer["id"], state)
    assert shown["status"] == state
    assert [told["action"] for told in shown["allowed_actions"]] == [
        "edit", "delete", "sent", "void", "draft", "send", "record_payment", "apply_credits", "unlock"
    ]  # fmt: skip

    for action in [told["action"] for told in shown["allowed_actions"]]:
        one = await invoice_in(invoice, customer["id"], state)
        await _told_and_done(invoice, f"/v1/invoices/{one['id']}", one, action, INVOICE[state])


@pytest.mark.parametrize("state", ESTIMATE)
async def test_s12_an_estimate_allows_what_the_table_says_and_does_just_that(invoice: Any, state: str) -> None:
    customer = await invoice.customer()
    shown = await estimate_in(invoice, customer["id"], state)
    assert shown["status"] == state
    assert [told["action"] for told in shown["allowed_actions"]] == [
        "edit", "delete", "sent", "accepted", "declined", "send", "convert"
    ]  # fmt: skip

    for action in [told["action"] for told in shown["allowed_actions"]]:
        one = await estimate_in(invoice, customer["id"], state)
        await _told_and_done(invoice, f"/v1/estimates/{one['id']}", one, action, ESTIMATE[state])


async def _told_and_done(invoice: Any, path: str, one: Any, action: str, expected: set[str]) -> None:
    (told,) = [told for told in one["allowed_actions"] if told["action"] == action]
    assert told["allowed"] == (action in expected), (action, told)
    response = await attempt(invoice, path, action)
    if told["allowed"]:
        assert response.is_success, (action, response.text)
        return
    assert (response.status_code, response.json()["detail"]) == (409, told["reason"]), (action, response.text)
    assert invoice.ok(await invoice.admin.get(path)) == one
