"""Trigger invoices: potentials become invoices, and every event leads to a run that says what was done, or why not."""

from typing import Any

import pytest
from contracts.event import Envelope
from contracts.potentials import (
    PotentialCreated,
    PotentialDeleted,
    PotentialLost,
    PotentialReopened,
    PotentialSnapshot,
    PotentialUpdated,
    PotentialWon,
)
from servicekit.bus.consumer import Received
from servicekit.db import new_id, utc_now


@pytest.fixture
async def invoicing(world: Any) -> Any:
    assert (await world.activate(trigger="invoices")).status_code == 200
    return world


def deal(version: int = 1, status: Any = "open", **changes: Any) -> PotentialSnapshot:
    values: dict[str, Any] = {
        "id": "p1",
        "version": version,
        "potential_name": "Order 10248",
        "account_id": "a1",
        "contact_id": "c1",
        "stage": "any",
        "status": status,
        "amount": "440.00",
        "currency_code": "EUR",
    }
    return PotentialSnapshot.model_validate(values | changes)


def commands(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(command["command"], command["outcome"]) for command in run["commands"]]


async def test_s16_won_creates_an_invoice_and_lost_makes_it_void(invoicing: Any) -> None:
    created = await invoicing.follow(PotentialCreated(data=deal()))
    assert (created["outcome"], created["reason"]) == ("skipped", "the invoice is made when the potential is won")
    won = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (won["outcome"], won["reason"], won["trigger"]) == ("done", None, "invoices")
    [command] = won["commands"]
    [invoice] = invoicing.invoice.invoices.values()
    assert (command["command"], command["document_type"], command["document_id"], command["document_number"]) == (
        "create_invoice",
        "invoice",
        invoice["id"],
        "INV-000001",
    )
    assert command["estimate_id"] is None
    assert won["decision"].startswith("potential won (version 2), no document: an invoice is created; then nothing:")
    assert won["event_time"] <= won["started_at"] == won["attempted_at"] <= won["finished_at"]
    assert invoicing.invoice.created[0]["line_items"] == [{"name": "Order 10248", "quantity": 1, "rate": "440.00"}]

    lost = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert commands(lost) == [("void_invoice", "done")]
    assert invoicing.invoice.statuses == ["void"]


