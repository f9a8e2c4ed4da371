"""Potentials of the CRM become invoices in Invoice: the whole way, through all services (S14, S16-S20)."""

import asyncio
from itertools import permutations
from typing import Any

import httpx
import pytest
from contracts.event import Envelope
from contracts.potentials import PotentialCreated, PotentialLost, PotentialSnapshot, PotentialWon
from servicekit.bus.consumer import Received
from servicekit.db import new_id, utc_now

Json = dict[str, Any]


class Invoicing:
    """The company with the trigger *invoices*: what its people see of a potential's invoices."""

    def __init__(self, company: Any) -> None:
        self.company = company

    async def choose(self, trigger: str, *, active: bool = True) -> None:
        answer = await self.company.crm.put("/v1/workflow", json={"active": active, "trigger": trigger})
        assert answer.status_code == 200, answer.text

    async def invoices(self, potential: Json) -> list[Json]:
        """The potential's invoices, oldest first."""
        answer = await self.company.invoice.get("/v1/invoices", params={"crm_potential_id": potential["id"]})
        items: list[Json] = answer.json()["items"]
        return items[::-1]

    async def statuses(self, potential: Json, *statuses: str) -> list[Json]:
        """The potential's invoices in full, when they have these statuses."""

        async def there() -> list[Json] | None:
            found = await self.invoices(potential)
            return found if [one["status"] for one in found] == list(statuses) else None

        found: list[Json] = await self.company.stack.eventually(there)
        return [(await self.company.invoice.get(f"/v1/invoices/{one['id']}")).json() for one in found]

    async def act(self, invoice: Json, path: str, **body: Any) -> Json:
        """What a person does to an invoice in Invoice."""
        answer = await self.company.invoice.post(f"/v1/invoices/{invoice['id']}/{path}", json=body or None)
        assert answer.is_success, answer.text
        done: Json = answer.json()
        return done

    async def last_run(self, potential: Json, count: int) -> Json:
        """The run of its ``count``-th event, as the CRM shows it on the potential."""
        run: Json = (await self.company.runs(potential, count))[-1]
        return run


@pytest.fixture
async def invoicing(company: Any) -> Invoicing:
    await company.connect()
    made = Invoicing(company)
    await made.choose("invoices")
    return made


async def won(invoicing: Invoicing, name: str = "Order 1", **fields: Any) -> Json:
    """A potential of a new account that is won, and has its invoice."""
    account = await invoicing.company.account("Alfreds Futterkiste")
    potential: Json = await invoicing.company.potential(name, account_id=account["id"], **fields)
    await invoicing.company.move(potential, "Closed Won")
    await invoicing.statuses(potential, "draft")
    return potential


async def test_s16_s18_won_and_lost(invoicing: Invoicing) -> None:
    company = invoicing.company
    account = await company.account("Alfreds Futterkiste")
    contact = await company.contact("Anders", first_name="Maria", account_id=account["id"])
    potential = await company.potential("Order 10248", account_id=account["id"], contact_id=contact["id"])
    waiting = await invoicing.last_run(potential, 1)
    assert waiting["reason"] == "the invoice is made when the potential is won"
    assert await invoicing.invoices(potential) == []

    await company.move(potential, "Closed Won")
    [invoice] = await invoicing.statuses(potential, "draft")
    assert (invoice["customer_name"], invoice["contact_person_name"]) == ("Alfreds Futterkiste", "Maria Anders")
    assert [(line["name"], line["item_total"]) for line in invoice["line_items"]] == [("Order 10248", "440.00")]
    assert (invoice["total"], invoice["currency_code"], invoice["origin"]) == ("440.00", "EUR", "workflow")
    assert await company.estimates(potential) == []

    await company.move(potential, "Closed Lost")
    [void] = await invoicing.statuses(potential, "void")
    assert (void["id"], void["workflow_locked"]) == (invoice["id"], False)
    runs = await company.runs(potential, 3)
    assert [[command["command"] for command in run["commands"]] for run in runs] == [
        [],
        ["create_invoice"],
        ["void_invoice"],
    ]
    assert {run["commands"][0]["document_number"] for run in runs[1:]} == {invoice["invoice_number"]}
    assert all(run["correlation_id"] and run["decision"] and run["event_time"] for run in runs)


async def test_s19_won_again_leaves_the_void_invoice_and_makes_a_new_one(invoicing: Invoicing) -> None:
    potential = await won(invoicing)
    for stage in ("Closed Lost", "Qualification"):
        await invoicing.company.move(potential, stage)
    [first] = await invoicing.statuses(potential, "void")
    await invoicing.company.move(potential, "Closed Won")
    [void, new] = await invoicing.statuses(potential, "void", "draft")
    assert void["id"] == first["id"]
    assert new["total"] == "440.00"


