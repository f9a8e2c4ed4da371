"""Auto-update by the clock, and the nightly check (S26)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update
from sync_service.connections import Connection
from sync_service.parts import Parts
from sync_service.schedule import Schedule


async def connection(world: Any) -> Any:
    return (await world.person.get("/v1/connection")).json()


async def imports(world: Any, kind: str = "import") -> list[Any]:
    return list((await world.person.get("/v1/imports", params={"kind": kind})).json()["items"])


async def set_due(world: Any, **times: datetime) -> None:
    async with world.stack.database("sync").transaction() as session:
        await session.execute(update(Connection).values(times))


def hours_from_now(time: str) -> float:
    return (datetime.fromisoformat(time) - datetime.now(UTC)) / timedelta(hours=1)


async def run_by_itself(world: Any, kind: str, count: int = 1) -> Any:
    """The run of this kind that was started by nobody, when it has ended."""

    async def ended() -> Any:
        found = [one for one in await imports(world, kind) if one["started_by"] in ("auto-update", "nightly check")]
        return found[0] if len(found) == count and found[0]["finished_at"] else None

    return await world.stack.eventually(ended)


async def test_s26_the_next_import_is_due_an_interval_after_the_last_one_ended(world: Any) -> None:
    await world.connect()
    assert 11.9 < hours_from_now((await connection(world))["next_run_at"]) <= 12
    edited = (await world.person.patch("/v1/connection", json={"interval_hours": 24})).json()
    assert 23.9 < hours_from_now(edited["next_run_at"]) <= 24


async def test_s26_an_import_that_is_due_runs_by_itself_also_one_missed_while_nothing_ran(world: Any) -> None:
    await world.connect()
    etag = (await world.person.get("/v1/connection")).headers["ETag"]
    await set_due(world, next_run_at=datetime.now(UTC) - timedelta(days=3))
    await world.stack.stop("sync")
    world.crm.fill()
    await world.stack.start("sync")
    run = await run_by_itself(world, "import")
    assert run["counts"]["created"] == 9
    assert 11.9 < hours_from_now((await connection(world))["next_run_at"]) <= 12
    # What the clock does is no edit: nobody's edit is refused because of it.
    edited = await world.person.patch("/v1/connection", json={"interval_hours": 6}, headers={"If-Match": etag})
    assert edited.status_code == 200


async def test_of_several_processes_one_starts_what_is_due(world: Any) -> None:
    await world.connect()
    await set_due(world, next_run_at=datetime.now(UTC))
    schedules = [Schedule(world.stack.database("sync"), check_hours=0) for _ in range(5)]
    await asyncio.gather(*(one.start_what_is_due() for one in schedules))
    await run_by_itself(world, "import")
    assert len(await imports(world)) == 2


async def test_s26_without_auto_update_nothing_is_due_and_switching_it_on_imports_at_once(world: Any) -> None:
    await world.connect(auto_update=False)
    told = await connection(world)
    assert (told["next_run_at"], told["next_check_at"]) == (None, None)
    world.crm.fill()
    await world.person.patch("/v1/connection", json={"auto_update": True})
    run = await run_by_itself(world, "import")
    assert run["counts"]["created"] == 9
    await world.person.patch("/v1/connection", json={"auto_update": False})
    assert (await connection(world))["next_run_at"] is None


async def test_what_becomes_due_while_a_run_goes_on_waits_for_its_end(world: Any) -> None:
    await world.connect(auto_update=False)
    world.crm.gate.clear()
    going_on = (await world.person.post("/v1/imports", json={})).json()
    await world.person.patch("/v1/connection", json={"auto_update": True})
    await Parts.of(world.stack.apps["sync"].state.service).tick()
    assert len(await imports(world)) == 2  # none beside it
    world.crm.gate.set()
    await world.finished(going_on["id"])
    await run_by_itself(world, "import")
    assert hours_from_now((await connection(world))["next_run_at"]) > 11.9


async def test_after_a_failure_that_may_pass_it_is_tried_again_soon(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", retry_delays=(0.02,))
    world.invoice.down = True
    world.crm.fill()
    assert (await world.connect())["status"] == "failed"
    assert 0.2 < hours_from_now((await connection(world))["next_run_at"]) <= 0.25
    world.invoice.down = False
    world.crm.revoked.add("key-1")
    assert (await world.start())["status"] == "failed"
    assert hours_from_now((await connection(world))["next_run_at"]) > 11.9


async def test_a_check_runs_by_itself_once_a_day_and_its_differences_are_told(world: Any) -> None:
    world.crm.fill()
    await world.connect()
    service = world.stack.apps["sync"].state.service
    await Parts.of(service).tick()
    assert 23.9 < hours_from_now((await connection(world))["next_check_at"]) <= 24
    world.invoice.books.shown["account", "a0"]["customer.phone"] = "typed by hand"
    await set_due(world, next_check_at=datetime.now(UTC))
    check = await run_by_itself(world, "check")
    assert check["changes"] == 1
    told = await connection(world)
    assert told["last_check"]["id"] == check["id"]
    assert 23.9 < hours_from_now(told["next_check_at"]) <= 24


async def test_checks_can_be_switched_off(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", sync_check_hours=0)
    await world.connect()
    await set_due(world, next_check_at=datetime.now(UTC) - timedelta(hours=1))
    await Parts.of(world.stack.apps["sync"].state.service).tick()
    assert (await connection(world))["next_check_at"] is None
    assert await imports(world, "check") == []
