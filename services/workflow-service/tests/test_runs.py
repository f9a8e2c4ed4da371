"""Potentials become estimates, and every event leads to a run that says what was done, or why not."""

import asyncio
import random
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
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from servicekit.bus import recovery
from servicekit.bus.consumer import Received
from servicekit.db import new_id
from servicekit.errors import Transient
from workflow_service.clients import Connected, Customers
from workflow_service.documents import Documents
from workflow_service.handlers import Workflow
from workflow_service.peers import Peer
from workflow_service.potentials import Claims, learn
from workflow_service.reconciling import Reconciling


@pytest.fixture
async def active(world: Any) -> Any:
    assert (await world.activate()).status_code == 200
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


async def test_s14_while_inactive_potentials_cause_nothing(world: Any) -> None:
    world.publish(PotentialCreated(data=deal()))
    await world.consumed(1)
    assert await world.runs() == []
    await world.activate()
    await world.follow(PotentialCreated(data=deal(id="p2")))
    assert [estimate["crm_potential_id"] for estimate in world.invoice.estimates.values()] == ["p2"]


async def test_s18_a_created_potential_gets_an_estimate_with_its_name_and_amount(active: Any) -> None:
    run = await active.follow(PotentialCreated(data=deal()))
    assert (run["outcome"], run["reason"], run["attempts"]) == ("done", None, 1)
    assert [command["command"] for command in run["commands"]] == ["create_estimate"]
    assert run["commands"][0]["estimate_number"] == "EST-000001"
    assert run["correlation_id"] == "asked-by-ada"
    assert active.invoice.created == [
        {
            "crm_account_id": "a1",
            "crm_contact_id": "c1",
            "currency_code": "EUR",
            "crm_potential_id": "p1",
            "crm_potential_version": 1,
            "line_items": [{"name": "Order 10248", "quantity": 1, "rate": "440.00"}],
        }
    ]
    assert active.invoice.organizations == {"org-1"}


async def test_s15_won_accepts_and_lost_declines(active: Any) -> None:
    for event in (PotentialCreated(data=deal(1)), PotentialWon(data=deal(2, "won"))):
        await active.follow(event)
    assert active.invoice.statuses == ["accepted"]
    run = await active.follow(PotentialLost(data=deal(3, "lost")))
    assert [command["command"] for command in run["commands"]] == ["decline_estimate"]
    assert active.invoice.statuses == ["declined"]


async def test_s19_reopened_and_won_again_accepts_the_same_estimate(active: Any) -> None:
    await active.follow(PotentialWon(data=deal(2, "won")))
    reopened = await active.follow(PotentialReopened(data=deal(3)))
    assert (reopened["outcome"], "nothing leads back" in reopened["reason"]) == ("skipped", True)
    await active.follow(PotentialLost(data=deal(4, "lost")))
    await active.follow(PotentialWon(data=deal(5, "won")))
    assert active.invoice.statuses == ["accepted"]


async def test_s19_won_before_created_is_one_accepted_estimate(active: Any) -> None:
    await active.follow(PotentialWon(data=deal(2, "won")))
    late = await active.follow(PotentialCreated(data=deal(1)))
    assert late["outcome"] == "skipped"
    assert "superseded: version 2" in late["reason"]
    assert active.invoice.statuses == ["accepted"]


async def test_s19_lost_before_created_is_one_declined_estimate(active: Any) -> None:
    early = await active.follow(PotentialLost(data=deal(2, "lost")))
    assert early["reason"] == "it was lost before any estimate was made"
    late = await active.follow(PotentialCreated(data=deal(1)))
    assert [command["command"] for command in late["commands"]] == ["create_estimate", "decline_estimate"]
    assert active.invoice.statuses == ["declined"]
    assert active.invoice.created[0]["crm_potential_version"] == 2


