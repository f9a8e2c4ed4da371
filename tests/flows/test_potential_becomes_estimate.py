"""Potentials of the CRM become estimates in Invoice: the whole way, through all services."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from contracts.potentials import PotentialCreated, PotentialLost, PotentialSnapshot, PotentialWon


@pytest.fixture
async def selling(company: Any) -> Any:
    """Connected, with the workflow active."""
    await company.connect()
    await company.activate_workflow()
    return company


async def test_s15_s18_created_won_and_lost(selling: Any) -> None:
    account = await selling.account("Alfreds Futterkiste")
    contact = await selling.contact("Anders", first_name="Maria", account_id=account["id"])
    potential = await selling.potential("Order 10248", account_id=account["id"], contact_id=contact["id"])

    estimate = await selling.estimate(potential, "draft")
    assert (estimate["customer_name"], estimate["contact_person_name"]) == ("Alfreds Futterkiste", "Maria Anders")
    assert [(line["name"], line["item_total"]) for line in estimate["line_items"]] == [("Order 10248", "440.00")]
    assert (estimate["total"], estimate["currency_code"], estimate["origin"]) == ("440.00", "EUR", "workflow")

    await selling.move(potential, "Closed Won")
    assert (await selling.estimate(potential, "accepted"))["id"] == estimate["id"]
    await selling.move(potential, "Closed Lost")
    assert (await selling.estimate(potential, "declined"))["id"] == estimate["id"]

    runs = await selling.runs(potential, 3)
    assert [run["outcome"] for run in runs] == ["done", "done", "done"]
    assert [run["commands"][-1]["command"] for run in runs] == [
        "create_estimate",
        "accept_estimate",
        "decline_estimate",
    ]
    assert {run["commands"][-1]["estimate_number"] for run in runs} == {estimate["estimate_number"]}


async def test_s18_s19_a_draft_that_nobody_has_changed_says_what_the_deal_says(selling: Any) -> None:
    account = await selling.account("Alfreds")
    ours, theirs = [await selling.potential("Order 1", account_id=account["id"]) for _ in range(2)]
    for potential in (ours, theirs):
        await selling.estimate(potential, "draft")
    [edited] = await selling.estimates(theirs)
    lines = [{"name": "Order 1, with cheese", "rate": "450.00"}]
    changed = await selling.invoice.patch(f"/v1/estimates/{edited['id']}", json={"line_items": lines})
    assert changed.status_code == 200, changed.text
    for potential in (ours, theirs):
        await selling.change(f"potentials/{potential['id']}", potential_name="Order 2", amount="4400.00")
        await selling.move(potential, "Closed Won")
        estimate = await selling.estimate(potential, "accepted")
        said = [(line["name"], line["item_total"]) for line in estimate["line_items"]]
        assert said == [("Order 2", "4400.00") if potential is ours else ("Order 1, with cheese", "450.00")]
    told, ends = (await selling.runs(ours, 3))[1:], (await selling.runs(theirs, 3))[-1]
    assert [[command["command"] for command in run["commands"]] for run in told] == [
        ["update_estimate"],
        ["accept_estimate"],
    ]
    assert [run["reason"] for run in told] == [None, None]
    number = edited["estimate_number"]
    assert ends["reason"] == f"estimate {number} is over 450.00 EUR, and the potential over 4400.00 EUR"


async def test_s18_what_an_accepted_estimate_does_not_say_of_the_deal_its_run_says(selling: Any) -> None:
    first, second = [await selling.account(name) for name in ("Alfreds", "Berglunds")]
    potential = await selling.potential("Order 1", account_id=first["id"])
    estimate = await selling.estimate(potential, "draft")
    await selling.invoice.post(f"/v1/estimates/{estimate['id']}/status/sent")
    await selling.change(f"potentials/{potential['id']}", amount="4400.00", account_id=second["id"])
    await selling.move(potential, "Closed Won")
    await selling.estimate(potential, "accepted")
    run = (await selling.runs(potential, 3))[-1]
    assert (run["outcome"], run["reason"]) == (
        "done",
        "estimate EST-000001 is over 440.00 EUR, and the potential over 4400.00 EUR; "
        "estimate EST-000001 was made for another customer than the potential has now",
    )


async def test_s18_a_contact_without_an_account_is_the_customer(selling: Any) -> None:
    contact = await selling.contact("Cramer", first_name="Philip")
    potential = await selling.potential("Order 1", contact_id=contact["id"])
    estimate = await selling.estimate(potential, "draft")
    assert (estimate["customer_name"], estimate["contact_person_name"]) == ("Philip Cramer", "Philip Cramer")


async def test_s18_with_neither_account_nor_contact_the_crm_shows_why_nothing_was_made(selling: Any) -> None:
    potential = await selling.potential("Order 1")
    [run] = await selling.runs(potential, 1)
    assert (run["outcome"], run["commands"]) == ("skipped", [])
    assert "neither an account nor a contact" in run["reason"]
    assert await selling.estimates(potential) == []


async def test_s19_reopened_and_won_again_accepts_the_same_estimate(selling: Any) -> None:
    account = await selling.account("Alfreds")
    potential = await selling.potential("Order 1", account_id=account["id"])
    for stage in ("Closed Won", "Qualification", "Closed Lost", "Closed Won"):
        await selling.move(potential, stage)
    await selling.runs(potential, 5)
    await selling.estimate(potential, "accepted")


async def test_s14_s20_before_activation_nothing_and_what_is_won_after_it_gets_its_estimate(company: Any) -> None:
    await company.connect()
    account = await company.account("Alfreds")
    early, never = [await company.potential(name, account_id=account["id"]) for name in ("Order 1", "Order 2")]
    await company.customer_of(account)

    async def both_were_told_of() -> bool:
        counted = company.stack.apps["workflow"].state.service.metrics.events
        return bool(counted.labels("workflow.potentials", "done")._value.get() == 2)

    await company.stack.eventually(both_were_told_of)
    await company.activate_workflow()
    await company.move(early, "Closed Won")
    await company.estimate(early, "accepted")
    assert await company.estimates(never) == []


async def test_s19_in_any_order_and_twice_the_result_is_one_estimate_in_the_right_state(selling: Any) -> None:
    account = await selling.account("Alfreds")
    await selling.customer_of(account)
    stories = [
        (last, order)
        for last, names in (("won", ("created", "lost", "won")), ("lost", ("created", "won", "lost")))
        for order in permutations(_events(names, account["id"]))
    ]
    for number, (_, order) in enumerate(stories):
        told = [event(data=data.model_copy(update={"id": f"p-{number}"})) for event, data in order]
        selling.publish(*told, *told)

    async def all_handled() -> bool:
        found = (await selling.workflow.get("/v1/runs", params={"limit": 200})).json()["items"]
        return len(found) == 6 * len(stories) and all(run["outcome"] in ("done", "skipped") for run in found)

    await selling.stack.eventually(all_handled)
    for number, (last, _) in enumerate(stories):
        await selling.estimate({"id": f"p-{number}"}, {"won": "accepted", "lost": "declined"}[last])


async def test_a_potential_of_a_customer_that_was_not_imported_yet_waits_for_the_import(company: Any) -> None:
    await company.activate_workflow()
    account = await company.account("Alfreds")
    potential = await company.potential("Order 1", account_id=account["id"], stage="Closed Won")

    async def waits() -> bool:
        runs = (await company.workflow.get("/v1/runs", params={"potential_id": potential["id"]})).json()["items"]
        return [run["outcome"] for run in runs] == ["waiting"] and "no organization is connected" in runs[0]["reason"]

    await company.stack.eventually(waits)
    await company.connect()
    await company.estimate(potential, "accepted")


@pytest.mark.parametrize("away", [("invoice",), ("workflow",), ("invoice", "sync", "workflow")])
async def test_with_services_stopped_meanwhile_nothing_is_lost(selling: Any, away: tuple[str, ...]) -> None:
    await selling.stack.stop(*away)
    account = await selling.account("Alfreds")
    ends = {"Closed Won": "accepted", "Closed Lost": "declined", "Negotiation/Review": "draft"}
    potentials = {stage: await selling.potential(stage, account_id=account["id"]) for stage in ends}
    for stage, potential in potentials.items():
        await selling.move(potential, stage)
    await selling.stack.start(*away)
    for stage, status in ends.items():
        await selling.estimate(potentials[stage], status)


async def test_s19_lost_while_the_customer_was_not_imported_is_declined_all_the_same(company: Any) -> None:
    await company.activate_workflow()
    account = await company.account("Alfreds")
    potential = await company.potential("Order 1", account_id=account["id"])
    await company.move(potential, "Closed Lost")

    async def both_wait() -> bool:
        runs = (await company.workflow.get("/v1/runs", params={"potential_id": potential["id"]})).json()["items"]
        return [run["outcome"] for run in runs] == ["waiting", "waiting"]

    await company.stack.eventually(both_wait)
    await company.connect()
    await company.estimate(potential, "declined")


async def test_an_estimate_is_followed_where_it_was_made_whichever_organization_is_connected_now(company: Any) -> None:
    organization = await company.invoice.post(
        "/v1/organizations", json={"name": "Second books", "currency_code": "EUR"}
    )
    headers = {"X-Organization-Id": organization.json()["id"]}
    key = await company.make("zsc-keys")
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": True}
    assert (await company.sync.post("/v1/imports", json=body, headers=headers)).status_code == 202
    await company.activate_workflow()
    account = await company.account("Alfreds")
    potential = await company.potential("Order 1", account_id=account["id"])

    async def is_there(status: str) -> None:
        async def there() -> bool:
            items = (await company.invoice.get("/v1/estimates", headers=headers)).json()["items"]
            return [(one["customer_name"], one["status"]) for one in items] == [("Alfreds", status)]

        await company.stack.eventually(there)
        assert (await company.invoice.get("/v1/estimates")).json()["items"] == []

    await is_there("draft")
    assert (await company.sync.delete("/v1/connection")).is_success
    await company.stack.stop("workflow")  # it believes in a connection for some seconds
    await company.stack.start("workflow")
    await company.move(potential, "Closed Won")
    await is_there("accepted")
    await company.connect()
    await company.move(potential, "Closed Lost")
    await is_there("declined")


def _events(names: tuple[str, ...], account_id: str) -> list[tuple[Any, PotentialSnapshot]]:
    """What happens to a potential, one after another: kinds of events, and its states."""
    kinds = {"created": PotentialCreated, "lost": PotentialLost, "won": PotentialWon}
    states = [
        PotentialSnapshot(
            id="",
            version=version,
            potential_name="Order",
            account_id=account_id,
            stage="any",
            status="open" if name == "created" else name,
            amount=Decimal("440.00"),
            currency_code="EUR",
        )
        for version, name in enumerate(names, 1)
    ]
    return [(kinds[name], state) for name, state in zip(names, states, strict=True)]