@pytest.mark.parametrize("status", ["sent", "void"])
async def test_s17_what_a_person_has_changed_is_left_alone_for_good(invoicing: Invoicing, status: str) -> None:
    potential = await won(invoicing)
    [invoice] = await invoicing.statuses(potential, "draft")
    changed = await invoicing.act(invoice, f"status/{status}")
    for stage in ("Closed Lost", "Qualification", "Closed Won"):
        await invoicing.company.move(potential, stage)
    runs = await invoicing.company.runs(potential, 5)
    day = changed["locked_at"][:10]
    for run in runs[2:]:
        assert (run["outcome"], run["commands"]) == ("skipped", [])
        assert run["reason"].startswith(f"left alone: status changed by admin@invoice.test on {day}")
    await invoicing.statuses(potential, status)


async def test_s17_given_back_by_an_administrator_it_follows_the_potential_again(invoicing: Invoicing) -> None:
    potential = await won(invoicing)
    [invoice] = await invoicing.statuses(potential, "draft")
    await invoicing.act(invoice, "status/sent")
    await invoicing.act(invoice, "unlock")
    await invoicing.company.move(potential, "Closed Lost")
    await invoicing.statuses(potential, "void")


async def test_an_invoice_with_payments_stays_and_the_run_says_why(invoicing: Invoicing) -> None:
    paid, given_back = await won(invoicing, "Order 1"), await won(invoicing, "Order 2")
    for potential in (paid, given_back):
        [invoice] = await invoicing.statuses(potential, "draft")
        await invoicing.act(invoice, "status/sent")
        await invoicing.act(invoice, "payments", amount="440.00")
    await invoicing.act((await invoicing.invoices(given_back))[0], "unlock")
    for potential, reason in (
        (paid, "left alone: status changed by admin@invoice.test"),
        (given_back, "with payments recorded it cannot become void"),
    ):
        await invoicing.company.move(potential, "Closed Lost")
        run = await invoicing.last_run(potential, 3)
        assert (run["outcome"], reason in run["reason"], "is paid" in run["reason"]) == ("skipped", True, True)
        await invoicing.statuses(potential, "paid")


async def test_s15_an_estimate_that_was_converted_by_hand_stays_and_so_does_its_invoice(invoicing: Invoicing) -> None:
    company = invoicing.company
    await invoicing.choose("estimates")
    account = await company.account("Alfreds")
    potential = await company.potential("Order 1", account_id=account["id"])
    estimate = await company.estimate(potential, "draft")
    assert (await company.invoice.post(f"/v1/estimates/{estimate['id']}/convert")).status_code == 201
    await company.move(potential, "Closed Lost")
    run = await invoicing.last_run(potential, 2)
    assert (run["outcome"], "what was invoiced stays as it is" in run["reason"]) == ("skipped", True)
    await company.estimate(potential, "invoiced")
    await invoicing.statuses(potential, "draft")


async def test_s20_switching_changes_nothing_that_was_made(invoicing: Invoicing) -> None:
    company = invoicing.company
    invoiced = await won(invoicing, "Order 1")
    account = await company.account("Berglunds")
    fresh = await company.potential("Order 3", account_id=account["id"])
    await company.runs(fresh, 1)
    await invoicing.choose("estimates")
    estimated = await company.potential("Order 2", account_id=account["id"])
    await company.estimate(estimated, "draft")
    assert [one["status"] for one in await invoicing.invoices(invoiced)] == ["draft"]

    await company.move(fresh, "Closed Won")
    await company.estimate(fresh, "accepted")  # it had nothing yet: what the trigger says for its state now
    await company.move(invoiced, "Closed Lost")
    await invoicing.statuses(invoiced, "void")
    await invoicing.choose("invoices")
    await company.move(estimated, "Closed Won")
    await company.estimate(estimated, "accepted")
    for potential in (fresh, estimated):
        assert await invoicing.invoices(potential) == []
    assert await company.estimates(invoiced) == []