async def test_s19_won_again_leaves_the_void_invoice_and_makes_a_new_one(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    reopened = await invoicing.follow(PotentialReopened(data=deal(4)))
    assert "stays so; a new one is made when the potential is won again" in reopened["reason"]
    won = await invoicing.follow(PotentialWon(data=deal(5, "won")))
    assert won["commands"][0]["document_number"] == "INV-000002"
    assert invoicing.invoice.statuses == ["void", "draft"]
    await invoicing.follow(PotentialUpdated(data=deal(6, "won", amount="450.00")))
    assert invoicing.invoice.statuses == ["void", "draft"]


async def test_s19_reopened_its_invoice_stays(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    run = await invoicing.follow(PotentialReopened(data=deal(3)))
    assert (run["outcome"], "stays as it is while the potential is open" in run["reason"]) == ("skipped", True)
    await invoicing.follow(PotentialDeleted(data=deal(4, deleted=True)))
    assert invoicing.invoice.statuses == ["draft"]


async def test_s19_lost_before_won_is_one_void_invoice(invoicing: Any) -> None:
    early = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert early["reason"] == "it was lost before any invoice was made"
    late = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert commands(late) == [("create_invoice", "done"), ("void_invoice", "done")]
    assert invoicing.invoice.statuses == ["void"]


async def test_s17_a_locked_invoice_is_left_alone_whatever_happens_to_the_potential(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    [invoice] = invoicing.invoice.invoices.values()
    invoicing.invoice.lock(invoice, "sent", by="maria@invoice.test")
    for version, event, status in (
        (3, PotentialLost, "lost"),
        (4, PotentialReopened, "open"),
        (5, PotentialWon, "won"),
    ):
        run = await invoicing.follow(event(data=deal(version, status)))
        assert (run["outcome"], run["commands"]) == ("skipped", [])
        assert run["reason"] == (
            "left alone: status changed by maria@invoice.test on 2026-03-01 09:30 UTC; invoice INV-000001 is sent"
        )
    assert invoicing.invoice.statuses == ["sent"]


async def test_s17_what_a_person_changes_at_the_last_moment_is_left_alone_too(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    [invoice] = invoicing.invoice.invoices.values()

    async def a_person_sends_it() -> None:
        invoicing.invoice.lock(invoice, "sent")

    invoicing.invoice.before_status = a_person_sends_it
    run = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert (run["outcome"], commands(run)) == ("skipped", [("void_invoice", "failed")])
    assert run["reason"].startswith("left alone: status changed by maria@invoice.test")


async def test_a_locked_invoice_that_is_deleted_at_the_last_moment_is_deleted(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    [invoice] = invoicing.invoice.invoices.values()
    invoicing.invoice.lock(invoice, "draft")
    invoicing.invoice.before_get = invoicing.invoice.invoices.clear
    run = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert (run["outcome"], "its invoice was deleted in Invoice" in run["reason"]) == ("skipped", True)


async def test_an_invoice_with_payments_does_not_become_void_and_the_run_says_why(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    for invoice in invoicing.invoice.invoices.values():
        invoice["status"] = "paid"
    run = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert run["reason"] == (
        "invoice INV-000001 is paid: with payments recorded it cannot become void; delete them first"
    )


async def test_s18_an_account_that_is_no_customer_yet_is_imported_first(invoicing: Any) -> None:
    invoicing.invoice.imported.clear()
    run = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (run["outcome"], run["attempts"]) == ("done", 1)
    assert commands(run) == [("import_account", "done"), ("import_contact", "done"), ("create_invoice", "done")]
    assert (run["commands"][0]["record_id"], run["commands"][0]["customer_id"]) == ("a1", "customer of a1")
    assert invoicing.sync.asked == [("account", "a1"), ("contact", "c1")]
    assert invoicing.invoice.statuses == ["draft"]


async def test_s18_an_account_that_was_deleted_meanwhile_is_told_of_in_the_run(invoicing: Any) -> None:
    invoicing.invoice.imported.clear()
    invoicing.sync.gone.add("a1")
    run = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (run["outcome"], commands(run)) == ("skipped", [("import_account", "failed"), ("create_invoice", "skipped")])
    assert "the account of the potential is not in the CRM any more" in run["reason"]
    then = await invoicing.follow(PotentialUpdated(data=deal(3, "won", account_id=None)))
    assert commands(then) == [("import_contact", "done"), ("create_invoice", "done")]


async def test_s18_what_sync_cannot_import_fails_with_its_reason_and_is_tried_again(invoicing: Any) -> None:
    invoicing.invoice.imported.clear()
    invoicing.sync.refuses = "account_name: must not be empty"
    failed = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (failed["outcome"], "account_name: must not be empty" in failed["reason"]) == ("failed", True)
    invoicing.sync.refuses = None
    done = (await invoicing.admin.post(f"/v1/runs/{failed['id']}/retry")).json()
    assert (done["outcome"], invoicing.invoice.statuses) == ("done", ["draft"])


async def test_a_customer_that_is_inactive_fails_the_run_until_it_is_active_again(invoicing: Any) -> None:
    invoicing.invoice.refuses = (409, "customer_inactive", "crm_account_id: Alfreds is inactive; make it active first")
    failed = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (failed["outcome"], commands(failed)) == ("failed", [("create_invoice", "failed")])
    assert "Alfreds is inactive" in failed["reason"]
    assert "Alfreds is inactive" in failed["commands"][0]["reason"]
    invoicing.invoice.refuses = None
    done = (await invoicing.admin.post(f"/v1/runs/{failed['id']}/retry")).json()
    assert (done["outcome"], done["reason"], invoicing.invoice.statuses) == ("done", None, ["draft"])


async def test_an_answer_that_got_lost_makes_no_second_invoice(invoicing: Any) -> None:
    invoicing.invoice.loses_answers = 1
    run = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert (run["outcome"], commands(run)) == ("done", [("create_invoice", "done")])
    assert run["commands"][0]["document_number"] == "INV-000001"
    assert invoicing.invoice.statuses == ["draft"]


async def test_an_invoice_whose_answer_never_came_is_found_at_the_next_attempt(invoicing: Any) -> None:
    invoicing.invoice.loses_answers = 3
    event_id = invoicing.publish(PotentialWon(data=deal(2, "won")))
    run = await invoicing.run(event_id)
    assert (run["outcome"], run["attempts"]) == ("done", 2)
    assert invoicing.invoice.statuses == ["draft"]


async def test_a_late_creation_by_the_same_key_is_found_although_it_was_not_seen(invoicing: Any) -> None:
    """Invoice makes it after the workflow has looked: the key leads to it, other amount or not."""
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    hidden = dict(invoicing.invoice.invoices)
    invoicing.invoice.invoices.clear()
    deleted = await invoicing.follow(PotentialUpdated(data=deal(3, "won", amount="450.00")))
    assert "was deleted in Invoice" in deleted["reason"]
    invoicing.invoice.invoices |= hidden
    await invoicing.follow(PotentialLost(data=deal(4, "lost")))
    assert invoicing.invoice.statuses == ["void"]


async def test_s20_after_switching_what_was_begun_goes_on_as_it_began(invoicing: Any) -> None:
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    await invoicing.activate(trigger="estimates")
    await invoicing.follow(PotentialCreated(data=deal(1, id="p2")))
    await invoicing.activate(trigger="invoices")
    await invoicing.follow(PotentialWon(data=deal(2, "won", id="p2")))
    await invoicing.follow(PotentialWon(data=deal(2, "won", id="p3")))
    await invoicing.activate(trigger="estimates")
    await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert [one["status"] for one in invoicing.invoice.estimates.values()] == ["accepted"]
    assert [one["status"] for one in invoicing.invoice.invoices.values()] == ["void", "draft"]


async def test_s20_switched_while_an_event_waits_the_run_says_so(world: Any) -> None:
    await world.activate(trigger="estimates")
    world.sync.organization_id = None
    event_id = world.publish(PotentialCreated(data=deal()))
    await world.run(event_id, "waiting")
    await world.activate(trigger="invoices")
    world.sync.organization_id = "org-1"
    run = await world.run(event_id)
    assert (run["outcome"], run["trigger"]) == ("skipped", "invoices")
    assert "the trigger was switched from estimates to invoices before it got to this" in run["reason"]
    lost = await world.follow(PotentialLost(data=deal(2, "lost")))
    assert lost["reason"] == "it was lost before any invoice was made"
    assert world.invoice.statuses == []


@pytest.mark.parametrize("trigger", ["estimates", "invoices"])
async def test_s20_what_was_won_before_the_activation_is_not_invoiced_by_an_edit(world: Any, trigger: str) -> None:
    world.publish(PotentialWon(data=deal(2, "won")))
    await world.consumed(1)
    await world.activate(trigger=trigger)
    edited = await world.follow(PotentialUpdated(data=deal(3, "won", potential_name="Renamed")))
    assert "won while the workflow was not active" in edited["reason"]
    assert world.invoice.statuses == []
    await world.follow(PotentialWon(data=deal(5, "won")))
    await world.follow(PotentialReopened(data=deal(4)))
    assert world.invoice.statuses == [{"estimates": "accepted", "invoices": "draft"}[trigger]]


async def test_s20_a_void_invoice_does_not_let_an_edit_invoice_what_was_won_while_inactive(invoicing: Any) -> None:
    for event in (PotentialWon(data=deal(2, "won")), PotentialLost(data=deal(3, "lost"))):
        await invoicing.follow(event)
    await invoicing.activate(active=False)
    for event in (PotentialReopened(data=deal(4)), PotentialWon(data=deal(5, "won"))):
        invoicing.publish(event)
    await invoicing.consumed(4)
    await invoicing.activate(trigger="invoices")
    edited = await invoicing.follow(PotentialUpdated(data=deal(6, "won")))
    assert "won while the workflow was not active" in edited["reason"]
    assert invoicing.invoice.statuses == ["void"]


async def test_s14_what_happened_before_the_activation_is_only_learnt_however_late_it_is_told_of(world: Any) -> None:
    before = utc_now()
    await world.activate(trigger="invoices")
    world.publish(PotentialWon(data=deal(2, "won")), at=before)
    world.publish(PotentialUpdated(data=deal(2, "won", id="p2")), at=before)
    await world.consumed(2)
    assert await world.runs() == []
    # An edit that overtakes the winning does not invoice it either.
    early = await world.follow(PotentialUpdated(data=deal(3, "won", id="p3")))
    world.publish(PotentialWon(data=deal(2, "won", id="p3")), at=before)
    await world.consumed(4)
    late = await world.follow(PotentialUpdated(data=deal(3, "won")))
    for run in (early, late):
        assert (run["outcome"], "won while the workflow was not active" in run["reason"]) == ("skipped", True)
    assert world.invoice.statuses == []


async def test_s20_what_was_won_while_active_and_told_of_too_late_gets_its_invoice_once_active_again(
    invoicing: Any,
) -> None:
    while_active = utc_now()
    await invoicing.activate(active=False)
    run = await invoicing.run(invoicing.publish(PotentialWon(data=deal(2, "won")), at=while_active))
    assert (run["outcome"], run["reason"]) == ("skipped", "the workflow was deactivated before it got to this")
    invoicing.publish(PotentialUpdated(data=deal(3, "won")))
    await invoicing.consumed(2)
    assert (invoicing.invoice.statuses, len(await invoicing.runs())) == ([], 1)
    await invoicing.activate(trigger="invoices")
    await invoicing.follow(PotentialUpdated(data=deal(4, "won")))
    assert invoicing.invoice.statuses == ["draft"]


async def test_s19_what_an_outdated_attempt_did_is_put_right(invoicing: Any) -> None:
    """Another process follows a newer state while this one is between its decision and its command."""
    await invoicing.follow(PotentialWon(data=deal(2, "won")))
    workflow = invoicing.stack.apps["workflow"].state.service.state["workflow"]
    told: list[int] = []

    async def another_process_follows_the_win() -> None:
        if not told:
            told.append(1)
            event = PotentialWon(data=deal(4, "won"))
            await workflow.handle(Received(Envelope(id=new_id(), source="/crm", type=event.wire_type, data={}), event))

    invoicing.invoice.before_status = another_process_follows_the_win
    run = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert commands(run) == [("void_invoice", "done"), ("create_invoice", "done")]
    assert invoicing.invoice.statuses == ["void", "draft"]


async def test_an_invoice_made_by_hand_is_neither_doubled_nor_made_void(invoicing: Any) -> None:
    invoicing.invoice.add("sent", kind="invoice", workflow_locked=True)
    won = await invoicing.follow(PotentialWon(data=deal(2, "won")))
    assert "made by hand: no second one is made" in won["reason"]
    lost = await invoicing.follow(PotentialLost(data=deal(3, "lost")))
    assert "does not make it void" in lost["reason"]
    assert invoicing.invoice.statuses == ["sent"]
