"""Documents sent by e-mail in tests: who gets them, and what is seen of it. The fixtures are imported by name."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mail_server import Postman, Server

SENDER = "invoices@northwind.example"
MARIA = {"first_name": "Maria", "last_name": "Anders", "email": "maria@alfreds.example"}


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def mail_server(postman: Postman) -> Iterator[Server]:
    running = Server(postman, hostname="127.0.0.1", port=0)
    running.start()
    yield running
    running.stop()


def mail_settings(port: int) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "mail_from": SENDER,
        "mail_retry_delays": (0.02,) * 500,
    }


@pytest.fixture
def invoice_settings(mail_server: Server) -> dict[str, Any]:
    return mail_settings(mail_server.port)


class Mailing:
    """A customer, and what happens to documents that are sent to them."""

    def __init__(self, invoice: Any) -> None:
        self.invoice = invoice
        self.admin = invoice.admin

    async def document(self, noun: str = "estimate", **person: Any) -> str:
        """The path of a draft, for a customer with a contact person."""
        customer = await self.invoice.customer(contact_persons=[MARIA | person])
        body = {"customer_id": customer["id"], "line_items": [{"name": "Consulting", "rate": "19.90"}]}
        made = self.invoice.made(await self.admin.post(f"/v1/{noun}s", json=body))
        return f"/v1/{noun}s/{made['id']}"

    async def send(self, path: str, **body: Any) -> dict[str, Any]:
        """The delivery that sending is answered with."""
        response = await self.admin.post(f"{path}/send", json=body)
        assert response.status_code == 202, response.text
        delivery: dict[str, Any] = response.json()
        assert response.headers["location"] == f"/v1/deliveries/{delivery['id']}"
        return delivery

    async def shown(self, delivery: dict[str, Any]) -> dict[str, Any]:
        """The delivery as it is now."""
        found: dict[str, Any] = self.invoice.ok(await self.admin.get(f"/v1/deliveries/{delivery['id']}"))
        return found

    async def until(self, delivery: dict[str, Any], status: str) -> dict[str, Any]:
        """The delivery, once it has this status."""

        async def check() -> dict[str, Any] | None:
            found = await self.shown(delivery)
            return found if found["status"] == status else None

        reached: dict[str, Any] = await self.invoice.stack.eventually(check)
        return reached

    async def history(self, path: str) -> list[tuple[str, str]]:
        """Who did what with the document."""
        document = self.invoice.ok(await self.admin.get(path))
        return [(one["who"], one["what"]) for one in document["history"]]

    async def status(self, path: str) -> str:
        """The document's status."""
        status: str = self.invoice.ok(await self.admin.get(path))["status"]
        return status


@pytest.fixture
def mailing(invoice: Any) -> Mailing:
    return Mailing(invoice)
