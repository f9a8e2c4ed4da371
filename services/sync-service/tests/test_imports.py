"""Import runs: what they count, what they fail at, and what happens to one that is interrupted."""

import asyncio
from typing import Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from sync_service import runs


def fill(crm: Any, accounts: int = 5, contacts: int = 3) -> None:
    """Accounts, a contact for each of the first ones, and one contact that stands alone."""
    crm.feed["accounts"] = [
        AccountSnapshot(id=f"a{number}", version=1, account_name=f"Company {number}").model_dump(mode="json")
        for number in range(accounts)
    ]
    crm.feed["contacts"] = [
        ContactSnapshot(id=f"c{number}", version=1, last_name="P", account_id=f"a{number}").model_dump(mode="json")
        for number in range(contacts)
    ] + [ContactSnapshot(id="alone", version=1, last_name="Alone").model_dump(mode="json")]


async def again(world: Any) -> Any:
    return await world.finished((await world.person.post("/v1/imports", json={})).json()["id"])


async def test_s30_an_import_counts_what_it_did_and_the_second_changes_nothing(world: Any) -> None:
    fill(world.crm)
    first = await world.connect()
    assert first["status"] == "completed"
    assert first["counts"]["read"] == first["counts"]["created"] == 9
    assert len(world.invoice.records) == 9

    second = await again(world)
    assert second["counts"] == dict.fromkeys(second["counts"], 0) | {"read": 9, "unchanged": 9}
    listed = (await world.person.get("/v1/imports", params={"limit": 1})).json()
    assert [run["id"] for run in listed["items"]] == [second["id"]]
    older = await world.person.get("/v1/imports", params={"limit": 1, "cursor": listed["next_cursor"]})
    assert [run["id"] for run in older.json()["items"]] == [first["id"]]


async def test_accounts_come_before_contacts_page_by_page(world: Any) -> None:
    fill(world.crm, accounts=3, contacts=2)
    await world.connect()
    assert world.crm.asked == [("accounts", None), ("accounts", "2"), ("contacts", None), ("contacts", "2")]


async def test_s28_tombstones_in_the_feed_delete(world: Any) -> None:
    fill(world.crm, accounts=1, contacts=0)
    await world.connect(auto_update=False)
    world.crm.feed["accounts"][0] |= {"version": 2, "deleted": True}
    assert (await again(world))["counts"]["deleted"] == 1
    assert world.invoice.records["account", "a0"].deleted


async def test_s30_each_failure_is_told_with_its_record_and_reason(world: Any) -> None:
    fill(world.crm)
    world.invoice.refused = {"a1": "customer_name: too strange"}
    world.crm.feed["accounts"][2]["account_name"] = " "
    world.crm.feed["accounts"][3]["phone"] = 17
    run = await world.connect()
    assert run["status"] == "completed"
    assert (run["counts"]["failed"], run["counts"]["read"]) == (5, 9)
    failures = {failure["record_id"]: failure["reason"] for failure in run["failures"]}
    assert failures["a1"] == "customer_name: too strange"
    assert "has no name" in failures["a2"]
    assert "phone" in failures["a3"]
    # Their accounts were refused, so nothing is known of them.
    assert "its account is not in Invoice" in failures["c1"]
    assert sum(count for name, count in run["counts"].items() if name != "read") == run["counts"]["read"]


async def test_of_very_many_failures_the_first_are_kept_and_all_are_counted(world: Any) -> None:
    world.crm.page_size = 500
    fill(world.crm, accounts=450, contacts=0)
    for account in world.crm.feed["accounts"]:
        account["account_name"] = ""
    run = await world.connect()
    assert run["counts"]["failed"] == 450
    assert len(run["failures"]) == 200


async def test_one_import_at_a_time(world: Any) -> None:
    fill(world.crm)
    world.crm.gate.clear()
    good = {"email": "ada@crm.test", "zsc_key": "zsc_good"}
    first = (await world.person.post("/v1/imports", json=good)).json()
    for body in ({}, good | {"auto_update": True}):
        second = await world.person.post("/v1/imports", json=body)
        assert (second.status_code, second.json()["code"]) == (409, "import_running")
        assert second.json()["import_id"] == first["id"]
    assert (await world.person.get("/v1/connection")).json()["auto_update"] is False
    world.crm.gate.set()
    assert (await world.finished(first["id"]))["status"] == "completed"


