"""Comparing CRM and Invoice record by record, and mending what differs."""

import asyncio
from typing import Any

import pytest
from contracts.accounts import AccountSnapshot, AccountUpdated
from fastapi.responses import JSONResponse
from sync_service.mapping import to_crm_record


async def drifted(world: Any) -> None:
    """Five ways in which Invoice may differ from the CRM; none of them is known to sync."""
    world.crm.fill(accounts=6, contacts=2)
    world.crm.page_size = 20
    await world.connect()
    books = world.invoice.books
    del books.records["account", "a0"], books.shown["account", "a0"]
    world.crm.change("a1", account_name="Renamed")
    books.shown["account", "a2"]["customer.phone"] = "typed by hand"
    books.records["account", "a3"] = books.records["account", "a3"].model_copy(update={"version": 7})
    books.shown["account", "a3"]["customer.customer_name"] = "From before the backup"
    world.crm.forget("a4")
    world.invoice.commands.clear()


EXPECTED = {
    "a0": ("missing_in_invoice", "created"),
    "a1": ("update_not_arrived", "updated"),
    "a2": ("edited_in_invoice", "updated"),
    "a3": ("crm_set_back", "updated"),
    "a4": ("not_in_crm", "deleted"),
}


async def test_a_check_tells_each_difference_and_why_and_changes_nothing(world: Any) -> None:
    await drifted(world)
    before = world.invoice.books.copy()
    check = await world.start("/v1/checks")
    assert (check["kind"], check["status"], check["changes"]) == ("check", "completed", 5)
    changes = await world.listed(check)
    assert {one["record_id"]: (one["difference"], one["outcome"]) for one in changes} == EXPECTED
    edited = next(one for one in changes if one["record_id"] == "a2")
    assert edited["changes"] == [{"field": "customer.phone", "before": "typed by hand", "after": None}]
    assert "changed in Invoice" in edited["why"]
    gone = next(one for one in changes if one["record_id"] == "a4")
    assert (gone["name"], gone["known_version"], gone["version"]) == ("", 1, 2)
    counts = check["counts"]
    assert (counts["read"], counts["unchanged"]) == (9, 4)
    assert counts["read"] == sum(count for name, count in counts.items() if name != "read")
    assert world.invoice.books == before
    assert world.invoice.commands == []


async def test_mending_does_what_the_check_said_and_the_next_check_finds_nothing(world: Any) -> None:
    await drifted(world)
    check = await world.start("/v1/checks")
    mend = await world.start("/v1/checks", mend=True)
    assert mend["kind"] == "mend"
    assert await world.listed(mend) == await world.listed(check)
    assert mend["counts"] == check["counts"]
    assert ("account", "a4") not in world.invoice.books.shown
    again = await world.start("/v1/checks")
    assert (again["changes"], again["counts"]["unchanged"]) == (0, again["counts"]["read"])


async def test_s29_what_the_crm_does_not_have_is_checked_after_all_that_it_has(world: Any) -> None:
    world.crm.fill(accounts=6, contacts=0)
    await world.connect()
    for gone in ("a0", "a2", "a5"):
        world.crm.forget(gone)
    world.crm.feed["accounts"][1]["account_name"] = ""  # a3 cannot be read
    world.invoice.merged = {("account", f"a{number}") for number in (0, 1, 2, 3, 4, 5)}
    check = await world.start("/v1/checks")
    assert {one["record_id"] for one in await world.listed(check)} == {"a0", "a2", "a5"}
    asked = next(one for one in world.invoice.plans[::-1] if one.records[0].record_id == "a2")
    assert asked.after_all
    told = [[one.record_id for one in keys] for keys in (asked.earlier, asked.gone, asked.refused)]
    assert told == [["a1", "a4"], ["a0"], ["a3", "a5"]]


async def test_a_live_event_that_overtakes_a_mending_is_not_set_back(world: Any) -> None:
    world.crm.fill(accounts=2, contacts=0)
    await world.connect()
    newer = AccountSnapshot(id="a1", version=2, account_name="Newer")

    def overtake(records: Any) -> None:
        # The page was read; before it is applied, the record changes in the CRM, and its event comes first.
        if any(one.record_id == "a1" and one.version == 1 for one in records):
            world.crm.put(newer)
            world.invoice.books.apply(
                records[1].model_copy(update={"version": 2}), reapply=False, refused=None, places=None
            )

    world.invoice.on_command = overtake
    await world.start("/v1/checks", mend=True)
    assert world.invoice.version("account", "a1") == 2
    assert world.invoice.books.shown["account", "a1"]["customer.customer_name"] == "Newer"


