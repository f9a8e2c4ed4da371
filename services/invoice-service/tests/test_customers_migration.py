"""What the migration to likely duplicates makes of the customers and CRM links that are there already."""

from typing import Any

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
        alone = await session.execute(text("SELECT record_id FROM crm_links WHERE stands_alone ORDER BY 1"))
        assert alone.scalars().all() == ["e"]
    assert await invoice.outcomes(invoice.deleted("contact", "e", 2), invoice.deleted("account", "a", 2)) == [
        "deleted",
        "deleted",
    ]
    assert len(invoice.ok(await invoice.admin.get("/v1/customers/duplicates"))["items"]) == 1
