"""Import runs: what they count, list and fail at."""

from typing import Any

import pytest
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from servicekit.pagination import encode_cursor
from sync_service.runs import records


async def again(world: Any) -> Any:
    return await world.finished((await world.person.post("/v1/imports", json={})).json()["id"])


async def test_s30_an_import_counts_what_it_did_and_the_second_changes_nothing(world: Any) -> None:
    world.crm.fill()
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
    world.crm.fill(accounts=3, contacts=2)
    await world.connect()
    assert world.crm.asked == [("accounts", None), ("accounts", "2"), ("contacts", None), ("contacts", "2")]


async def test_s28_tombstones_in_the_feed_delete(world: Any) -> None:
    world.crm.fill(accounts=1, contacts=0)
    await world.connect(auto_update=False)
    world.crm.feed["accounts"][0] |= {"version": 2, "deleted": True}
    assert (await again(world))["counts"]["deleted"] == 1
    assert world.invoice.records["account", "a0"].deleted


async def test_s30_each_failure_is_told_with_its_record_and_reason(world: Any) -> None:
    world.crm.fill()
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
    assert {failure["record_id"]: failure["name"] for failure in run["failures"]}["a1"] == "Company 1"
    assert sum(count for name, count in run["counts"].items() if name != "read") == run["counts"]["read"]


async def test_every_failure_is_kept_and_the_first_are_shown_with_the_import(world: Any) -> None:
    world.crm.page_size = 200
    world.crm.fill(accounts=450, contacts=0)
    for account in world.crm.feed["accounts"]:
        account["account_name"] = ""
    run = await world.connect()
    assert (run["counts"]["failed"], len(run["failures"])) == (450, 100)
    failures = await world.listed(run, "failures", limit=200)
    assert len({failure["record_id"] for failure in failures}) == 450


async def test_what_no_database_or_link_can_hold_fails_alone(world: Any) -> None:
    world.crm.fill(accounts=1, contacts=0)
    accounts = world.crm.feed["accounts"]
    accounts += [
        "not a record",
        {"id": "a\x00b", "version": 1, "account_name": 17},
        {"id": "x" * 5000, "version": 1, "account_name": "A very long id"},
        {"id": "a-huge", "version": 2**40, "account_name": "A version from nowhere"},
        {"id": "a-nul", "version": 1, "account_name": "Zero\x00 \U0001f600 \u202eهلا"},
    ]
    world.invoice.refused["a-nul"] = "customer_name: it has a NUL character: \x00"
    run = await world.connect()
    assert (run["status"], run["counts"]["failed"], run["counts"]["created"]) == ("completed", 5, 2)
    assert {failure["reason"][:30] for failure in run["failures"]} >= {"the account's id has 5000 chara"[:30]}


async def test_a_record_for_which_a_whole_command_is_refused_fails_alone(world: Any) -> None:
    world.crm.page_size = 10
    world.crm.fill()
    world.invoice.unreadable.add("a3")
    run = await world.connect()
    assert (run["status"], run["counts"]["failed"], run["counts"]["created"]) == ("completed", 1, 8)
    assert run["failures"] == [
        {
            "record_type": "account",
            "record_id": "a3",
            "name": "Company 3",
            "reason": "records.0.record_id: cannot be read",
        }
    ]


async def test_a_contact_whose_account_was_made_meanwhile_brings_it_along(world: Any) -> None:
    world.crm.fill()

    def made_meanwhile(kind: str, _: str | None) -> None:
        if kind == "contacts":
            world.crm.put(AccountSnapshot(id="a9", version=1, account_name="Just made"))
            world.crm.put(ContactSnapshot(id="c9", version=1, last_name="New", account_id="a9"))

    world.crm.on_page = made_meanwhile
    run = await world.connect()
    assert (run["counts"]["read"], run["counts"]["created"], run["total"]) == (11, 11, 11)
    assert world.invoice.records["contact", "c9"].account_id == "a9"


async def test_s22_s23_s24_changes_are_told_record_by_record(world: Any) -> None:
    world.crm.fill(accounts=2, contacts=1)
    run = await world.connect()
    assert (run["kind"], run["total"], run["changes"]) == ("import", 4, 4)
    changes = await world.listed(run)
    told = [(one["record_id"], one["case"], one["outcome"], one["name"]) for one in changes]
    assert told == [
        ("a0", "account_with_contacts", "created", "Company 0"),
        ("a1", "account", "created", "Company 1"),
        ("c0", "account_with_contacts", "created", "P"),
        ("z-alone", "contact", "created", "Alone"),
    ]
    assert changes[1]["changes"] == [{"field": "customer.customer_name", "before": None, "after": "Company 1"}]

    world.crm.change("a1", account_name="Renamed", phone="1")
    world.crm.change("z-alone", deleted=True)
    second = await again(world)
    changed, deleted = await world.listed(second)
    assert (changed["known_version"], changed["version"], changed["difference"], changed["why"]) == (1, 2, None, None)
    assert changed["changes"] == [
        {"field": "customer.customer_name", "before": "Company 1", "after": "Renamed"},
        {"field": "customer.phone", "before": None, "after": "1"},
    ]
    assert (deleted["outcome"], deleted["case"], deleted["name"]) == ("deleted", None, "Alone")
    assert [one["record_id"] for one in await world.listed(second, outcome="deleted")] == ["z-alone"]
    assert [one["record_id"] for one in await world.listed(run, record_type="contact")] == ["c0", "z-alone"]


async def test_changes_are_kept_of_the_last_runs_that_have_some(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(records, "RUNS_WITH_CHANGES", 1)
    monkeypatch.setattr(records, "DELETED_AT_ONCE", 2)
    world.crm.fill()
    first = await world.connect()
    await again(world)
    assert len(await world.listed(first)) == 9
    world.crm.change("a0", account_name="Renamed")
    third = await again(world)

    async def forgotten() -> bool:
        return await world.listed(first) == []

    await world.stack.eventually(forgotten)
    assert (await world.person.get(f"/v1/imports/{first['id']}")).json()["changes"] == 0
    assert len(await world.listed(third)) == 1


async def test_one_import_at_a_time(world: Any) -> None:
    world.crm.fill()
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


async def test_an_unknown_import_is_not_found(world: Any) -> None:
    answer = await world.person.get("/v1/imports/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "import_not_found")


@pytest.mark.parametrize("number", [2**40, 2**64 - 1, -(2**40)])
async def test_a_cursor_made_up_by_hand_is_refused(world: Any, number: int) -> None:
    world.crm.fill(accounts=1, contacts=0)
    run = await world.connect()
    cursor = encode_cursor(["account", number])
    answer = await world.person.get(f"/v1/imports/{run['id']}/changes", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
