"""The service as a whole: its database, and who may do what."""

import asyncio
from typing import Any

from invoice_service.numbering import number_sequences
from invoice_service.organizations.models import Organization
from invoice_service.organizations.service import ensure_default
from invoice_service.tables import METADATA
from servicekit.migrations import drift
from sqlalchemy import delete, select


async def test_the_migrated_database_is_what_the_models_declare(stack: Any) -> None:
    await stack.start("invoice")

    assert await drift(stack.database("invoice"), METADATA) == []


async def test_it_describes_its_api(stack: Any) -> None:
    await stack.start("invoice")

    described = (await stack.anonymous("invoice").get("/openapi.json")).json()

    assert {
        "/v1/organizations",
        "/v1/customers/{customer_id}",
        "/v1/crm/customers",
        "/v1/estimates/{estimate_id}/status/{status}",
        "/v1/estimates/{estimate_id}/pdf",
    } <= set(described["paths"])


async def test_without_a_token_nothing_is_shown(stack: Any) -> None:
    await stack.start("invoice")
    anonymous = stack.anonymous("invoice")
    for path in ("/v1/organizations", "/v1/customers", "/v1/estimates", "/v1/estimates/x/pdf"):
        assert (await anonymous.get(path)).status_code == 401


async def test_of_processes_that_start_at_once_one_makes_the_default_organization(stack: Any) -> None:
    await stack.start("invoice")
    database = stack.database("invoice")
    async with database.transaction() as session:
        await session.execute(delete(number_sequences))
        await session.execute(delete(Organization))

    await asyncio.gather(*(ensure_default(database, name="Mine", currency_code="EUR") for _ in range(5)))

    async with database.reading() as session:
        assert (await session.execute(select(Organization.name))).scalars().all() == ["Mine"]