async def test_s19_lost_while_its_creation_still_waits_is_one_declined_estimate(active: Any) -> None:
    active.sync.organization_id = None
    active.invoice.imported.clear()
    created = active.publish(PotentialCreated(data=deal(1)))
    await active.run(created, "waiting")
    lost = active.publish(PotentialLost(data=deal(2, "lost")))
    await active.run(lost, "waiting")
    active.sync.organization_id = "org-1"
    for event_id in (created, lost):
        await active.run(event_id)
    assert active.invoice.statuses == ["declined"]


async def test_s19_what_another_process_learns_meanwhile_is_followed_too(active: Any) -> None:
    await active.follow(PotentialCreated(data=deal(1)))
    database = active.stack.database("workflow")
    told = []

    async def another_process_hears_of_the_loss() -> None:
        if not told:
            told.append(await learn(database, "estimates", deal(3, "lost"), was_active=True, new_status=True))

    active.invoice.before_status = another_process_hears_of_the_loss
    await active.follow(PotentialWon(data=deal(2, "won")))
    assert told
    assert active.invoice.statuses == ["declined"]


async def test_s19_events_of_one_potential_in_several_processes_at_once(active: Any) -> None:
    service = active.stack.apps["workflow"].state.service
    invoice, sync = (Peer(service.client(name), name) for name in ("invoice", "sync"))
    processes = [
        Workflow(
            service.database,
            Reconciling(Documents(invoice), Customers(sync), Connected(sync), Claims(service.database)),
        )
        for _ in range(3)
    ]

    async def handle(process: Workflow, event: Any) -> None:
        received = Received(Envelope(id=new_id(), source="/crm", type=event.wire_type, data={}), event)
        for _ in range(20):
            try:
                await process.handle(received)
                return
            except Transient:
                await asyncio.sleep(0.01)
        raise AssertionError("it does not come to an end")

    for number in range(8):
        told = {"id": f"p{number}"}
        events = [
            PotentialCreated(data=deal(1, **told)),
            PotentialWon(data=deal(2, "won", **told)),
            PotentialLost(data=deal(3, "lost", **told)),
        ]
        random.Random(number).shuffle(events)
        await asyncio.gather(*(handle(*pair) for pair in zip(processes, events, strict=True)))
    assert active.invoice.statuses == ["declined"] * 8


async def test_s19_one_event_many_times_is_one_run_and_one_estimate(active: Any) -> None:
    event_id = active.publish(PotentialCreated(data=deal()), times=5)
    await active.consumed(5)
    run = await active.run(event_id)
    assert (len(await active.runs()), run["attempts"]) == (1, 1)
    assert active.invoice.statuses == ["draft"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account_id": None, "contact_id": None}, "neither an account nor a contact"),
        ({"amount": None}, "no amount yet"),
    ],
)
async def test_s18_what_cannot_be_estimated_is_skipped_with_the_reason(
    active: Any, changes: dict[str, Any], reason: str
) -> None:
    run = await active.follow(PotentialCreated(data=deal(**changes)))
    assert (run["outcome"], run["commands"]) == ("skipped", [])
    assert reason in run["reason"]
    await active.follow(PotentialUpdated(data=deal(2)))
    assert active.invoice.statuses == ["draft"]


async def test_a_deleted_potential_leaves_its_estimate(active: Any) -> None:
    await active.follow(PotentialCreated(data=deal()))
    run = await active.follow(PotentialDeleted(data=deal(2, deleted=True)))
    assert (run["outcome"], active.invoice.statuses) == ("skipped", ["draft"])


async def test_s19_without_a_connection_the_potential_waits_for_its_customer(active: Any) -> None:
    active.sync.organization_id = None
    active.invoice.imported.clear()
    event_id = active.publish(PotentialCreated(data=deal()))
    waiting = await active.run(event_id, "waiting")
    assert "no organization is connected" in waiting["reason"]
    assert waiting["finished_at"] is None
    active.sync.organization_id = "org-1"
    run = await active.run(event_id, "done")
    assert run["attempts"] > 1
    assert run["id"] == waiting["id"]


