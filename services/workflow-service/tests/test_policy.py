"""Trigger estimates: every state of a potential against every state of its estimate (S15, S18-S20)."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any, get_args

import pytest
from contracts.documents import EstimateStatus
from contracts.potentials import PotentialSnapshot, PotentialStatus
from hypothesis import given
from hypothesis import strategies as st
from workflow_service.policy import (
    AcceptEstimate,
    CreateEstimate,
    CreateInvoice,
    DeclineEstimate,
    Document,
    Lock,
    Memory,
    Nothing,
    UpdateEstimate,
    VoidInvoice,
    decide,
    is_due,
)
from workflow_service.policy.estimates import estimate_of

# Invoice's table of states; from here the policy may not stray.
MAY_BECOME = {
    "draft": {"sent", "accepted", "declined", "invoiced"},
    "sent": {"accepted", "declined", "invoiced"},
    "accepted": {"declined", "invoiced"},
    "declined": {"sent", "accepted"},
    "expired": {"sent", "accepted"},
    "invoiced": set(),
}

CREATE, ACCEPT, DECLINE = CreateEstimate(), AcceptEstimate("e1"), DeclineEstimate("e1")

TABLE: dict[tuple[str, str | None], Any] = {
    ("open", None): CREATE,
    ("open", "draft"): "is draft and stays as it is while the potential is open",
    ("open", "sent"): "is sent and stays as it is while the potential is open",
    ("open", "expired"): "is expired and stays as it is while the potential is open",
    ("open", "accepted"): "nothing leads back from there",
    ("open", "declined"): "nothing leads back from there",
    ("open", "invoiced"): "what was invoiced stays as it is",
    ("won", None): CREATE,
    ("won", "draft"): ACCEPT,
    ("won", "sent"): ACCEPT,
    ("won", "expired"): ACCEPT,
    ("won", "accepted"): "is accepted already",
    ("won", "declined"): ACCEPT,
    ("won", "invoiced"): "what was invoiced stays as it is",
    ("lost", None): "it was lost before any estimate was made",
    ("lost", "draft"): DECLINE,
    ("lost", "sent"): DECLINE,
    ("lost", "expired"): "cannot be declined any more",
    ("lost", "accepted"): DECLINE,
    ("lost", "declined"): "is declined already",
    ("lost", "invoiced"): "what was invoiced stays as it is",
}


def potential(status: Any = "open", **changes: Any) -> PotentialSnapshot:
    values = {"id": "p1", "version": 1, "potential_name": "Order", "stage": "any", "currency_code": "EUR"}
    values |= {"account_id": "a1", "amount": Decimal(5), "status": status}
    return PotentialSnapshot(**(values | changes))


def estimate(status: Any, id_: str = "e1", *, by_workflow: bool = True) -> Document:
    return Document("estimate", id_, "EST-000001", status, by_workflow)


def invoice(status: Any, id_: str = "i1", *, by_workflow: bool = True, locked: bool = False) -> Document:
    lock = Lock("maria@invoice.test", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)) if locked else None
    return Document("invoice", id_, f"INV-{id_}", status, by_workflow, lock)


def reason(decision: Any) -> str:
    assert isinstance(decision, Nothing), decision
    return decision.reason


def documents(status: str | None) -> list[Document]:
    return [] if status is None else [estimate(status)]


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(product(get_args(PotentialStatus), [None, *get_args(EstimateStatus)]))


@pytest.mark.parametrize(("status", "found"), TABLE)
def test_s15_s19_every_state_of_the_potential_against_every_state_of_the_estimate(
    status: str, found: str | None
) -> None:
    decision = decide("estimates", potential(status), documents(found))
    expected = TABLE[status, found]
    if isinstance(expected, str):
        assert isinstance(decision, Nothing)
        assert expected in decision.reason
    else:
        assert decision == expected


@pytest.mark.parametrize("trigger", ["estimates", "invoices"])
@pytest.mark.parametrize("found", [None, estimate("draft"), invoice("draft"), invoice("sent", locked=True)])
@pytest.mark.parametrize("status", get_args(PotentialStatus))
def test_a_deleted_potential_causes_nothing(trigger: Any, status: str, found: Document | None) -> None:
    decision = decide(trigger, potential(status, deleted=True), [found] if found else [])
    assert decision == Nothing("the potential was deleted; its documents stay as they are")


@pytest.mark.parametrize("status", ["open", "won"])
def test_s18_without_account_and_contact_there_is_nobody_to_make_one_for(status: str) -> None:
    decision = decide("estimates", potential(status, account_id=None), [])
    assert isinstance(decision, Nothing)
    assert "neither an account nor a contact" in decision.reason
    assert decide("estimates", potential(status, account_id=None, contact_id="c1"), []) == CREATE


DUE = Memory(due=frozenset({"estimate"}))


def test_s19_one_that_is_lost_but_was_due_before_gets_its_estimate_to_decline() -> None:
    lost = potential("lost")
    assert decide("estimates", lost, [], DUE) == CREATE
    assert decide("estimates", lost, [estimate("draft")], DUE) == DECLINE
    assert is_due("estimates", potential("open"))
    assert is_due("estimates", potential("won"))
    assert not is_due("estimates", lost)
    assert not is_due("estimates", potential("open", amount=None))


@pytest.mark.parametrize("status", ["open", "won"])
def test_s18_without_an_amount_it_waits_for_one(status: str) -> None:
    decision = decide("estimates", potential(status, amount=None), [])
    assert isinstance(decision, Nothing)
    assert "no amount yet" in decision.reason


def test_an_estimate_that_a_person_linked_is_followed_even_without_account_and_amount() -> None:
    bare = potential("won", account_id=None, amount=None)
    assert decide("estimates", bare, [estimate("sent", by_workflow=False)]) == ACCEPT


def test_the_potentials_estimate_is_the_workflows_else_the_newest_linked_one() -> None:
    by_hand = [estimate("draft", id_, by_workflow=False) for id_ in ("e1", "e3", "e2")]
    by_workflow = estimate("draft", "e0")
    assert estimate_of(by_hand) == by_hand[1]
    assert estimate_of([*by_hand, by_workflow]) == by_workflow
    assert estimate_of([]) is None


def test_an_estimate_that_was_deleted_is_not_made_again() -> None:
    made = Memory(kind="estimate", made=1)
    for status in get_args(PotentialStatus):
        assert "was deleted in Invoice" in reason(decide("estimates", potential(status), [], made))
    adopted = Memory(kind="estimate", made=0)  # a person's, whom the workflow only followed
    assert decide("estimates", potential("won"), [], adopted) == CREATE


def test_s18_s19_a_draft_that_nobody_has_changed_follows_name_amount_and_currency() -> None:
    def saying(name: str, rate: int, currency_code: str = "EUR", status: Any = "draft") -> Document:
        return replace(estimate(status), line=(name, Decimal(rate)), currency_code=currency_code)

    now = potential("won", potential_name="Order", amount=Decimal(5), currency_code="EUR")
    for behind in (saying("Older", 5), saying("Order", 4), saying("Order", 5, "USD")):
        assert decide("estimates", now, [behind]) == UpdateEstimate("e1")
    assert decide("estimates", now, [saying("Order", 5)]) == ACCEPT
    assert decide("estimates", now, [saying("Older", 5, status="sent")]) == ACCEPT
    assert decide("estimates", potential("lost"), [saying("Older", 4)]) == DECLINE


def test_what_has_an_invoice_already_gets_no_estimate() -> None:
    by_hand = invoice("sent", by_workflow=False)
    assert "nothing to estimate" in reason(decide("estimates", potential("won"), [by_hand]))
    assert decide("estimates", potential("won"), [estimate("draft"), by_hand]) == ACCEPT
    assert decide("estimates", potential("won"), [invoice("void", by_workflow=False)]) == CREATE


@pytest.mark.parametrize("trigger", ["estimates", "invoices"])
def test_s20_what_was_won_before_the_activation_gets_nothing_by_being_edited(trigger: Any) -> None:
    before = Memory(won_before=True)
    assert "won while the workflow was not active" in reason(decide(trigger, potential("won"), [], before))
    assert decide("estimates", potential("won"), [estimate("draft")], before) == ACCEPT


def test_s20_a_potential_stays_with_what_the_workflow_began_it_with() -> None:
    assert decide("invoices", potential("won"), [estimate("draft")]) == ACCEPT
    assert decide("estimates", potential("lost"), [invoice("draft")]) == VoidInvoice("i1")
    assert "was deleted" in reason(decide("invoices", potential("won"), [], Memory(kind="estimate", made=1)))
    followed_by_hand = Memory(kind="estimate")
    assert decide("invoices", potential("lost"), [estimate("sent", by_workflow=False)], followed_by_hand) == DECLINE


def test_s20_what_another_trigger_asked_for_is_not_made_for_a_lost_potential() -> None:
    assert "lost before any invoice" in reason(decide("invoices", potential("lost"), [], DUE))
    assert is_due("invoices", potential("won"))
    assert not is_due("invoices", potential("open"))


MAY_BECOME_OF_INVOICES = {"draft": {"void"}, "void": set()}


class Simulated:
    """Invoice, and what the workflow remembers of the one potential (`workflow_service.potentials`)."""

    def __init__(self, trigger: Any) -> None:
        self.trigger = trigger
        self.documents: list[Document] = []
        self.known: list[PotentialSnapshot] = []

    def arrives(self, snapshot: PotentialSnapshot) -> None:
        self.known.append(snapshot)
        newest = max(self.known, key=lambda one: one.version)
        due = any(is_due(self.trigger, one) for one in self.known)
        memory = Memory(due=frozenset({"estimate", "invoice"} if due else ()))
        for _ in range(4):
            match decide(self.trigger, newest, self.documents, memory):
                case CreateEstimate():
                    self.documents.append(estimate("draft"))
                case CreateInvoice(number):
                    assert number == len(self.documents) + 1
                    self.documents.append(invoice("draft", f"i{number}"))
                case AcceptEstimate(document_id):
                    self._move(document_id, "accepted", MAY_BECOME)
                case DeclineEstimate(document_id):
                    self._move(document_id, "declined", MAY_BECOME)
                case VoidInvoice(document_id):
                    self._move(document_id, "void", MAY_BECOME_OF_INVOICES)
                case Nothing():
                    return
        raise AssertionError("the workflow does not come to an end")

    def _move(self, document_id: str, to: Any, may_become: dict[str, set[str]]) -> None:
        for index, document in enumerate(self.documents):
            if document.id == document_id:
                assert to in may_become[document.status]
                self.documents[index] = replace(document, status=to)


histories = st.lists(st.sampled_from(get_args(PotentialStatus)), max_size=6).map(
    lambda statuses: [potential(status, version=version) for version, status in enumerate(["open", *statuses], 1)]
)


def arriving(data: st.DataObject, history: list[PotentialSnapshot]) -> list[PotentialSnapshot]:
    again = data.draw(st.lists(st.sampled_from(history), max_size=5))
    return data.draw(st.permutations([*history, *again]))


@given(data=st.data())
def test_s19_order_and_repetition_do_not_matter_to_the_estimate(data: st.DataObject) -> None:
    history = data.draw(histories)
    world = Simulated("estimates")
    for snapshot in arriving(data, history):
        world.arrives(snapshot)
    [found] = world.documents
    if history[-1].status != "open":
        assert found.status == {"won": "accepted", "lost": "declined"}[history[-1].status]


@given(data=st.data())
def test_s19_order_and_repetition_do_not_matter_to_the_invoice(data: st.DataObject) -> None:
    history = data.draw(histories)
    world = Simulated("invoices")
    for snapshot in arriving(data, history):
        world.arrives(snapshot)
    live = [one for one in world.documents if one.status != "void"]
    was_won = any(one.status == "won" for one in history)
    match history[-1].status:
        case "won":
            assert len(live) == 1
        case "lost":
            assert not live
            assert bool(world.documents) == was_won
        case "open":
            assert len(live) <= 1
