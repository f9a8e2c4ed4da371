"""Following a run while it lasts (S30)."""

import asyncio
from typing import Any

import orjson

GOOD = {"email": "ada@crm.test", "zsc_key": "zsc_good"}


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        kind, data = block.split("\n")
        found.append((kind.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))))
    return found


async def test_s30_progress_is_told_while_a_run_lasts_and_its_end(world: Any) -> None:
    world.crm.fill(accounts=6)
    world.invoice.gate.clear()
    run = (await world.person.post("/v1/imports", json=GOOD)).json()
    following = asyncio.create_task(world.person.get(f"/v1/imports/{run['id']}/progress"))

    async def total_known() -> Any:
        return (await world.person.get(f"/v1/imports/{run['id']}")).json()["total"] == 10

    await world.stack.eventually(total_known)
    await asyncio.sleep(0.3)  # so that it is seen as it is now
    world.invoice.gate.set()
    told = events((await following).text)
    assert {kind for kind, _ in told[:-1]} == {"progress"}
    assert any((seen["status"], seen["counts"]["read"], seen["total"]) == ("running", 0, 10) for _, seen in told)
    kind, last = told[-1]
    assert (kind, last["id"], last["status"], last["counts"]["created"]) == ("end", run["id"], "completed", 10)
    reads = [seen["counts"]["read"] for _, seen in told]
    assert reads == sorted(reads)


async def test_a_run_that_has_ended_is_told_once_and_one_that_is_not_there_is_not_found(world: Any) -> None:
    run = await world.connect()
    told = events((await world.person.get(f"/v1/imports/{run['id']}/progress")).text)
    assert [kind for kind, _ in told] == ["progress", "end"]
    missing = await world.person.get("/v1/imports/nowhere/progress")
    assert (missing.status_code, missing.json()["code"]) == (404, "import_not_found")


async def test_a_stream_ends_when_the_service_stops(world: Any) -> None:
    world.crm.fill()
    world.crm.gate.clear()
    run = (await world.person.post("/v1/imports", json=GOOD)).json()
    following = asyncio.create_task(world.person.get(f"/v1/imports/{run['id']}/progress"))
    await asyncio.sleep(0.3)
    assert not following.done()
    await world.stack.stop("sync")
    async with asyncio.timeout(5):
        told = events((await following).text)
    assert "end" not in [kind for kind, _ in told]