@pytest.mark.parametrize("away", ["invoice", "sync"])
async def test_while_another_service_is_away_events_wait_and_none_is_lost(active: Any, away: str) -> None:
    app = active.stack.apps.pop(away)
    event_id = active.publish(PotentialWon(data=deal(2, "won")))
    waiting = await active.run(event_id, "waiting")
    assert f"{away} does not answer" in waiting["reason"]
    active.stack.apps[away] = app
    run = await active.run(event_id, "done")
    assert [command["command"] for command in run["commands"]] == ["create_estimate", "accept_estimate"]


@pytest.mark.parametrize(
    ("nonsense", "reason"),
    [
        (HTMLResponse("<html>maintenance</html>"), "invoice answered with something that is not a JSON object"),
        (JSONResponse({"maintenance": True}), "invoice answered with what cannot be its answer"),
        (RedirectResponse("/login"), "invoice answered 307"),
    ],
)
async def test_nonsense_in_invoices_place_is_said_and_waited_out(active: Any, nonsense: Response, reason: str) -> None:
    active.invoice.nonsense = nonsense
    event_id = active.publish(PotentialCreated(data=deal()))
    assert (await active.run(event_id, "waiting"))["reason"].startswith(reason)
    active.invoice.nonsense = None
    await active.run(event_id, "done")


async def test_its_own_estimate_is_found_among_very_many(active: Any) -> None:
    await active.follow(PotentialCreated(data=deal()))
    for _ in range(250):
        active.invoice.add("draft")
    await active.follow(PotentialWon(data=deal(2, "won")))
    assert active.invoice.statuses == ["accepted", *["draft"] * 250]


async def test_an_answer_that_got_lost_makes_no_second_estimate(active: Any) -> None:
    active.invoice.loses_answers = 1
    run = await active.run(active.publish(PotentialWon(data=deal(2, "won"))), "done")
    assert active.invoice.statuses == ["accepted"]
    assert run["attempts"] == 1  # the same call was tried again, with the same key


async def test_without_a_connection_nothing_is_made_and_what_has_nothing_to_wait_for_says_so(active: Any) -> None:
    active.sync.organization_id = None
    nobody = await active.follow(PotentialCreated(data=deal(id="p2", account_id=None, contact_id=None)))
    assert "neither an account nor a contact" in nobody["reason"]
    event_id = active.publish(PotentialCreated(data=deal()))
    waiting = await active.run(event_id, "waiting")
    assert waiting["reason"] == "waits for the connection: no organization is connected"
    assert active.invoice.organizations == set()


async def test_an_estimate_that_a_person_deleted_is_not_made_again(active: Any) -> None:
    await active.follow(PotentialCreated(data=deal()))
    active.invoice.estimates.clear()
    same = await active.follow(PotentialCreated(data=deal()))
    newer = await active.follow(PotentialUpdated(data=deal(2, amount="500.00")))
    for run in (same, newer):
        assert run["outcome"] == "skipped"
        assert "deleted in Invoice" in run["reason"]
    assert active.invoice.estimates == {}


async def test_what_a_person_did_meanwhile_is_looked_at_again(active: Any) -> None:
    await active.follow(PotentialCreated(data=deal()))

    async def a_person_invoices_it() -> None:
        for estimate in active.invoice.estimates.values():
            estimate["status"] = "invoiced"

    active.invoice.before_status = a_person_invoices_it
    run = await active.follow(PotentialWon(data=deal(2, "won")))
    assert (run["outcome"], run["commands"][0]["outcome"]) == ("skipped", "failed")
    assert "what was invoiced stays as it is" in run["reason"]


async def test_s19_invoice_has_followed_a_later_version_already(active: Any) -> None:
    active.invoice.add("draft", origin="workflow")["seen"] = 9
    run = await active.follow(PotentialWon(data=deal(2, "won")))
    assert (run["outcome"], active.invoice.statuses) == ("skipped", ["draft"])
    assert "version 9" in run["reason"]


