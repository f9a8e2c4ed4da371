"""What happens to a run that is interrupted, and to one whose services are away or answer nonsense."""

import asyncio
from typing import Any

import pytest
from sync_service.importing.worker import Worker
from sync_service.parts import Parts
from sync_service.runs import leases

GOOD = {"email": "ada@crm.test", "zsc_key": "zsc_good"}


async def begun(world: Any, **body: Any) -> Any:
    """A run that has asked the CRM for its first page, and waits for the answer."""
    world.crm.gate.clear()
    world.crm.asked.clear()
    run = (await world.person.post("/v1/imports", json=body)).json()

    async def asked() -> bool:
        return bool(world.crm.asked)

    await world.stack.eventually(asked)
    return run


def another_worker(world: Any, lease_seconds: float = 15) -> Worker:
    """The worker of another sync process on the same database."""
    service = world.stack.apps["sync"].state.service
    parts = Parts.of(service)
    return Worker(service.database, parts.crm, parts.invoice, delays=(0.05,), lease_seconds=lease_seconds)


async def test_s30_an_import_interrupted_by_a_restart_goes_on_where_it_was(world: Any) -> None:
    world.crm.fill(accounts=6)
    third = asyncio.Event()

    def hold_the_third(kind: str, cursor: str | None) -> None:
        if cursor == "4":
            world.crm.gate.clear()
            third.set()

    world.crm.on_page = hold_the_third
    run = (await world.person.post("/v1/imports", json=GOOD)).json()
    await third.wait()

    async def two_pages_done() -> bool:
        return bool((await world.person.get(f"/v1/imports/{run['id']}")).json()["counts"]["read"] == 4)

    await world.stack.eventually(two_pages_done)
    await world.stack.stop("sync")
    world.crm.asked.clear()
    world.crm.on_page = lambda kind, cursor: None
    world.crm.gate.set()
    await world.stack.start("sync")  # takes it at once: the one that stopped has given back its lease

    ended = await world.finished(run["id"])
    assert (ended["status"], ended["counts"]["created"], ended["counts"]["read"]) == ("completed", 10, 10)
    assert world.crm.asked[0] == ("accounts", "4")


async def test_of_several_workers_one_carries_out_a_run(world: Any) -> None:
    world.crm.fill(accounts=20)
    others = [asyncio.create_task(another_worker(world).run()) for _ in range(3)]
    try:
        run = await world.connect()
        second = await world.start()
    finally:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    assert run["counts"]["created"] == second["counts"]["unchanged"] == 24
    assert len(world.crm.asked) == len(set(world.crm.asked)) * 2


async def test_a_run_is_taken_over_when_its_lease_has_run_out_and_not_before(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", sync_lease_seconds=0.9)
    world.crm.fill()
    run = await begun(world, **GOOD)
    database = world.stack.database("sync")
    await asyncio.sleep(1.2)  # longer than the lease: it is renewed
    assert await leases.take(database, "another", seconds=60) is None

    async with database.transaction() as session:  # the process was killed, and its time is over
        current = await session.get(leases.ImportRun, run["id"])
        current.worker, current.leased_until = "one that was killed", current.created_at
    taken = await leases.take(database, "another", seconds=60)
    assert taken.id == run["id"]
    world.crm.gate.set()

    async def let_go() -> bool:
        # The first worker has noticed: it applies nothing more, and is free for the next run.
        return await leases.renew(database, run["id"], "another", seconds=0)

    await world.stack.eventually(let_go)
    ended = await world.finished(run["id"])
    assert (ended["status"], ended["counts"]["read"]) == ("completed", 9)


async def test_the_next_page_is_read_while_one_is_applied(world: Any) -> None:
    world.crm.fill()
    world.invoice.gate.clear()
    answer = await world.person.post("/v1/imports", json=GOOD)

    async def read_ahead() -> bool:
        return world.crm.asked == [("accounts", None), ("accounts", "2")]

    await world.stack.eventually(read_ahead)
    assert world.invoice.records == {}
    world.invoice.gate.set()
    assert (await world.finished(answer.json()["id"]))["counts"]["created"] == 9


@pytest.mark.parametrize("who", ["crm", "invoice"])
async def test_s30_a_service_that_is_away_for_a_while_delays_the_import_only(world: Any, who: str) -> None:
    world.crm.fill()
    away = getattr(world, who)
    away.down = True
    run = (await world.person.post("/v1/imports", json=GOOD)).json()

    async def told() -> Any:
        found = (await world.person.get(f"/v1/imports/{run['id']}")).json()
        return found["status"] == "running" and f"{who} answered 503" in (found["reason"] or "")

    await world.stack.eventually(told)
    away.down = False
    ended = await world.finished(run["id"])
    assert (ended["counts"]["created"], ended["reason"]) == (9, None)


async def test_a_service_that_answers_nonsense_is_tried_again_and_then_the_run_says_so(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", retry_delays=(0.02,))
    world.crm.fill()
    standing_still = {"items": [], "next_cursor": "2"}
    for nonsense in ({}, {"items": 7, "next_cursor": None}, {"items": [], "next_cursor": 3}, "<html>", standing_still):
        for fake, told in ((world.crm, "crm answered"), (world.invoice, "invoice answered")):
            fake.nonsense = nonsense
            run = await world.connect()
            assert run["status"] == "failed"
            assert f"{told} with something that is not" in run["reason"]
            fake.nonsense = None
    assert (await world.start())["counts"]["read"] == 9


async def test_a_service_that_stays_away_fails_the_import_with_the_reason(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", retry_delays=(0.05, 0.05))
    world.crm.fill()
    world.invoice.down = True
    run = await world.connect()
    assert run["status"] == "failed"
    assert "invoice answered 503" in run["reason"]
    assert "import again" in run["reason"]
    world.invoice.down = False
    assert (await world.start())["counts"]["created"] == 9


async def test_s21_a_key_revoked_halfway_fails_the_import_and_a_new_one_goes_on(world: Any) -> None:
    world.crm.fill()
    world.crm.on_page = lambda kind, cursor: world.crm.revoked.add("key-1") if kind == "contacts" else None
    run = await world.connect()
    assert (run["status"], run["counts"]["created"]) == ("failed", 5)
    assert "this ZSC key was revoked" in run["reason"]
    assert "Make a ZSC key in the CRM" in run["reason"]

    world.crm.on_page = lambda kind, cursor: None
    world.crm.keys["zsc_new"] = "key-2"
    second = await world.connect(zsc_key="zsc_new")
    assert (second["status"], second["counts"]["unchanged"], second["counts"]["created"]) == ("completed", 5, 4)


async def test_disconnecting_ends_an_import_that_runs(world: Any) -> None:
    world.crm.fill()
    run = await begun(world, **GOOD)
    assert (await world.person.delete("/v1/connection")).status_code == 204
    world.crm.gate.set()
    ended = await world.finished(run["id"])
    assert (ended["status"], "disconnected" in ended["reason"]) == ("failed", True)
    # The worker finds that out by itself, and is free for the next one.
    await world.connect()
