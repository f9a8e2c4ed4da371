"""Trying the records again that an import failed at."""

from typing import Any


async def refused(world: Any, run: Any) -> str:
    answer = await world.person.post(f"/v1/imports/{run['id']}/retry")
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


async def test_s30_the_failed_records_alone_are_tried_again_as_they_are_now(world: Any) -> None:
    world.crm.fill()
    world.invoice.refused = {"a1": "too strange", "a2": "too strange", "a4": "too strange"}
    world.crm.record("a3")["account_name"] = ""
    run = await world.connect()
    # a1 to a4, and the contacts of a1 and a2.
    assert (run["counts"]["failed"], run["counts"]["created"]) == (6, 3)

    world.invoice.refused = {"a4": "still too strange"}
    world.crm.change("a3", account_name="Named at last")
    world.crm.forget("c2")
    world.crm.asked.clear()
    retried = await world.start(f"/v1/imports/{run['id']}/retry")
    assert (retried["kind"], retried["retry_of"], retried["total"]) == ("retry", run["id"], 6)
    assert (retried["counts"]["read"], retried["counts"]["created"], retried["counts"]["failed"]) == (6, 4, 2)
    assert {one["record_id"]: one["reason"] for one in retried["failures"]} == {
        "a4": "still too strange",
        "c2": "the CRM does not have it any more",
    }
    assert world.crm.asked == []  # the feed was not read again
    assert "Named at last" in world.invoice.names

    world.invoice.refused = {}
    third = await world.start(f"/v1/imports/{retried['id']}/retry")
    assert (third["counts"]["created"], third["counts"]["failed"]) == (1, 1)


async def test_only_what_has_failures_and_has_ended_can_be_retried(world: Any) -> None:
    world.crm.fill()
    fine = await world.connect()
    assert await refused(world, fine) == "nothing_to_retry"
    world.invoice.refused["a9"] = "too strange"
    world.crm.feed["accounts"].append({"id": "a9", "version": 1, "account_name": "Nine"})
    dry = await world.start("/v1/imports?dry_run=true")
    assert dry["counts"]["failed"] == 1
    assert await refused(world, dry) == "nothing_to_retry"
    mending = await world.start("/v1/checks", mend=True)
    assert mending["counts"]["failed"] == 1
    assert await refused(world, mending) == "nothing_to_retry"
    failed = await world.start()
    await world.person.delete("/v1/connection")
    assert await refused(world, failed) == "not_connected"
    assert (await world.person.post("/v1/imports/nowhere/retry")).status_code == 404


async def test_a_broken_record_without_an_id_keeps_its_reason(world: Any) -> None:
    world.crm.feed["accounts"] = [{"account_name": "Who am I?"}]
    run = await world.connect()
    again = await world.start(f"/v1/imports/{run['id']}/retry")
    assert again["failures"] == run["failures"]
    assert again["failures"][0]["name"] == "Who am I?"
