"""E-mails that do not arrive at once: refused, put off, cut off, killed midway."""

import asyncio
from collections import Counter
from typing import Any

from invoice_service.sending.courier import Courier
from invoice_service.sending.kinds import MAILABLES
from invoice_service.sending.models import Delivery
from invoice_service.sending.smtp_mailer import SmtpMailer
from servicekit.db import Database, utc_now
from sqlalchemy import func, select, update

from tests.mail_server import Postman, Server
from tests.mailing import MARIA, SENDER, Mailing, invoice_settings, mail_server, mail_settings, mailing, postman

__all__ = ["invoice_settings", "mail_server", "mailing", "postman"]

ADDRESS = MARIA["email"]


async def test_a_refused_e_mail_fails_at_once_in_the_server_s_words_and_can_be_tried_again(
    mailing: Mailing, postman: Postman
) -> None:
    postman.to_recipient = {ADDRESS: "550 5.1.1 no such user"}
    path = await mailing.document()

    failed = await mailing.until(await mailing.send(path), "failed")

    assert (failed["attempts"], failed["sent_at"], failed["next_attempt_at"]) == (1, None, None)
    assert failed["refused"] == [{"address": ADDRESS, "reason": "550 5.1.1 no such user"}]
    what = f"the e-mail to {ADDRESS} failed: {ADDRESS}: 550 5.1.1 no such user"
    assert (await mailing.history(path))[-1] == ("system", what)
    assert await mailing.status(path) == "sent"
    postman.to_recipient = {}
    retry = f"/v1/deliveries/{failed['id']}/retry"
    assert (await mailing.admin.post(retry)).status_code == 202
    sent = await mailing.until(failed, "sent")
    assert (sent["refused"], sent["last_error"]) == ([], "")
    assert len(postman.got) == 1
    assert mailing.invoice.refused(await mailing.admin.post(retry)) == (409, "delivery_not_failed")


async def test_each_recipient_gets_it_once_whatever_the_others_servers_say(mailing: Mailing, postman: Postman) -> None:
    full, gone = "full@alfreds.example", "gone@alfreds.example"
    postman.to_recipient = {full: "452 mailbox full", gone: "550 no such user"}

    path = await mailing.document()
    delivery = await mailing.send(path, to=[ADDRESS, full], cc=[gone])

    async def put_off() -> bool:
        shown = await mailing.shown(delivery)
        return shown["status"] == "queued" and shown["last_error"] == f"{full}: 452 mailbox full"

    await mailing.invoice.stack.eventually(put_off)
    postman.to_recipient = {}
    sent = await mailing.until(delivery, "sent")
    assert sent["refused"] == [{"address": gone, "reason": "550 no such user"}]
    told = [what for who, what in await mailing.history(path) if who == "system"]
    assert told == [f"the e-mail did not reach {gone}: 550 no such user"]
    assert [recipients for recipients, _ in postman.got] == [[ADDRESS], [full]]
    assert len({message["Message-ID"] for message in postman.messages}) == 1


async def test_a_server_that_drops_the_connection_gets_it_again(mailing: Mailing, postman: Postman) -> None:
    postman.to_message = "drop"
    delivery = await mailing.send(await mailing.document())

    async def tried() -> bool:
        return (await mailing.shown(delivery))["last_error"] != ""

    await mailing.invoice.stack.eventually(tried)
    postman.to_message = "250 taken"

    sent = await mailing.until(delivery, "sent")
    assert sent["attempts"] > 1
    assert len(postman.got) == 1


async def test_an_e_mail_waits_for_a_server_that_is_down(stack: Any, mailing: Mailing, postman: Postman) -> None:
    server = Server(postman, hostname="127.0.0.1", port=0)
    server.start()
    await asyncio.to_thread(server.stop)
    await stack.stop("invoice")
    await stack.start("invoice", **mail_settings(server.port))
    delivery = await mailing.send(await mailing.document())

    async def tried() -> bool:
        shown = await mailing.shown(delivery)
        assert shown["status"] == "queued"
        return f"127.0.0.1:{server.port}" in shown["last_error"]

    await stack.eventually(tried)
    again = Server(postman, hostname="127.0.0.1", port=server.port)
    again.start()
    try:
        await mailing.until(delivery, "sent")
    finally:
        await asyncio.to_thread(again.stop)
    assert len(postman.got) == 1


