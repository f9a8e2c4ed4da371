"""The service as a whole: its database, and who may do what."""

from typing import Any

from invoice_service.tables import METADATA
from servicekit.migrations import drift


async def test_the_migrated_database_is_what_the_models_declare(stack: Any) -> None:
    await stack.start("invoice")

    assert await drift(stack.database("invoice"), METADATA) == []
