"""What the migrations make of the runs that are there already."""

from typing import Any

from alembic import command
from servicekit.db import Database
from servicekit.migrations import _config, migrate
from sqlalchemy import Connection, text


async def _back_to_0001(database: Database) -> None:
    def run(connection: Connection) -> None:
        config = _config("sync_service")
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")

    async with database.engine.begin() as connection:
        await connection.run_sync(run)


async def test_runs_and_failures_that_are_there_stay_and_an_interrupted_one_goes_on(world: Any) -> None:
    world.crm.fill()
    world.invoice.refused["a1"] = "too strange"
    first = await world.connect()
    world.crm.gate.clear()
    second = (await world.person.post("/v1/imports", json={})).json()
    database = world.stack.database("sync")

    async def running() -> Any:
        return (await world.person.get(f"/v1/imports/{second['id']}")).json()["status"] == "running"

    await world.stack.eventually(running)
    async with database.transaction() as session:  # a process of the version before was killed at the second page
        await session.execute(text("UPDATE import_runs SET cursor = '2', worker = 'old' WHERE status = 'running'"))
    await world.stack.stop("sync")
    await _back_to_0001(database)
    endless = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(10_000))  # nothing that compresses
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE import_failures SET record_id = :endless WHERE record_id = 'c1'"), {"endless": endless}
        )
    await migrate(database, "sync_service")

    world.crm.gate.set()
    await world.stack.start("sync")
    ended = await world.finished(second["id"])
    # Three accounts and four contacts were left; the account of one of them came along once more.
    assert (ended["status"], ended["kind"], ended["counts"]["read"]) == ("completed", "import", 8)
    old = (await world.person.get(f"/v1/imports/{first['id']}")).json()
    assert (old["kind"], old["total"], old["changes"]) == ("import", None, 0)
    assert [(one["record_id"], one["name"]) for one in old["failures"]] == [("a1", ""), (endless[:128], "")]
    world.invoice.refused.clear()
    retried = await world.start(f"/v1/imports/{first['id']}/retry")
    assert (retried["total"], retried["counts"]["created"], retried["counts"]["failed"]) == (2, 1, 1)
