"""What the migrations make of records that are there already, up and down."""

import base64
import datetime
import io
from typing import Any

from alembic import command
from contracts.values import Address
from invoice_service.sending.models import Delivery
from invoice_service.tables import METADATA
from PIL import Image
from servicekit.db import Database, UtcDateTime
from servicekit.migrations import _config, drift, migrate
from sqlalchemy import JSON, Connection, bindparam, text

NOW = bindparam("now", datetime.datetime.now(datetime.UTC), UtcDateTime())
ADDRESS = bindparam("address", Address(street="Obere Str. 57", zip="12209", city="Berlin").model_dump(), JSON())
THEIRS = {"X-Organization-Id": "o"}

AT_THE_FIRST_REVISION = (
    "INSERT INTO organizations (id, version, name, address, currency_code, estimate_prefix, invoice_prefix, "
    "is_default, created_at, updated_at) "
    "VALUES ('o', 1, 'Northwind', :address, 'USD', 'EST-', 'INV-', false, :now, :now)",
    "INSERT INTO number_sequences (organization_id, kind, last_number) "
    "VALUES ('o', 'estimate', 1), ('o', 'invoice', 0)",
    "INSERT INTO customers (id, version, organization_id, customer_name, phone, fax, billing_address, "
    "shipping_address, currency_code, notes, status, source, transaction_count, created_at, updated_at) "
    "VALUES ('c', 1, 'o', 'Alfreds', '', '', :address, :address, 'USD', '', 'active', 'manual', 1, :now, :now)",
    "INSERT INTO estimates (id, version, organization_id, number, estimate_number, status, origin, customer_id, "
    "customer_name, billing_address, contact_person_name, date, expiry_waived, reference_number, currency_code, "
    "sub_total, discount_total, tax_total, total, notes, terms, created_at, updated_at) "
    "VALUES ('e', 1, 'o', 1, 'EST-000001', 'sent', 'manual', 'c', 'Alfreds', :address, '', '2026-01-31', false, '', "
    "'USD', 398000, 0, 75600, 473600, '', '', :now, :now)",
    "INSERT INTO estimate_lines (estimate_id, position, name, description, quantity, rate, discount_percentage, "
    "tax_percentage, item_total) VALUES ('e', 0, 'Order 10248', '', 2000000, 19900000, 0, 19000000, 398000)",
    "INSERT INTO estimate_history (estimate_id, at, who, what) VALUES ('e', :now, 'Ann', 'created')",
    "INSERT INTO estimate_history (estimate_id, at, who, what) VALUES ('e', :now, 'Ann', 'sent')",
)


async def down(database: Database, revision: str) -> None:
    def run(connection: Connection) -> None:
        config = _config("invoice_service")
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


async def estimate_from_the_first_revision(invoice: Any) -> dict[str, Any]:
    """The estimate, which must be shown as it was made."""
    shown: dict[str, Any] = invoice.ok(await invoice.admin.get("/v1/estimates/e", headers=THEIRS))
    (line,) = shown["line_items"]
    assert (line["name"], line["quantity"], line["rate"], line["unit"]) == ("Order 10248", "2", "19.90", "")
    assert (shown["sub_total"], shown["tax_total"], shown["total"]) == ("39.80", "7.56", "47.36")
    assert (shown["discount_percentage"], shown["adjustment"], shown["status"]) == ("0", "0.00", "sent")
    assert [entry["what"] for entry in shown["history"]][:2] == ["created", "sent"]
    return shown


async def fill(invoice: Any) -> None:
    """Records of every kind that came after the first revision."""
    admin = invoice.admin

    async def make(path: str, **body: Any) -> dict[str, Any]:
        created: dict[str, Any] = invoice.made(await admin.post(f"/v1/{path}", json=body, headers=THEIRS))
        return created

    drawn = io.BytesIO()
    Image.new("RGB", (40, 20)).save(drawn, "PNG")
    logo = f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"
    await make("plans", name="Small")
    changes = {"logo": logo, "plan": "Small", "number_starts": {"invoice": 500}}
    invoice.ok(await admin.patch("/v1/organizations/o", json=changes))
    await make("items", name="Queso Cabrales", rate="14")
    made = await make("estimates/e/convert")
    assert made["invoice_number"] == "INV-000500"
    invoice.ok(await admin.post(f"/v1/invoices/{made['id']}/status/sent", headers=THEIRS))
    await make(f"invoices/{made['id']}/payments", amount="7.36")
    other = await make("customers", customer_name="Alfreds GmbH")
    await make("payments", customer_id=other["id"], amount="5")
    invoice.ok(await admin.post(f"/v1/customers/{other['id']}/merge", json={"into": "c"}, headers=THEIRS))
    await invoice.apply(invoice.account("a"), invoice.contact("p", at="a"), invoice.contact("q"))
    async with invoice.database.transaction() as session:
        session.add(
            Delivery(
                organization_id="o",
                document_kind="invoice",
                document_id=made["id"],
                document_number=made["invoice_number"],
                to_addresses=["maria@alfreds.example"],
                cc_addresses=[],
                subject="Invoice",
                message="Dear Maria",
                created_by="Ann",
            )
        )


async def test_an_estimate_of_the_first_revision_is_served_and_stays_whatever_comes_and_goes(invoice: Any) -> None:
    await down(invoice.database, "0001")
    async with invoice.database.transaction() as session:
        for statement in AT_THE_FIRST_REVISION:
            given = [one for one in (NOW, ADDRESS) if f":{one.key}" in statement]
            await session.execute(text(statement).bindparams(*given))

    await migrate(invoice.database, "invoice_service")

    assert await drift(invoice.database, METADATA) == []
    shown = await estimate_from_the_first_revision(invoice)
    use = invoice.ok(await invoice.admin.get("/v1/organizations/o/use"))
    assert (use["documents"]["used"], use["customers"]["used"]) == (1, 1)
    await fill(invoice)

    await down(invoice.database, "0001")

    async with invoice.database.reading() as session:

        async def all_of(statement: str) -> list[Any]:
            return [tuple(row) for row in await session.execute(text(statement))]

        assert await all_of("SELECT kind, last_number FROM number_sequences WHERE organization_id = 'o'") == [
            ("estimate", 1),
            ("invoice", 0),
        ]
        assert await all_of("SELECT transaction_count FROM customers WHERE id = 'c'") == [(1,)]
        assert await all_of("SELECT kind FROM search_words WHERE kind IN ('invoice', 'item')") == []

    await migrate(invoice.database, "invoice_service")

    assert await drift(invoice.database, METADATA) == []
    again = await estimate_from_the_first_revision(invoice)
    assert again["line_items"] == shown["line_items"]
    assert invoice.ok(await invoice.admin.get("/v1/invoices", headers=THEIRS))["items"] == []
    use = invoice.ok(await invoice.admin.get("/v1/organizations/o/use"))
    assert (use["plan"], use["documents"]["used"]) == ("Unlimited", 1)
    converted = await invoice.admin.post("/v1/estimates/e/convert", headers=THEIRS)
    assert invoice.made(converted)["invoice_number"] == "INV-000001"
