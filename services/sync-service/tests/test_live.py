"""Changes in the CRM on their way to Invoice, as they happen."""

import asyncio
from typing import Any

from contracts.accounts import AccountCreated, AccountDeleted, AccountSnapshot, AccountUpdated
from contracts.contacts import ContactCreated, ContactSnapshot


def account(number: int, version: int = 1, name: str | None = None) -> AccountSnapshot:
    return AccountSnapshot(id=f"a{number}", version=version, account_name=name or f"Company {number}")


def contact(number: int, account_id: str | None = None) -> ContactSnapshot:
    return ContactSnapshot(id=f"c{number}", version=1, last_name=f"Person {number}", account_id=account_id)


async def test_s26_a_change_flows_within_moments_under_its_correlation_id(world: Any) -> None:
    await world.connect()
    world.publish(AccountCreated(data=account(1, name="Alfreds")), correlation_id="asked-by-ada")

    async def arrived() -> Any:
        return world.invoice.records.get(("account", "a1"))

    record = await world.stack.eventually(arrived)
    assert record.customer.customer_name == "Alfreds"
    assert record.correlation_id == "asked-by-ada"
    assert world.invoice.commands[-1][0] == "org-1"


async def test_s26_without_auto_update_nothing_changes(world: Any) -> None:
    await world.connect(auto_update=False)
    world.publish(AccountCreated(data=account(1)))
    await world.consumed(1)
    await world.person.patch("/v1/connection", json={"auto_update": True})
    world.publish(AccountCreated(data=account(2)))
    await world.stack.eventually(lambda: _has(world, "Company 2"))
    assert world.invoice.names == ["Company 2"]


async def test_without_a_connection_nothing_changes_and_nothing_waits(world: Any) -> None:
    world.publish(AccountCreated(data=account(1)))
    await world.consumed(1)
    await world.connect()
    world.publish(AccountCreated(data=account(2)))
    await world.stack.eventually(lambda: _has(world, "Company 2"))
    assert world.invoice.names == ["Company 2"]


async def test_a_backlog_goes_in_few_commands_newest_version_alone_accounts_first(world: Any) -> None:
    await world.connect()
    world.invoice.down = True
    events = [ContactCreated(data=contact(1, "a1")), AccountUpdated(data=account(1, version=5, name="New name"))]
    events += [AccountUpdated(data=account(1, version=version)) for version in (2, 3, 4)]
    world.publish(*events, *[AccountCreated(data=account(number)) for number in range(2, 40)])
    await asyncio.sleep(0.3)
    world.invoice.down = False

    async def all_there() -> bool:
        return len(world.invoice.records) == 40

    await world.stack.eventually(all_there)
    assert world.invoice.version("account", "a1") == 5
    for _, records in world.invoice.commands:
        kinds = [record.record_type for record in records]
        assert kinds == sorted(kinds)
        keys = [(record.record_type, record.record_id) for record in records]
        assert len(set(keys)) == len(keys)


async def test_s19_a_contact_that_comes_before_its_account_waits_for_it(world: Any) -> None:
    await world.connect()
    world.publish(ContactCreated(data=contact(1, "a1")))
    await asyncio.sleep(0.2)
    assert world.invoice.records == {}
    world.publish(AccountCreated(data=account(1)))

    async def both() -> bool:
        return set(world.invoice.records) == {("account", "a1"), ("contact", "c1")}

    await world.stack.eventually(both)
    assert await world.dead_letters() == []


async def test_s28_a_deletion_flows_as_a_tombstone(world: Any) -> None:
    await world.connect()
    gone = account(1, version=2).model_copy(update={"deleted": True})
    world.publish(AccountDeleted(data=gone))

    async def arrived() -> Any:
        return world.invoice.records.get(("account", "a1"))

    record = await world.stack.eventually(arrived)
    assert (record.deleted, record.customer) == (True, None)


async def test_what_can_never_succeed_is_a_dead_letter_and_holds_up_no_other(world: Any) -> None:
    await world.connect()
    world.invoice.refused = {"a1": "customer_name: too strange"}
    bad = [AccountCreated(data=account(1)), AccountCreated(data=account(2, name=" "))]
    world.publish(*bad, AccountCreated(data=account(3)))
    await world.stack.eventually(lambda: _has(world, "Company 3"))

    async def both() -> Any:
        letters = await world.dead_letters()
        return {letter.subject: letter.reason for letter in letters} if len(letters) == 2 else None

    reasons = await world.stack.eventually(both)
    assert "too strange" in reasons["a1"]
    assert "has no name" in reasons["a2"]
    assert world.invoice.names == ["Company 3"]


async def test_an_event_for_which_invoice_refuses_the_whole_command_dies_alone(world: Any) -> None:
    await world.connect()
    world.invoice.down = True
    world.invoice.unreadable.add("a3")
    world.publish(*[AccountCreated(data=account(number)) for number in range(8)], ContactCreated(data=contact(1, "a1")))
    await asyncio.sleep(0.2)
    world.invoice.down = False

    async def others() -> bool:
        return len(world.invoice.records) == 8

    await world.stack.eventually(others)

    async def one_letter() -> Any:
        return await world.dead_letters()

    (letter,) = await world.stack.eventually(one_letter)
    assert (letter.subject, "cannot be read" in letter.reason) == ("a3", True)


async def test_an_import_and_live_events_do_not_fight(world: Any) -> None:
    """Pages that are older than events change nothing, and the other way round."""
    world.crm.fill(accounts=12, contacts=6)
    await world.connect()
    names = {f"a{number}": f"Company {number}" for number in range(12)}

    def change_meanwhile(kind: str, cursor: str | None) -> None:
        for record_id in ("a0", "a5", "a9"):
            names[record_id] += "!"
            world.crm.change(record_id, account_name=names[record_id])
            world.publish(AccountUpdated(data=AccountSnapshot.model_validate(world.crm.record(record_id))))

    world.crm.on_page = change_meanwhile
    run = await world.start()
    assert (run["status"], run["counts"]["failed"]) == ("completed", 0)

    async def all_there() -> bool:
        return world.invoice.names == sorted([*names.values(), "P", "P", "P", "P", "P", "P", "Alone"])

    await world.stack.eventually(all_there)
    world.crm.on_page = lambda kind, cursor: None
    assert (await world.start("/v1/checks"))["changes"] == 0


async def test_while_invoice_is_down_events_wait_and_none_is_lost(world: Any) -> None:
    await world.connect()
    del world.stack.apps["invoice"]
    world.publish(AccountCreated(data=account(1)), AccountCreated(data=account(2)))
    await asyncio.sleep(0.3)
    world.stack.apps["invoice"] = world.invoice.app
    await world.stack.eventually(lambda: _has(world, "Company 1"))
    await world.stack.eventually(lambda: _has(world, "Company 2"))


async def _has(world: Any, name: str) -> bool:
    return name in world.invoice.names
