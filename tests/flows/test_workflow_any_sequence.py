"""S15-S20: whatever happens, in whatever order it is told of and however often, it ends where the table says.

Hypothesis makes up sequences of changes of a potential, of its events (late, twice, in any order) and of what people do
to its documents meanwhile; Invoice, the workflow, their databases and the bus are real. EXAMPLES says how many.
"""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar, TypeVar

import pytest
from contracts.event import encode
from contracts.potentials import (
    EVENTS,
    PotentialCreated,
    PotentialDeleted,
    PotentialLost,
    PotentialReopened,
    PotentialSnapshot,
    PotentialUpdated,
    PotentialWon,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from servicekit.bus import Outgoing
from servicekit.db import new_id, utc_now
from workflow_service.documents import document_of
from workflow_service.policy import KIND, Memory, Nothing, decide, is_due

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
T = TypeVar("T")
Json = dict[str, Any]

AMOUNTS = st.sampled_from(["440.00"] * 5 + ["12.50", None])
STATUSES = st.sampled_from(["won", "lost", "won", "lost", "open"])
ANY = st.integers(0, 11)

SELDOM = ("switch", "pause", "pause", "delete", "estimate", "invoice")
ESTIMATE_ACTS = ("sent", "accepted", "declined", "convert", "delete", "edit", "expire")
INVOICE_ACTS = ("sent", "void", "draft", "pay a part", "pay", "unpay", "delete", "edit", "fall due", "unlock")


class Office:
    """Invoice and the workflow as they run, and the people who work there; one for all examples."""

    def __init__(self, stack: Any, invoice: Any, workflow: Any, customer_id: str) -> None:
        self.stack, self.invoice, self.workflow, self.customer_id = stack, invoice, workflow, customer_id
        self.loop = asyncio.get_running_loop()
        self.potentials = count(1)
        self._published = 0

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        """Have it done where the services run; the examples run in a thread of their own."""
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(60)

    async def choose(self, trigger: str, *, active: bool = True) -> None:
        answer = await self.workflow.put("/v1/workflow", json={"active": active, "trigger": trigger})
        assert answer.status_code == 200, answer.text

    async def tell(self, snapshot: PotentialSnapshot, event: type[Any], at: datetime) -> None:
        """Publish an event of something that happened ``at`` a time, and wait until it was handled."""
        event_id = new_id()
        body = encode(event(data=snapshot), event_id=event_id, source="/crm", time=at)
        service = self.stack.apps["workflow"].state.service
        while True:
            try:
                await service.bus.publish([Outgoing(event_id, event.exchange(), event.routing_key(), body)])
                break
            except ConnectionError:  # as the relay does
                await asyncio.sleep(0.005)
        self._published += 1

        async def handled() -> bool:
            labels = {"queue": "workflow.potentials", "outcome": "done"}
            done = service.metrics.registry.get_sample_value("consumed_events_total", labels) or 0
            return bool(done >= self._published)

        await self.stack.eventually(handled)

    async def documents(self, potential_id: str) -> list[Json]:
        """The potential's estimates and invoices in full, in the order they were made in."""
        found = []
        for kind in ("estimate", "invoice"):
            answer = await self.invoice.get(f"/v1/{kind}s", params={"crm_potential_id": potential_id})
            for one in answer.json()["items"]:
                whole = (await self.invoice.get(f"/v1/{kind}s/{one['id']}")).json()
                found.append(whole | {"kind": kind})
        return sorted(found, key=lambda one: str(one["id"]))

    async def by_hand(self, kind: str, potential_id: str) -> None:
        body: Json = {
            "customer_id": self.customer_id,
            "crm_potential_id": potential_id,
            "line_items": [{"name": "x", "rate": 5}],
        }
        assert (await self.invoice.post(f"/v1/{kind}s", json=body)).status_code == 201

    async def act(self, document: Json, act: str) -> None:
        """What a person does to a document, if Invoice lets them."""
        path = f"/v1/{document['kind']}s/{document['id']}"
        past = (utc_now().date() - timedelta(days=2)).isoformat()
        match act:
            case "delete":
                answer = await self.invoice.delete(path)
            case "edit":
                answer = await self.invoice.patch(path, json={"notes": f"version {document['version']}"})
            case "expire":
                answer = await self.invoice.patch(path, json={"date": past, "expiry_date": past})
            case "fall due":
                answer = await self.invoice.patch(path, json={"date": past, "due_date": past})
            case "convert" | "unlock":
                answer = await self.invoice.post(f"{path}/{act}")
            case "pay" | "pay a part":
                amount = document["balance"] if act == "pay" else "1.00"
                answer = await self.invoice.post(f"{path}/payments", json={"amount": amount})
            case "unpay":
                paid = (await self.invoice.get("/v1/payments", params={"invoice_id": document["id"]})).json()["items"]
                if not paid:
                    return
                answer = await self.invoice.delete(f"/v1/payments/{paid[0]['id']}")
            case _:
                answer = await self.invoice.post(f"{path}/status/{act}")
        assert answer.status_code in (200, 201, 204, 409, 422), answer.text

    async def runs(self, potential_id: str) -> list[Json]:
        answer = await self.workflow.get("/v1/runs", params={"potential_id": potential_id, "limit": 200})
        found: list[Json] = answer.json()["items"]
        return found


class AnySequence(RuleBasedStateMachine):
    """One potential. ``history``: its states, by what event, when, and whether the workflow was active then;
    ``told``: which of them were told of, in which order."""

    office: ClassVar[Office]

    @initialize(trigger=st.sampled_from(["estimates", "invoices"]), amount=AMOUNTS)
    def begin(self, trigger: Any, amount: str | None) -> None:
        self.id = f"p-{next(self.office.potentials)}"
        self.trigger: Any = trigger
        self.office.do(self.office.choose(trigger))
        self.active = True
        self.history: list[tuple[PotentialSnapshot, type[Any], datetime, bool]] = []
        self.told: list[int] = []
        self.memory = Memory()
        self.ever_made: set[str] = set()
        self.seldom = list(SELDOM)
        self.has_documents = False
        self._add("open", amount, PotentialCreated)

    # Few rules with many choices: Hypothesis leaves some rules out of an example, and likes to repeat itself.

    @precondition(lambda self: not self._newest.deleted)
    @rule(status=STATUSES, amount=AMOUNTS, at_once=st.booleans())
    def the_potential_changes(self, status: str, amount: str | None, at_once: bool) -> None:
        moved = {"won": PotentialWon, "lost": PotentialLost, "open": PotentialReopened}
        self._add(status, amount, PotentialUpdated if status == self._newest.status else moved[status])
        if at_once:
            self._tell(len(self.history) - 1)

    @rule(which=ANY, status=STATUSES, amount=AMOUNTS)
    def it_changes_twice_and_an_older_event_arrives(self, which: int, status: str, amount: str | None) -> None:
        if not self._newest.deleted:
            self.the_potential_changes("won" if self._newest.status != "won" else "open", "440.00", at_once=False)
            self.the_potential_changes(status, amount, at_once=True)
        self._tell(which % len(self.history))

    @precondition(lambda self: self.has_documents)
    @rule(which=ANY, of_estimates=st.sampled_from(ESTIMATE_ACTS), of_invoices=st.sampled_from(INVOICE_ACTS))
    def a_person_acts(self, which: int, of_estimates: str, of_invoices: str) -> None:
        documents = self._look()
        if documents:
            document = documents[which % len(documents)]
            act = of_estimates if document["kind"] == "estimate" else of_invoices
            self.office.do(self.office.act(document, act))

    @precondition(lambda self: len(self.history) > 1 and len(self.seldom) > 2)
    @rule(what=st.sampled_from(SELDOM))
    def something_seldom_happens(self, what: str) -> None:
        """Twice in an example at most: what it hides is tried as well."""
        if what not in self.seldom:
            return
        self.seldom.remove(what)
        match what:
            case "switch":
                self.trigger = "estimates" if self.trigger == "invoices" else "invoices"
                self.office.do(self.office.choose(self.trigger, active=self.active))
            case "pause":
                self.active = not self.active
                self.office.do(self.office.choose(self.trigger, active=self.active))
            case "delete":
                self._add(self._newest.status, None, PotentialDeleted, deleted=True)
            case "estimate" | "invoice":
                self.office.do(self.office.by_hand(what, self.id))

    def teardown(self) -> None:
        """All that was not told of yet, the newest first, and the newest once more, since people acted after it."""
        if not hasattr(self, "history"):
            return
        if self.seldom.count("pause") < 2:
            self.active = True
            self.office.do(self.office.choose(self.trigger))
            if not self._newest.deleted:  # what was missed meanwhile is made up for by the next event
                self._add(self._newest.status, self.amount, PotentialUpdated)
        for which in reversed(range(len(self.history))):
            if which not in self.told:
                self._tell(which)
        self._tell(len(self.history) - 1)
        ended = self._look()
        self._check(ended)
        for which in range(len(self.history)):
            self._tell(which)
        again = self._look()
        assert [(one["id"], one["version"]) for one in again] == [(one["id"], one["version"]) for one in ended]

    @property
    def _newest(self) -> PotentialSnapshot:
        return self.history[-1][0]

    def _add(self, status: Any, amount: str | None, event: type[Any], *, deleted: bool = False) -> None:
        snapshot = PotentialSnapshot(
            id=self.id,
            version=len(self.history) + 1,
            deleted=deleted,
            potential_name="Order",
            account_id="a1",
            stage="any",
            status=status,
            amount=None if amount is None else Decimal(amount),
            currency_code="EUR",
        )
        assert event in EVENTS
        self.amount = amount
        self.history.append((snapshot, event, utc_now(), self.active))

    def _tell(self, which: int) -> None:
        snapshot, event, at, was_active = self.history[which]
        self.office.do(self.office.tell(snapshot, event, at))
        self.told.append(which)
        self.has_documents = True  # there may be some; a look will tell
        if self.active and was_active and is_due(self.trigger, snapshot):
            self.memory = replace(self.memory, due=self.memory.due | {KIND[self.trigger]})

    def _look(self) -> list[Json]:
        """The documents; and what the workflow has to remember of them, should they be deleted after this."""
        documents = self.office.do(self.office.documents(self.id))
        kind = self.memory.kind
        for document in documents:
            if any(entry["who"] == "workflow" for entry in document["history"]):
                kind = kind or document["kind"]
                assert document["kind"] == kind, "no potential gets both"
            if document["origin"] == "workflow":
                self.ever_made.add(document["id"])
        self.memory = replace(self.memory, kind=kind, made=len(self.ever_made))
        self.has_documents = bool(documents)
        return documents

    def _check(self, documents: list[Json]) -> None:
        newest = max((self.history[which][0] for which in self.told), key=lambda one: one.version)
        assert newest == self._newest
        turns = [was_active for _, event, _, was_active in self.history if event is not PotentialUpdated]
        won_before = newest.status == "won" and not turns[-1]
        self.memory = replace(self.memory, won_before=won_before)
        # The table has nothing left to do.
        decision = decide(self.trigger, newest, [document_of(one["kind"], one) for one in documents], self.memory)
        assert isinstance(decision, Nothing), (decision, documents)
        assert all(run["outcome"] in ("done", "skipped") for run in self.office.do(self.office.runs(self.id)))

        ours = [one for one in documents if one["origin"] == "workflow"]
        estimates, invoices = ([one for one in ours if one["kind"] == kind] for kind in ("estimate", "invoice"))
        assert len(estimates) <= 1
        # S17: nothing of the workflow's after a person's change of status.
        for invoice in documents:
            if invoice.get("workflow_locked"):
                late = [entry for entry in invoice["history"] if entry["at"] > invoice["locked_at"]]
                assert all(entry["who"] != "workflow" for entry in late), invoice
        if newest.deleted:
            return
        untouched = [one for one in invoices if all(entry["who"] == "workflow" for entry in one["history"])]
        live = [one for one in untouched if one["status"] != "void"]
        assert len(live) <= 1
        if newest.status == "lost":
            assert not live
            assert all(one["status"] in ("declined", "invoiced", "expired") for one in estimates)
        if newest.status == "won":
            assert all(one["status"] in ("accepted", "invoiced") for one in estimates)
            may_have_one = newest.amount is not None and self.memory.made == len(ours) and not won_before
            if may_have_one and (self.memory.kind or KIND[self.trigger]) == "invoice":
                theirs = any(one["workflow_locked"] for one in invoices)
                assert theirs or any(one["kind"] == "invoice" and one["status"] != "void" for one in documents)


@pytest.fixture
async def office(company: Any) -> Office:
    stack = company.stack
    await company.connect()
    records = [{"record_type": "account", "record_id": "a1", "version": 1, "customer": {"customer_name": "Alfreds"}}]
    answer = await stack.service("sync", "invoice").put("/v1/crm/customers", json={"records": records})
    customer_id = answer.json()["results"][0]["customer_id"]
    return Office(stack, company.invoice, company.workflow, customer_id)


async def test_s15_s20_any_sequence_ends_where_the_table_says(office: Office) -> None:
    machine = type("AnySequenceHere", (AnySequence,), {"office": office})
    how = settings(max_examples=EXAMPLES, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=how)
