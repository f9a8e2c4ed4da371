"""The migrations make what the models declare."""

from typing import Any

from crm_service.tables import METADATA
from servicekit.migrations import drift


async def test_the_migrated_database_is_what_the_models_declare(stack: Any) -> None:
    await stack.start("crm")
    assert await drift(stack.database("crm"), METADATA) == []
