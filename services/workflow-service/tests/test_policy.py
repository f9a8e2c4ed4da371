"""What the workflow decides: every state of a potential against every state of its estimate."""

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
    DeclineEstimate,
    Document,
    Nothing,
    decide,
    estimate_of,
    is_due,
)

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
    return Document(id=id_, number="EST-000001", status=status, by_workflow=by_workflow)


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


@pytest.mark.parametrize("found", [None, *get_args(EstimateStatus)])
@pytest.mark.parametrize("status", get_args(PotentialStatus))
def test_a_deleted_potential_causes_nothing(status: str, found: str | None) -> None:
    decision = decide("estimates", potential(status, deleted=True), documents(found))
    assert decision == Nothing("the potential was deleted; its documents stay as they are")


@pytest.mark.parametrize("status", ["open", "won"])
def test_s18_without_account_and_contact_there_is_nobody_to_make_one_for(status: str) -> None:
    decision = decide("estimates", potential(status, account_id=None), [])
    assert isinstance(decision, Nothing)
    assert "neither an account nor a contact" in decision.reason
    assert decide("estimates", potential(status, account_id=None, contact_id="c1"), []) == CREATE


def test_s19_one_that_is_lost_but_was_due_before_gets_its_estimate_to_decline() -> None:
    lost = potential("lost")
    assert decide("estimates", lost, [], was_due=True) == CREATE
    assert decide("estimates", lost, [estimate("draft")], was_due=True) == DECLINE
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


class Simulated:
    """Invoice, and what the workflow remembers of the one potential (`workflow_service.potentials`)."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.made = 0
        self.known: list[PotentialSnapshot] = []

    def arrives(self, snapshot: PotentialSnapshot) -> None:
        self.known.append(snapshot)
        newest = max(self.known, key=lambda one: one.version)
        was_due = any(is_due("estimates", one) for one in self.known)
        for _ in range(4):
            match decide("estimates", newest, documents(self.status), was_due=was_due):
                case CreateEstimate():
                    self.status, self.made = "draft", self.made + 1
                case AcceptEstimate():
                    self._move("accepted")
                case DeclineEstimate():
                    self._move("declined")
                case Nothing():
                    return
        raise AssertionError("the workflow does not come to an end")

    def _move(self, to: str) -> None:
        assert self.status is not None
        assert to in MAY_BECOME[self.status]
        self.status = to


histories = st.lists(st.sampled_from(get_args(PotentialStatus)), max_size=6).map(
    lambda statuses: [potential(status, version=version) for version, status in enumerate(["open", *statuses], 1)]
)


@given(data=st.data())
def test_s19_order_and_repetition_do_not_matter(data: st.DataObject) -> None:
    history = data.draw(histories)
    again = data.draw(st.lists(st.sampled_from(history), max_size=5))
    arriving = data.draw(st.permutations([*history, *again]))
    world = Simulated()
    for snapshot in arriving:
        world.arrives(snapshot)
    assert world.made == 1
    match history[-1].status:
        case "won":
            assert world.status == "accepted"
        case "lost":
            assert world.status == "declined"
