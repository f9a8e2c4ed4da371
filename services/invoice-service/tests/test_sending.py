"""Documents sent by e-mail, with a real mail server."""

import io
from typing import Any

import pypdf
import pytest

from tests.mail_server import Postman
from tests.mailing import MARIA, SENDER, Mailing, invoice_settings, mail_server, mailing, postman

__all__ = ["invoice_settings", "mail_server", "mailing", "postman"]


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


class TestSend:
    @pytest.mark.parametrize(("noun", "number"), [("estimate", "EST-000001"), ("invoice", "INV-000001")])
    async def test_a_draft_is_marked_sent_and_arrives_with_its_pdf(
        self, mailing: Mailing, postman: Postman, noun: str, number: str
    ) -> None:
        path = await mailing.document(noun)

        delivery = await mailing.send(path)

        assert (delivery["status"], delivery["to"], delivery["document_number"]) == ("queued", [MARIA["email"]], number)
        assert await mailing.status(path) == "sent"
        sent = await mailing.until(delivery, "sent")
        assert (sent["attempts"], sent["refused"], sent["last_error"]) == (1, [], "")
        assert sent["next_attempt_at"] is None
        assert sent["sent_at"] >= sent["created_at"]
        (message,) = postman.messages
        assert message["From"] == f"My Company <{SENDER}>"
        assert message["To"] == MARIA["email"]
        assert message["Subject"] == f"{noun.title()} {number} from My Company"
        assert message["Message-ID"] == f"<{delivery['id']}@northwind.example>"
        text, attached = message.iter_parts()
        assert "Dear Maria Anders," in text.get_content()
        assert f"{noun} {number}" in text.get_content()
        assert "for $19.90." in text.get_content()
        assert attached.get_filename() == f"{number}.pdf"
        printed = text_of(attached.get_content())
        assert number in printed
        assert "Consulting" in printed
        assert "DRAFT" not in printed
        who = "admin@invoice.test"
        assert await mailing.history(path) == [(who, "created"), (who, "sent"), (who, f"e-mailed to {MARIA['email']}")]
        assert [verb for verb, *_ in await mailing.invoice.told(noun)] == ["created", "status_changed"]

    async def test_a_customer_renamed_while_it_was_a_draft_has_the_new_name_everywhere(
        self, mailing: Mailing, postman: Postman
    ) -> None:
        invoice = mailing.invoice
        customer = await invoice.customer("Alfreds Futterkiste")
        draft = await invoice.bill(customer["id"], "draft")
        new = {"customer_name": "Alfreds Feinkost"}
        invoice.ok(await mailing.admin.patch(f"/v1/customers/{customer['id']}", json=new))
        path = f"/v1/invoices/{draft['id']}"

        delivery = await mailing.send(path, to=["office@alfreds.example"])

        await mailing.until(delivery, "sent")
        text, attached = postman.messages[0].iter_parts()
        assert "Dear Alfreds Feinkost," in text.get_content()
        assert "Alfreds Feinkost" in text_of(attached.get_content())
        assert invoice.ok(await mailing.admin.get(path))["customer_name"] == "Alfreds Feinkost"

    async def test_someone_else_can_get_it_in_other_words(self, mailing: Mailing, postman: Postman) -> None:
        path = await mailing.document()
        whole = {
            "to": ["office@alfreds.example", "Owner@ALFREDS.example", "office@alfreds.example"],
            "cc": ["me@northwind.example", "office@alfreds.example"],
            "subject": "Ваше предложение",
            "message": "Hello,\n\nas discussed.",
        }

        await mailing.until(await mailing.send(path, **whole), "sent")

        (message,) = postman.messages
        assert message["To"] == "office@alfreds.example, Owner@alfreds.example"
        assert message["Cc"] == "me@northwind.example"
        assert message["Subject"] == "Ваше предложение"
        assert next(message.iter_parts()).get_content().splitlines() == ["Hello,", "", "as discussed."]
        assert postman.got[0][0] == ["office@alfreds.example", "Owner@alfreds.example", "me@northwind.example"]

    async def test_it_goes_to_the_document_s_person_else_to_the_primary_one(
        self, mailing: Mailing, postman: Postman
    ) -> None:
        invoice = mailing.invoice
        persons = [
            MARIA | {"is_primary": True},
            {"last_name": "Moos", "email": "hanna@alfreds.example"},
            {"last_name": "Nobody"},
        ]
        customer = await invoice.customer(contact_persons=persons)
        ids = {person["last_name"]: person["id"] for person in customer["contact_persons"]}

        async def recipients(**of_document: Any) -> list[str]:
            estimate = await invoice.estimate(customer["id"], **of_document)
            to: list[str] = (await mailing.send(f"/v1/estimates/{estimate['id']}"))["to"]
            return to

        assert await recipients(contact_person_id=ids["Moos"]) == ["hanna@alfreds.example"]
        assert await recipients(contact_person_id=ids["Nobody"]) == ["maria@alfreds.example"]
        assert await recipients() == ["maria@alfreds.example"]

    async def test_without_an_address_it_says_where_to_put_one_and_changes_nothing(self, mailing: Mailing) -> None:
        path = await mailing.document(email="")

        response = await mailing.admin.post(f"{path}/send")

        assert mailing.invoice.refused(response) == (422, "recipient_missing")
        assert "primary contact person" in response.json()["detail"]
        assert await mailing.status(path) == "draft"
        assert mailing.invoice.ok(await mailing.admin.get("/v1/deliveries"))["items"] == []

    async def test_an_address_that_nothing_can_be_sent_to_is_named(self, mailing: Mailing) -> None:
        stored = await mailing.document(email="maria,hanna@alfreds.example")

        response = await mailing.admin.post(f"{stored}/send")
        typed = await mailing.admin.post(f"{stored}/send", json={"to": ["a@b.example", "Maria <a@b.example>"]})

        assert mailing.invoice.refused(response) == (422, "recipient_invalid")
        assert "Maria Anders" in response.json()["detail"]
        assert mailing.invoice.refused(typed) == (422, "validation_error")
        assert typed.json()["errors"][0]["field"] == "to.1"
        assert await mailing.status(stored) == "draft"

    async def test_pressed_twice_it_is_sent_once(self, mailing: Mailing, postman: Postman) -> None:
        path = await mailing.document()
        key = {"Idempotency-Key": "the one press"}

        first = await mailing.admin.post(f"{path}/send", headers=key)
        second = await mailing.admin.post(f"{path}/send", headers=key)

        assert (second.status_code, second.json()) == (202, first.json())
        await mailing.until(first.json(), "sent")
        assert len(postman.got) == 1

    async def test_someone_else_changed_it_meanwhile(self, mailing: Mailing, postman: Postman) -> None:
        path = await mailing.document()
        await mailing.admin.patch(path, json={"notes": "changed"})

        response = await mailing.admin.post(f"{path}/send", headers={"If-Match": '"1"'})

        assert mailing.invoice.refused(response) == (412, "version_conflict")
        assert await mailing.status(path) == "draft"

    async def test_what_was_sent_is_sent_again_as_it_is(self, mailing: Mailing, postman: Postman) -> None:
        path = await mailing.document()
        for _ in range(2):
            await mailing.until(await mailing.send(path), "sent")
        mailing.invoice.ok(await mailing.admin.post(f"{path}/status/accepted"))
        version = mailing.invoice.ok(await mailing.admin.get(path))["version"]

        await mailing.until(await mailing.send(path), "sent")

        again = mailing.invoice.ok(await mailing.admin.get(path))
        assert (again["status"], again["version"]) == ("accepted", version)
        assert len({message["Message-ID"] for message in postman.messages}) == 3
        accepted = list(postman.messages[-1].iter_parts())[1]
        assert "ACCEPTED" in text_of(accepted.get_content())

    async def test_a_void_invoice_is_not_sent(self, mailing: Mailing) -> None:
        path = await mailing.document("invoice")
        mailing.invoice.ok(await mailing.admin.post(f"{path}/status/void"))

        response = await mailing.admin.post(f"{path}/send")

        assert mailing.invoice.refused(response) == (409, "invoice_void")
        assert mailing.invoice.ok(await mailing.admin.get("/v1/deliveries"))["items"] == []

    async def test_what_another_organization_sends_cannot_be_reached(self, mailing: Mailing) -> None:
        invoice = mailing.invoice
        path = await mailing.document()
        delivery = await mailing.send(path)
        other = invoice.made(await mailing.admin.post("/v1/organizations", json={"name": "X", "currency_code": "EUR"}))
        there = {"X-Organization-Id": other["id"]}
        one = f"/v1/deliveries/{delivery['id']}"

        assert invoice.refused(await mailing.admin.get(one, headers=there)) == (404, "delivery_not_found")
        assert invoice.refused(await mailing.admin.post(f"{one}/retry", headers=there)) == (404, "delivery_not_found")
        assert invoice.refused(await mailing.admin.post(f"{path}/send", headers=there)) == (404, "estimate_not_found")
        assert invoice.ok(await mailing.admin.get("/v1/deliveries", headers=there))["items"] == []

    async def test_deliveries_are_listed_newest_first_and_filtered(self, mailing: Mailing, postman: Postman) -> None:
        postman.to_recipient = {"gone@alfreds.example": "550 no such user"}
        path, other = await mailing.document(), await mailing.document()
        sent = await mailing.until(await mailing.send(path), "sent")
        failed = await mailing.until(await mailing.send(path, to=["gone@alfreds.example"]), "failed")
        third = await mailing.until(await mailing.send(other), "sent")

        async def ids(**query: Any) -> list[str]:
            page = mailing.invoice.ok(await mailing.admin.get("/v1/deliveries", params=query))
            if page["next_cursor"]:
                query["cursor"] = page["next_cursor"]
                return [*(one["id"] for one in page["items"]), *await ids(**query)]
            return [one["id"] for one in page["items"]]

        newest_first = [third["id"], failed["id"], sent["id"]]
        assert await ids() == await ids(limit=1) == newest_first
        assert await ids(status="failed") == [failed["id"]]
        assert await ids(document_id=path.rpartition("/")[2]) == newest_first[1:]
        viewer = await mailing.invoice.stack.person("invoice", "viewer")
        assert mailing.invoice.refused(await viewer.post(f"{path}/send"))[0] == 403


class TestNoMailServer:
    @pytest.fixture
    def invoice_settings(self) -> dict[str, Any]:
        return {}

    async def test_without_a_way_out_it_says_which_setting_is_missing(self, mailing: Mailing) -> None:
        path = await mailing.document()

        response = await mailing.admin.post(f"{path}/send")

        assert mailing.invoice.refused(response) == (409, "mail_not_configured")
        assert "SMTP_HOST" in response.json()["detail"]
        assert await mailing.status(path) == "draft"


class TestFolder:
    @pytest.fixture
    def invoice_settings(self, tmp_path: Any) -> dict[str, Any]:
        return {"mail_dir": tmp_path / "mail"}

    async def test_messages_are_written_as_files(self, mailing: Mailing, tmp_path: Any) -> None:
        delivery = await mailing.until(await mailing.send(await mailing.document()), "sent")

        (file,) = (tmp_path / "mail").iterdir()
        assert file.name.endswith(f"{delivery['id']}.eml")
        assert b"EST-000001.pdf" in file.read_bytes()
