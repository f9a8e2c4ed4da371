"""What the migration to likely duplicates makes of the customers and CRM links that are there already."""

import ast
from pathlib import Path
from typing import Any

import invoice_service
from alembic import command
from servicekit.db import Database
from servicekit.migrations import _config, migrate
from sqlalchemy import Connection, text


async def _to(database: Database, revision: str) -> None:
    def run(connection: Connection) -> None:
        config = _config("invoice_service")
        config.attributes["connection"] = connection
        (command.downgrade if revision == "0003" else command.upgrade)(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


async def test_customers_that_are_there_are_paired_and_links_stay_what_they_are(invoice: Any) -> None:
    await invoice.customer("Alfreds", phone="030-1234567")
    await invoice.customer("Alfreds GmbH")
    address = {"street": "Obere Straße 57", "zip": "12209", "city": "Berlin"}
    await invoice.customer("Müller & Söhne G.m.b.H.", phone="(030) 765 43 21", shipping_address=address)
    inactive = await invoice.customer("ALFREDS")
    await invoice.admin.post(f"/v1/customers/{inactive['id']}/inactive")
    await invoice.apply(
        invoice.account("a", phone="+49 30 1234567"), invoice.contact("c", at="a"), invoice.contact("e")
    )
    before = invoice.ok(await invoice.admin.get("/v1/customers/duplicates"))["items"]
    assert len(before) == 2

    await _to(invoice.database, "0003")
    await migrate(invoice.database, "invoice_service")

    assert invoice.ok(await invoice.admin.get("/v1/customers/duplicates"))["items"] == before
    async with invoice.database.reading() as session:
        recognised_by = text("SELECT name_key, phone_key, address_key FROM customers WHERE customer_name LIKE 'M%'")
        keys = (await session.execute(recognised_by)).one()
        assert keys == ("muller sohne", "307654321", "obere str 57, 12209")
        alone = await session.execute(text("SELECT record_id FROM crm_links WHERE stands_alone ORDER BY 1"))
        assert alone.scalars().all() == ["e"]
    assert await invoice.outcomes(invoice.deleted("contact", "e", 2), invoice.deleted("account", "a", 2)) == [
        "deleted",
        "deleted",
    ]
    assert len(invoice.ok(await invoice.admin.get("/v1/customers/duplicates"))["items"]) == 1


def test_what_a_migration_did_does_not_change_with_the_code() -> None:
    """None uses anything of the service: an old database becomes what it became when the migration was written."""
    for file in (Path(invoice_service.__file__).parent / "migrations" / "versions").glob("*.py"):
        found = [one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Import | ast.ImportFrom)]
        imported = {one.module or "" for one in found if isinstance(one, ast.ImportFrom)}
        imported |= {alias.name for one in found if isinstance(one, ast.Import) for alias in one.names}
        assert not [name for name in imported if name.startswith("invoice_service")], file.name