async def test_the_same_request_twice_is_one_import(world: Any) -> None:
    await world.connect()
    key = {"Idempotency-Key": "pressed-twice"}
    answers = [await world.person.post("/v1/imports", json={}, headers=key) for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert len((await world.person.get("/v1/imports")).json()["items"]) == 2


async def test_a_dry_run_is_refused_rather_than_done_for_real(world: Any) -> None:
    await world.connect()
    answer = await world.person.post("/v1/imports?dry_run=true", json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "dry_run_not_available")
    assert len((await world.person.get("/v1/imports")).json()["items"]) == 1


async def test_s30_an_import_interrupted_by_a_restart_goes_on_where_it_was(world: Any) -> None:
    fill(world.crm, accounts=6)
    await world.connect()
    world.crm.asked.clear()
    world.invoice.records.clear()
    run = (await world.person.post("/v1/imports", json={})).json()

    async def one_page_applied() -> bool:
        found = (await world.person.get(f"/v1/imports/{run['id']}")).json()
        world.crm.gate.clear()
        return found["counts"]["read"] >= 2

    world.crm.gate.set()
    await world.stack.eventually(lambda: _stepping(world, one_page_applied))
    await world.stack.stop("sync")
    pages_before = len(world.crm.asked)
    world.crm.gate.set()
    await world.stack.start("sync")

    ended = await world.finished(run["id"])
    assert (ended["status"], ended["counts"]["read"]) == ("completed", 10)
    assert len(world.invoice.records) == 10
    assert pages_before >= 2
    assert world.crm.asked[pages_before] != ("accounts", None)


async def test_a_worker_that_was_overtaken_stops_at_its_next_page(world: Any) -> None:
    fill(world.crm)
    world.crm.gate.clear()
    run = (await world.person.post("/v1/imports", json={"email": "ada@crm.test", "zsc_key": "zsc_good"})).json()
    await world.stack.eventually(lambda: _asked(world))
    assert await runs.take(world.stack.database("sync"), "a process that has just started", at_start=True)
    world.crm.gate.set()

    async def applied() -> bool:
        return bool(world.invoice.commands)

    await world.stack.eventually(applied)
    await asyncio.sleep(0.2)
    found = (await world.person.get(f"/v1/imports/{run['id']}")).json()
    assert (found["status"], found["counts"]["read"], len(world.crm.asked)) == ("running", 0, 1)
    # The other one ends without a word; whoever starts next goes on.
    await world.stack.stop("sync")
    await world.stack.start("sync")
    assert (await world.finished(run["id"]))["counts"]["read"] == 9


async def test_s30_a_service_that_is_away_for_a_while_delays_the_import_only(world: Any) -> None:
    fill(world.crm)
    world.crm.down = True
    run = (await world.person.post("/v1/imports", json={"email": "ada@crm.test", "zsc_key": "zsc_good"})).json()
    await asyncio.sleep(0.3)
    world.crm.down = False
    assert (await world.finished(run["id"]))["counts"]["created"] == 9


async def test_a_service_that_stays_away_fails_the_import_with_the_reason(world: Any) -> None:
    await world.stack.stop("sync")
    await world.stack.start("sync", retry_delays=(0.05, 0.05))
    fill(world.crm)
    world.invoice.down = True
    run = await world.connect()
    assert run["status"] == "failed"
    assert "invoice answered 503" in run["reason"]
    world.invoice.down = False
    assert (await again(world))["counts"]["created"] == 9


async def test_s21_a_key_revoked_since_fails_the_next_import_with_the_reason(world: Any) -> None:
    await world.connect()
    world.crm.revoked.add("key-1")
    run = await again(world)
    assert run["status"] == "failed"
    assert "this ZSC key was revoked" in run["reason"]


async def test_disconnecting_ends_an_import_that_runs(world: Any) -> None:
    fill(world.crm)
    world.crm.gate.clear()
    run = (await world.person.post("/v1/imports", json={"email": "ada@crm.test", "zsc_key": "zsc_good"})).json()
    await world.stack.eventually(lambda: _asked(world))
    assert (await world.person.delete("/v1/connection")).status_code == 204
    world.crm.gate.set()
    ended = await world.finished(run["id"])
    assert (ended["status"], "disconnected" in ended["reason"]) == ("failed", True)
    # The worker finds that out by itself, and is free for the next one.
    await world.connect()


async def test_an_unknown_import_is_not_found(world: Any) -> None:
    answer = await world.person.get("/v1/imports/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "import_not_found")


async def _asked(world: Any) -> bool:
    return bool(world.crm.asked)


async def _stepping(world: Any, check: Any) -> bool:
    """Let the import take a step, hold it, and look."""
    world.crm.gate.set()
    await asyncio.sleep(0)
    return bool(await check())
