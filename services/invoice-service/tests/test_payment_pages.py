"""Payments and e-mails on the pages of documents."""

from typing import Any

import pytest

from tests.mail_server import Postman
from tests.mailing import MARIA, invoice_settings, mail_server, mailing, postman

__all__ = ["invoice_settings", "mail_server", "mailing", "postman"]

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


class TestPayments:
    async def test_one_is_recorded_and_deleted_on_its_invoices_page(self, invoice: Any) -> None:
        bill = await invoice.bill((await invoice.customer("Blauer See"))["id"])
        member = await invoice.stack.visitor("invoice", "member")
        path = f"/invoices/{bill['id']}"
        opened = await member.get(f"{path}/payments/new")
        assert "$42.63 are owed by Blauer See." in opened.text
        much = await member.submit(opened, f"{path}/payments/new", amount="50", payment_mode="Card")
        assert much.status == 409
        assert "50.00 is more than the 42.63 USD owed" in much.text
        paid = await member.follow(await member.submit(much, f"{path}/payments/new", amount="20"))
        for words in ("The payment was recorded.", "Partially paid", "Balance due $22.63", "Card"):
            assert words in paid.text, words
        listed = await member.get("/payments")
        for words in ("Blauer See", "INV-000001", "$20.00"):
            assert words in listed.text, words
        [payment] = (await invoice.admin.get("/v1/payments")).json()["items"]
        gone = await member.follow(await member.submit(paid, f"/payments/{payment['id']}/delete"))
        assert "Nothing paid yet" in gone.text
        assert (await invoice.shown("invoices", bill["id"]))["balance"] == "42.63"
        assert "No payments yet" in (await member.get("/payments")).text

    @FORM
    async def test_amounts_are_typed_as_the_person_writes_them(self, invoice: Any) -> None:
        customer = (await invoice.customer())["id"]
        german = await invoice.stack.visitor("invoice", "member", language="de-DE")
        lines = {"line_items__0__name": "Kaffee", "line_items__0__quantity": "1.000", "line_items__0__rate": "1,5"}
        new = f"/invoices/new?customer_id={customer}"
        refused = await german.submit(new, "/invoices/new", **lines, adjustment="etwa 5")
        assert refused.error("adjustment") == "Must be a number, such as 1,5"
        made = await german.follow(await german.submit(refused, "/invoices/new", adjustment="-0,5"))
        assert "1.499,50" in made.text
        [bill] = (await invoice.admin.get("/v1/invoices")).json()["items"]
        edit = f"/invoices/{bill['id']}/edit"
        form = next(each for each in (await german.get(edit)).forms if "adjustment" in each.fields)
        assert [form.fields[f"line_items.0.{name}"] for name in ("quantity", "rate")] == ["1000", "1,50"]
        await german.submit(edit, edit, notes="unchanged amounts")
        assert (await invoice.shown("invoices", bill["id"]))["total"] == "1499.50"

    async def test_what_is_too_much_becomes_credit_which_pays_the_next_invoice(self, invoice: Any) -> None:
        customer = (await invoice.customer())["id"]
        first, second = await invoice.bill(customer), await invoice.bill(customer)
        member = await invoice.stack.visitor("invoice", "member")
        form = f"/invoices/{first['id']}/payments/new"
        assert (await member.submit(form, form, amount="60", excess_as_credit="true")).status == 303
        assert "$17.37" in (await member.get("/payments?status=credit")).text
        path = f"/invoices/{second['id']}"
        used = await member.follow(await member.submit(path, f"{path}/credits"))
        assert "Balance due $25.26" in used.text
        assert "Nothing found" in (await member.get("/payments?status=credit")).text

    @FORM
    async def test_a_viewer_sees_them_and_changes_none(self, invoice: Any) -> None:
        bill = await invoice.bill((await invoice.customer())["id"])
        payment = await invoice.pay(bill["id"], "1")
        viewer = await invoice.stack.visitor("invoice", "viewer")
        shown = await viewer.get(f"/invoices/{bill['id']}")
        assert "$1.00" in shown.text
        assert [form.action for form in shown.forms] == ["/sign-out"]
        token = shown.forms[0].fields
        assert (await viewer.get(f"/invoices/{bill['id']}/payments/new", status=403)).status == 403
        for action in (f"/payments/{payment['id']}/delete", f"/invoices/{bill['id']}/credits"):
            assert (await viewer.post(action, token)).status == 403


class TestSending:
    async def test_a_document_goes_out_with_what_was_written(self, mailing: Any, postman: Postman) -> None:
        path = (await mailing.document("estimate")).removeprefix("/v1")
        member = await mailing.invoice.stack.visitor("invoice", "member")
        composed = await member.get(f"{path}/send")
        [form] = [form for form in composed.forms if form.action == f"{path}/send"]
        assert form.fields["to"] == MARIA["email"]
        assert "Dear Maria Anders," in form.fields["message"]
        wrong = await member.submit(composed, f"{path}/send", to="nobody, maria@alfreds.example", message="Hello\n")
        assert wrong.status == 422
        assert wrong.error("to") is not None
        both = "maria@alfreds.example; hans@alfreds.example"
        gone = await member.follow(await member.submit(wrong, f"{path}/send", to=both))
        assert "On its way to maria@alfreds.example, hans@alfreds.example." in gone.text
        assert "EST-000001 Sent" in gone.text

        async def arrived() -> bool:
            return "Sent" in (await member.get(path)).text.partition("E-mails")[2]

        await mailing.invoice.stack.eventually(arrived)
        assert postman.messages[0]["To"] == "maria@alfreds.example, hans@alfreds.example"

    async def test_one_that_failed_is_tried_again(self, mailing: Any, postman: Postman) -> None:
        postman.to_recipient[MARIA["email"]] = "550 no such user"
        path = (await mailing.document("invoice")).removeprefix("/v1")
        member = await mailing.invoice.stack.visitor("invoice", "member")
        await member.submit(f"{path}/send", f"{path}/send")

        async def failed() -> Any:
            page = await member.get(path)
            return page if "550 no such user" in page.text else None

        told = await mailing.invoice.stack.eventually(failed)
        postman.to_recipient.clear()
        [retry] = [form.action for form in told.forms if form.action.startswith("/deliveries/")]
        again = await member.follow(await member.submit(told, retry))
        assert "It is tried again now." in again.text

        async def arrived() -> bool:
            return bool(postman.messages)

        await mailing.invoice.stack.eventually(arrived)

    @FORM
    async def test_a_viewer_sends_nothing(self, mailing: Any) -> None:
        path = (await mailing.document("estimate")).removeprefix("/v1")
        viewer = await mailing.invoice.stack.visitor("invoice", "viewer")
        shown = await viewer.get(path)
        assert "Send" not in shown.text
        assert (await viewer.get(f"{path}/send", status=403)).status == 403
        assert (await viewer.post(f"{path}/send", shown.forms[0].fields)).status == 403


@FORM
@pytest.mark.parametrize("invoice_settings", [{}])
async def test_without_a_mail_server_it_is_said_what_to_do(invoice: Any) -> None:
    made = await invoice.estimate((await invoice.customer())["id"])
    member = await invoice.stack.visitor("invoice", "member")
    assert "set SMTP_HOST and MAIL_FROM" in (await member.get(f"/estimates/{made['id']}/send", status=409)).text