async def test_after_the_last_attempt_it_is_shown_as_failed(stack: Any, mailing: Mailing, postman: Postman) -> None:
    await stack.stop("invoice")
    await stack.start("invoice", **mail_settings(1) | {"mail_retry_delays": (0, 0)})

    failed = await mailing.until(await mailing.send(await mailing.document()), "failed")

    assert failed["attempts"] == 3
    assert "127.0.0.1:1" in failed["last_error"]


async def test_what_became_void_while_it_waited_is_not_sent(mailing: Mailing, postman: Postman) -> None:
    postman.to_message = "451 later"
    path = await mailing.document("invoice")
    delivery = await mailing.send(path)
    mailing.invoice.ok(await mailing.admin.post(f"{path}/status/void"))

    failed = await mailing.until(delivery, "failed")

    assert "void" in failed["last_error"]
    assert (await mailing.history(path))[-1][0] == "system"
    assert postman.got == []


def courier(database: Database, server: Server) -> Courier:
    """A second process's courier."""
    mailer = SmtpMailer("127.0.0.1", port=server.port, security="none", sender=SENDER)
    return Courier(database, mailer, MAILABLES, delays=(0,))


async def test_several_couriers_at_once_send_each_e_mail_once(
    mailing: Mailing, mail_server: Server, postman: Postman
) -> None:
    path = await mailing.document()
    first = await mailing.until(await mailing.send(path), "sent")
    database = mailing.invoice.database
    async with database.transaction() as session:
        one = await session.get(Delivery, first["id"])
        kept = ("organization_id", "document_kind", "document_id", "document_number", "to_addresses", "cc_addresses")
        values = {name: getattr(one, name) for name in (*kept, "subject", "message", "created_by")}
        session.add_all(Delivery(**values) for _ in range(20))

    async def work(one: Courier) -> None:
        while await one.send_due():
            pass

    await asyncio.gather(*(work(courier(database, mail_server)) for _ in range(3)))

    async def all_sent() -> bool:
        page = mailing.invoice.ok(await mailing.admin.get("/v1/deliveries", params={"status": "sent"}))
        return len(page["items"]) == 21

    await mailing.invoice.stack.eventually(all_sent)
    assert set(Counter(message["Message-ID"] for message in postman.messages).values()) == {1}
    assert len(postman.got) == 21


async def test_one_whose_process_was_killed_midway_is_sent_again_and_can_be_recognised(
    stack: Any, mailing: Mailing, mail_server: Server, postman: Postman
) -> None:
    postman.to_message = "hang"  # the server has it, and the process dies before it is told so
    delivery = await mailing.send(await mailing.document())

    async def taken() -> bool:
        return len(postman.got) == 1

    await stack.eventually(taken)
    await stack.stop("invoice")
    postman.to_message = "250 taken"
    await stack.start("invoice", **mail_settings(mail_server.port))
    database = stack.database("invoice")
    other = courier(database, mail_server)
    assert await other.send_due() == 0
    assert (await mailing.shown(delivery))["status"] == "queued"

    async with database.transaction() as session:  # five minutes later
        await session.execute(update(Delivery).values(next_attempt_at=utc_now()))
    await other.send_due()

    sent = await mailing.until(delivery, "sent")
    assert sent["attempts"] == 2
    first, second = postman.messages
    assert first["Message-ID"] == second["Message-ID"]


async def test_what_cannot_be_sent_leaves_nothing_behind(mailing: Mailing) -> None:
    path = await mailing.document()
    await mailing.admin.post(f"{path}/status/sent")
    before = await mailing.history(path)

    response = await mailing.admin.post(f"{path}/send", json={"to": [ADDRESS] * 21})

    assert mailing.invoice.refused(response) == (422, "validation_error")
    async with mailing.invoice.database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(Delivery))).scalar() == 0
    assert await mailing.history(path) == before
