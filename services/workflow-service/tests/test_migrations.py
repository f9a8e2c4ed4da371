"""What the migrations make of what the workflow knew already."""

from typing import Any

from alembic import command
from contracts.potentials import PotentialLost, PotentialSnapshot, PotentialUpdated, PotentialWon
from servicekit.migrations import _config, migrate
from sqlalchemy import Connection


def deal(potential_id: str, version: int, status: Any = "won", amount: str | None = "440.00") -> PotentialSnapshot:
    return PotentialSnapshot(
        id=potential_id,
        version=version,
        potential_name="Order",
        account_id="a1",
        stage="any",
        status=status,
        amount=amount,
        currency_code="EUR",
    )


async def test_what_was_known_before_the_history_of_the_set_up_goes_on_as_it_was(world: Any) -> None:
    def back(connection: Connection) -> None:
        config = _config("workflow_service")
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")

    world.publish(PotentialWon(data=deal("before", 2)))
    await world.consumed(1)
    await world.activate(trigger="invoices")
    await world.follow(PotentialWon(data=deal("made", 2)))
    await world.follow(PotentialWon(data=deal("without amount", 2, amount=None)))
    database = world.stack.database("workflow")
    await world.stack.stop("workflow")
    async with database.engine.begin() as connection:
        await connection.run_sync(back)
    await migrate(database, "workflow_service")
    await world.stack.start("workflow")

    before = await world.follow(PotentialUpdated(data=deal("before", 3)))
    assert "won while the workflow was not active" in before["reason"]
    await world.follow(PotentialUpdated(data=deal("without amount", 3)))
    await world.follow(PotentialLost(data=deal("made", 3, "lost")))
    assert world.invoice.statuses == ["void", "draft"]
