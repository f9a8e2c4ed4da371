"""In which states a document may be e-mailed, and what becomes of it; `allowed_actions` always says the same."""

import datetime
from typing import Any

import pytest

from tests.mailing import MARIA, Mailing, invoice_settings, mail_server, mailing, postman

__all__ = ["invoice_settings", "mail_server", "mailing", "postman"]

TODAY = datetime.datetime.now(datetime.UTC).date()
YESTERDAY = str(TODAY - datetime.timedelta(days=1))
LINES = {"line_items": [{"name": "Consulting", "rate": "19.90"}]}


async def reach(mailing: Mailing, noun: str, *steps: tuple[str, dict[str, Any]], **fields: Any) -> str:
    """The path of a document that was made with these fields and had these requests sent to it."""
    customer = await mailing.invoice.customer(contact_persons=[MARIA])
    body = LINES | {"customer_id": customer["id"]} | fields
    document = mailing.invoice.made(await mailing.admin.post(f"/v1/{noun}s", json=body))
    path = f"/v1/{noun}s/{document['id']}"
    for step, sent in steps:
        response = await mailing.admin.post(f"{path}/{step}", json=sent)
        assert response.is_success, response.text
    return path


SENT: tuple[str, dict[str, Any]] = ("status/sent", {})
ESTIMATES: dict[str, tuple[tuple[tuple[str, dict[str, Any]], ...], dict[str, Any], str]] = {
    "draft": ((), {}, "sent"),
    "sent": ((SENT,), {}, "sent"),
    "accepted": ((("status/accepted", {}),), {}, "accepted"),
    "declined": ((("status/declined", {}),), {}, "sent"),
    "expired": ((SENT,), {"date": YESTERDAY, "expiry_date": YESTERDAY}, "sent"),
    "invoiced": ((("convert", {}),), {}, "estimate_already_invoiced"),
}
INVOICES: dict[str, tuple[tuple[tuple[str, dict[str, Any]], ...], dict[str, Any], str]] = {
    "draft": ((), {}, "sent"),
    "sent": ((SENT,), {}, "sent"),
    "overdue": ((SENT,), {"date": YESTERDAY, "due_date": YESTERDAY}, "overdue"),
    "partially_paid": ((SENT, ("payments", {"amount": "9.90"})), {}, "partially_paid"),
    "paid": ((SENT, ("payments", {"amount": "19.90"})), {}, "paid"),
    "void": ((("status/void", {}),), {}, "invoice_void"),
}
"""How a state is reached, and what sending makes of it: a state, or the code of the refusal."""


@pytest.mark.parametrize(
    ("noun", "status"), [*(("estimate", one) for one in ESTIMATES), *(("invoice", one) for one in INVOICES)]
)
async def test_every_state_may_be_sent_or_says_why_not(mailing: Mailing, noun: str, status: str) -> None:
    steps, fields, outcome = (ESTIMATES if noun == "estimate" else INVOICES)[status]
    path = await reach(mailing, noun, *steps, **fields)
    before = mailing.invoice.ok(await mailing.admin.get(path))
    assert before["status"] == status
    (action,) = [one for one in before["allowed_actions"] if one["action"] == "send"]

    response = await mailing.admin.post(f"{path}/send")

    assert action["allowed"] == (response.status_code == 202)
    after = mailing.invoice.ok(await mailing.admin.get(path))
    if action["allowed"]:
        assert after["status"] == outcome
        assert after["history"][-1]["what"] == f"e-mailed to {MARIA['email']}"
        delivery = await mailing.until(response.json(), "sent")
        assert delivery["document_id"] == after["id"]
    else:
        assert mailing.invoice.refused(response) == (409, outcome)
        assert response.json()["detail"] == action["reason"]
        assert after == before


async def test_a_draft_that_would_be_expired_when_it_arrives_is_not_sent(mailing: Mailing) -> None:
    path = await reach(mailing, "estimate", date=YESTERDAY, expiry_date=YESTERDAY)

    response = await mailing.admin.post(f"{path}/send")

    assert mailing.invoice.refused(response) == (409, "estimate_not_sendable")
    assert "expiry date" in response.json()["detail"]
    assert await mailing.status(path) == "draft"


@pytest.mark.parametrize(
    ("steps", "fields", "sentence"),
    [
        ((), {"due_date": str(TODAY)}, "It is due on"),
        ((SENT,), {"date": YESTERDAY, "due_date": YESTERDAY}, "It was due on"),
        ((SENT, ("payments", {"amount": "9.90"})), {"due_date": str(TODAY)}, "Of this, $10.00 is due on"),
        ((SENT, ("payments", {"amount": "19.90"})), {}, "It is paid in full; thank you."),
    ],
)
async def test_the_message_says_what_is_expected_of_the_customer(
    mailing: Mailing, steps: tuple[tuple[str, dict[str, Any]], ...], fields: dict[str, Any], sentence: str
) -> None:
    path = await reach(mailing, "invoice", *steps, **fields)

    assert sentence in (await mailing.send(path))["message"]