@pytest.mark.parametrize("lost", ["the answer", "the look-up after it"])
async def test_a_mending_that_repeats_a_page_does_not_set_a_live_event_back_either(world: Any, lost: str) -> None:
    world.crm.fill(accounts=2, contacts=0)
    await world.connect()
    books, seen = world.invoice.books, []

    def overtake(records: Any) -> None:
        world.invoice.nonsense = None
        seen.append([(one.record_id, one.version) for one in records])
        if len(seen) > 1:
            return
        world.crm.put(AccountSnapshot(id="a1", version=2, account_name="Newer"))
        live = records[1].model_copy(update={"version": 2})
        books.apply(live, reapply=False, refused=None, places=None)
        if lost == "the answer":
            for one in records:
                books.apply(one, reapply=True, refused=None, places=None)
            world.invoice.nonsense = JSONResponse({}, 502)
        else:
            world.crm.down = True
            asyncio.get_running_loop().call_later(0.1, lambda: setattr(world.crm, "down", False))

    world.invoice.on_command = overtake
    run = await world.start("/v1/checks", mend=True)
    assert run["status"] == "completed", run["reason"]
    assert seen[0] == seen[1] == [("a0", 1), ("a1", 1)]
    assert world.invoice.version("account", "a1") == 2


async def test_a_record_that_comes_back_while_mending_takes_it_for_gone_stays(world: Any) -> None:
    world.crm.fill(accounts=2, contacts=0)
    await world.connect()
    world.crm.forget("a1")

    def overtake(records: Any) -> None:
        if records[0].deleted:
            back = AccountSnapshot(id="a1", version=2, account_name="Back")
            world.crm.put(back)
            live = to_crm_record(back, correlation_id=None)
            world.invoice.books.apply(live, reapply=False, refused=None, places=None)

    world.invoice.on_command = overtake
    run = await world.start("/v1/checks", mend=True)
    assert (run["status"], run["changes"]) == ("completed", 0)
    assert ("account", "a1") in world.invoice.books.shown


async def test_a_crm_that_was_set_back_takes_the_place_of_just_the_version_that_it_was_asked_for(world: Any) -> None:
    world.crm.fill(accounts=2, contacts=0)
    await world.connect()
    books = world.invoice.books
    books.records["account", "a1"] = books.records["account", "a1"].model_copy(update={"version": 7})

    def overtake(records: Any) -> None:
        if records[0].set_back_from == 7:  # asked for already; now an event of a change comes first
            live = records[0].model_copy(update={"version": 8, "set_back_from": None})
            books.apply(live, reapply=False, refused=None, places=None)

    world.invoice.on_command = overtake
    run = await world.start("/v1/checks", mend=True)
    assert (run["status"], run["changes"]) == ("completed", 0)
    assert world.invoice.version("account", "a1") == 8


async def test_what_is_on_its_way_is_no_difference(world: Any) -> None:
    world.crm.fill(accounts=3, contacts=0)
    await world.connect()

    def meanwhile(kind: str, _: str | None) -> None:
        if kind == "contacts" and world.crm.record("a1")["version"] == 1:
            # Read before, planned afterwards: the page is older than what the event has brought.
            world.crm.change("a1", account_name="Newer")
            world.publish(AccountUpdated(data=AccountSnapshot.model_validate(world.crm.record("a1"))))

    world.crm.page_size = 10
    world.crm.on_page = meanwhile
    check = await world.start("/v1/checks")
    assert await world.listed(check) == []


async def test_the_last_check_stands_on_the_connection_and_in_the_metrics(world: Any) -> None:
    await drifted(world)
    world.invoice.refused["a5"] = "too strange"
    check = await world.start("/v1/checks")
    connection = (await world.person.get("/v1/connection")).json()
    assert (connection["last_check"]["id"], connection["last_check"]["changes"]) == (check["id"], 5)
    assert connection["last_import"]["kind"] == "import"
    registry = world.stack.apps["sync"].state.service.metrics.registry

    async def shown() -> bool:
        return registry.get_sample_value("sync_differences") == 6  # one of them Invoice refuses

    await world.stack.eventually(shown)


@pytest.mark.parametrize(("role", "body", "status"), [("member", {}, 202), ("member", {"mend": True}, 403)])
async def test_members_check_and_administrators_mend(world: Any, role: str, body: Any, status: int) -> None:
    await world.connect()
    crm = world.stack.apps.pop("crm")
    person = await world.stack.person("sync", role)
    world.stack.apps["crm"] = crm
    assert (await person.post("/v1/checks", json=body)).status_code == status


async def test_without_a_connection_there_is_nothing_to_check(world: Any) -> None:
    answer = await world.person.post("/v1/checks", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")