async def test_s20_a_slow_answer_and_a_switched_trigger_do_not_make_both(
    invoicing: Invoicing, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = invoicing.company
    await invoicing.choose("estimates")
    account = await company.account("Alfreds")
    await company.customer_of(account)
    transport = company.stack.http._transport
    send, asked, go_on = transport.handle_async_request, asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) == ("POST", "/v1/estimates") and not asked.is_set():
            asked.set()
            await go_on.wait()
        answer: httpx.Response = await send(request)
        return answer

    monkeypatch.setattr(transport, "handle_async_request", slowly)
    potential = await company.potential("Order 1", account_id=account["id"])
    await asyncio.wait_for(asked.wait(), 15)
    await invoicing.choose("invoices")
    won = PotentialSnapshot(
        id=potential["id"],
        version=2,
        potential_name="Order 1",
        account_id=account["id"],
        stage="Closed Won",
        status="won",
        amount="440.00",
        currency_code="EUR",
    )
    workflow = company.stack.apps["workflow"].state.service.state["workflow"]  # as another process would hear of it
    envelope = Envelope(id=new_id(), source="/crm", type=PotentialWon.wire_type, time=utc_now(), data={})
    other = asyncio.create_task(workflow.handle(Received(envelope, PotentialWon(data=won))))
    await asyncio.wait([other], timeout=0.5)
    go_on.set()
    await asyncio.gather(other, return_exceptions=True)
    await company.move(potential, "Closed Won")
    await company.estimate(potential, "accepted")
    assert await invoicing.invoices(potential) == []


async def test_a_slow_call_for_one_potential_holds_up_no_other(
    invoicing: Invoicing, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = invoicing.company
    accounts = [await company.account(name) for name in ("Alfreds", "Berglunds")]
    for account in accounts:
        await company.customer_of(account)
    slow, other = [await company.potential("Order 1", account_id=account["id"]) for account in accounts]
    for potential in (slow, other):
        await company.runs(potential, 1)
    transport = company.stack.http._transport
    send, asked, go_on = transport.handle_async_request, asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) == ("POST", "/v1/invoices") and slow["id"] in request.content.decode():
            asked.set()
            await go_on.wait()
        answer: httpx.Response = await send(request)
        return answer

    monkeypatch.setattr(transport, "handle_async_request", slowly)
    await company.move(slow, "Closed Won")
    await asyncio.wait_for(asked.wait(), 15)
    await company.move(slow, "Closed Lost")  # waits for what is slow
    await company.move(other, "Closed Won")
    await invoicing.statuses(other, "draft")
    assert await invoicing.invoices(slow) == []
    go_on.set()
    await invoicing.statuses(slow, "void")


async def test_s14_s20_while_inactive_nothing_and_what_is_won_after_it_gets_its_invoice(invoicing: Invoicing) -> None:
    company = invoicing.company
    await invoicing.choose("invoices", active=False)
    account = await company.account("Alfreds")
    early, late = [await company.potential(name, account_id=account["id"]) for name in ("Order 1", "Order 2")]
    await company.stack.stop("workflow")  # its events are handled after the activation, though of a time before it
    await company.move(early, "Closed Won")
    await company.customer_of(account)
    await company.stack.start("workflow")
    await invoicing.choose("invoices")
    await company.move(late, "Closed Won")
    await invoicing.statuses(late, "draft")
    await company.change(f"potentials/{early['id']}", potential_name="Order 1, renamed")
    run = await invoicing.last_run(early, 1)
    assert "won while the workflow was not active" in run["reason"]
    assert await invoicing.invoices(early) == []
    for stage in ("Qualification", "Closed Won"):
        await company.move(early, stage)
    await invoicing.statuses(early, "draft")


async def test_s19_in_any_order_and_twice_the_result_is_one_invoice_in_the_right_state(invoicing: Invoicing) -> None:
    company = invoicing.company
    account = await company.account("Alfreds")
    await company.customer_of(account)
    kinds = {"open": PotentialCreated, "won": PotentialWon, "lost": PotentialLost}
    expected = {}
    for number, (ends, order) in enumerate(
        (ends, order) for ends in ("won", "lost") for order in permutations(range(3))
    ):
        potential_id = f"p-{number}"
        statuses: list[Any] = ["open", "won", "lost"] if ends == "lost" else ["open", "lost", "won"]
        events = [
            kinds[status](
                data=PotentialSnapshot(
                    id=potential_id,
                    version=version,
                    potential_name="Order",
                    account_id=account["id"],
                    stage="any",
                    status=status,
                    amount="440.00",
                    currency_code="EUR",
                )
            )
            for version, status in enumerate(statuses, 1)
        ]
        told = [events[which] for which in order]
        company.publish(*told, *told)
        expected[potential_id] = {"won": "draft", "lost": "void"}[ends]

    async def all_handled() -> bool:
        found = (await company.workflow.get("/v1/runs", params={"limit": 200})).json()["items"]
        return len(found) == 72 and all(run["outcome"] in ("done", "skipped") for run in found)

    await company.stack.eventually(all_handled)
    for potential_id, status in expected.items():
        await invoicing.statuses({"id": potential_id}, status)