async def test_a_failed_run_says_why_and_is_run_again(active: Any) -> None:
    active.invoice.refuses = (422, "validation_error", "line_items.0.rate: not to my taste")
    failed = await active.follow(PotentialCreated(data=deal()))
    assert failed["outcome"] == "failed"
    assert "not to my taste" in failed["reason"]
    letters = active.stack.apps["workflow"].state.service.dead_letters
    assert len(await active.stack.eventually(letters.page)) == 1

    still = await active.admin.post(f"/v1/runs/{failed['id']}/retry")
    assert (still.status_code, still.json()["outcome"], still.json()["attempts"]) == (200, "failed", 2)
    active.invoice.refuses = None
    done = (await active.admin.post(f"/v1/runs/{failed['id']}/retry")).json()
    assert (done["outcome"], done["id"], done["attempts"]) == ("done", failed["id"], 3)
    assert active.invoice.statuses == ["draft"]
    assert await letters.page() == []

    again = await active.admin.post(f"/v1/runs/{failed['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "run_not_retriable")


async def test_a_run_that_was_given_up_on_says_so_and_is_run_again(
    active: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "TRANSIENT_ATTEMPTS", 3)
    active.invoice.down = True
    event_id = active.publish(PotentialCreated(data=deal()))
    run = await active.run(event_id, "failed")
    assert run["reason"].startswith("given up after 3 attempts: invoice ")
    assert (run["attempts"], run["finished_at"] is None) == (3, False)
    active.invoice.down = False

    async def tried_again() -> bool:  # Invoice is left in peace for a moment
        answer = await active.admin.post(f"/v1/runs/{run['id']}/retry")
        return bool(answer.json()["outcome"] == "done")

    await active.stack.eventually(tried_again)
    assert active.invoice.statuses == ["draft"]
    assert await active.stack.apps["workflow"].state.service.dead_letters.page() == []


async def test_a_run_is_not_tried_again_by_a_viewer_or_while_inactive(active: Any) -> None:
    active.invoice.refuses = (422, "validation_error", "no")
    failed = await active.follow(PotentialCreated(data=deal()))
    viewer = await active.stack.person("workflow", "viewer")
    assert (await viewer.post(f"/v1/runs/{failed['id']}/retry")).status_code == 403
    assert (await active.admin.post("/v1/runs/nowhere/retry")).json()["code"] == "run_not_found"
    await active.activate(active=False)
    inactive = await active.admin.post(f"/v1/runs/{failed['id']}/retry")
    assert (inactive.status_code, inactive.json()["code"]) == (409, "workflow_not_active")


async def test_s20_deactivated_meanwhile_what_waits_is_skipped(active: Any) -> None:
    active.invoice.down = True
    event_id = active.publish(PotentialCreated(data=deal()))
    await active.run(event_id, "waiting")
    await active.activate(active=False)
    run = await active.run(event_id)
    assert (run["outcome"], "deactivated" in run["reason"]) == ("skipped", True)
    active.invoice.down = False
    await asyncio.sleep(0.2)
    assert active.invoice.estimates == {}


async def test_runs_are_listed_newest_first_by_potential_and_outcome(active: Any) -> None:
    for number in (1, 2, 3):
        await active.follow(PotentialCreated(data=deal(id=f"p{number}", amount="1.00" if number < 3 else None)))
    await active.follow(PotentialLost(data=deal(2, "lost", id="p1")))
    assert [run["potential_id"] for run in await active.runs()] == ["p1", "p3", "p2", "p1"]
    assert [run["potential_version"] for run in await active.runs(potential_id="p1")] == [2, 1]
    assert [run["potential_id"] for run in await active.runs(outcome="skipped")] == ["p3"]
    first = (await active.admin.get("/v1/runs", params={"limit": 3})).json()
    rest = (await active.admin.get("/v1/runs", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 1, None)
    assert (await active.admin.get("/v1/runs", params={"outcome": "odd"})).status_code == 422