async def test_an_amount_in_another_currency_than_the_customers_is_invoiced_as_it_is(invoicing: Invoicing) -> None:
    company = invoicing.company
    account = await company.account("Alfreds")
    customer = await company.customer_of(account)
    changed = await company.invoice.patch(f"/v1/customers/{customer['id']}", json={"currency_code": "USD"})
    assert changed.status_code == 200, changed.text
    potential = await company.potential("Order 1", account_id=account["id"], amount="100", currency_code="JPY")
    await company.move(potential, "Closed Won")
    [invoice] = await invoicing.statuses(potential, "draft")
    assert (invoice["currency_code"], invoice["total"]) == ("JPY", "100")


async def test_an_inactive_customer_fails_the_run_until_someone_tries_it_again(invoicing: Invoicing) -> None:
    company = invoicing.company
    account = await company.account("Alfreds")
    customer = await company.customer_of(account)
    await company.invoice.post(f"/v1/customers/{customer['id']}/inactive")
    potential = await company.potential("Order 1", account_id=account["id"])
    await company.move(potential, "Closed Won")
    failed = await invoicing.last_run(potential, 2)
    assert (failed["outcome"], "inactive" in failed["reason"]) == ("failed", True)
    await company.invoice.post(f"/v1/customers/{customer['id']}/active")
    tried = await company.workflow.post(f"/v1/runs/{failed['id']}/retry")
    assert (tried.status_code, tried.json()["outcome"]) == (200, "done")
    await invoicing.statuses(potential, "draft")


async def test_a_customer_that_was_merged_away_is_invoiced_as_the_one_that_stayed(invoicing: Invoicing) -> None:
    company = invoicing.company
    accounts = [await company.account(name) for name in ("Alfreds", "Alfreds Futterkiste")]
    gone, stays = [await company.customer_of(account) for account in accounts]
    merged = await company.invoice.post(f"/v1/customers/{gone['id']}/merge", json={"into": stays["id"]})
    assert merged.is_success, merged.text
    potential = await company.potential("Order 1", account_id=accounts[0]["id"])
    await company.move(potential, "Closed Won")
    [invoice] = await invoicing.statuses(potential, "draft")
    assert (invoice["customer_id"], invoice["customer_name"]) == (stays["id"], "Alfreds Futterkiste")


async def test_with_services_stopped_meanwhile_no_invoice_is_lost(invoicing: Invoicing) -> None:
    company = invoicing.company
    await company.stack.stop("invoice", "sync", "workflow")
    account = await company.account("Alfreds")
    ends = {"Closed Won": "draft", "Closed Lost": "void"}
    potentials = {stage: await company.potential(stage, account_id=account["id"]) for stage in ends}
    for stage, potential in potentials.items():
        await company.move(potential, "Closed Won")
        if stage == "Closed Lost":
            await company.move(potential, stage)
    await company.stack.start("invoice", "sync", "workflow")
    for stage, status in ends.items():
        await invoicing.statuses(potentials[stage], status)


async def test_s6_s18_without_auto_update_the_account_and_contact_are_imported_first(company: Any) -> None:
    await company.connect(auto_update=False)
    invoicing = Invoicing(company)
    await invoicing.choose("invoices")
    account = await company.account("Alfreds")
    contact = await company.contact("Anders", account_id=account["id"])
    assert await company.customers() == []
    potential = await company.potential("Order 1", account_id=account["id"], contact_id=contact["id"])
    await company.move(potential, "Closed Won")
    [invoice] = await invoicing.statuses(potential, "draft")
    assert (invoice["customer_name"], invoice["contact_person_name"]) == ("Alfreds", "Anders")
    assert await company.names() == ["Alfreds"]
    run = await invoicing.last_run(potential, 2)
    assert [command["command"] for command in run["commands"]][-1] == "create_invoice"
    assert {command["record_id"] for command in run["commands"][:-1]} <= {account["id"], contact["id"]}
    assert len(run["commands"]) > 1


async def test_s18_an_account_that_was_deleted_between_event_and_command(company: Any) -> None:
    await company.connect(auto_update=False)
    invoicing = Invoicing(company)
    await invoicing.choose("invoices")
    await company.stack.stop("workflow")
    account = await company.account("Alfreds")
    potential = await company.potential("Order 1", account_id=account["id"])
    await company.move(potential, "Closed Won")
    assert (await company.crm.delete(f"/v1/accounts/{account['id']}")).status_code == 204
    await company.stack.start("workflow")
    runs = await company.runs(potential, 2)
    assert {run["outcome"] for run in runs} == {"skipped"}
    assert any("is not in the CRM any more" in run["reason"] or "neither" in run["reason"] for run in runs)
    assert await invoicing.invoices(potential) == []
