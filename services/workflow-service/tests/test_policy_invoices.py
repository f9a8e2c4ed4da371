"""Trigger invoices: every state of a potential against every state of its invoice (S16-S20)."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any, get_args

import pytest
from contracts.documents import InvoiceStatus
from contracts.potentials import PotentialSnapshot, PotentialStatus
from workflow_service.policy import CreateInvoice, Document, Lock, Memory, Nothing, VoidInvoice, decide

# Whose invoice it is: the workflow's; the workflow's, whose status a person has changed; one that a person made.
OURS, LOCKED, BY_HAND = "ours", "locked", "by hand"

FIRST, SECOND, VOID = CreateInvoice(1), CreateInvoice(2), VoidInvoice("i1")
LEFT_ALONE = "left alone: status changed by maria@invoice.test on 2026-03-01 09:30 UTC"
STAYS, THERE = "stays as it is while the potential is open", "there already"
NO_SECOND, NOT_OURS = "made by hand: no second one is made", "made by hand: the workflow does not make it void"
HAS_PAYMENTS = "with payments recorded it cannot become void"

TABLE: dict[tuple[str, str, str | None], Any] = {
    ("open", OURS, None): "made when the potential is won",
    ("won", OURS, None): FIRST,
    ("lost", OURS, None): "it was lost before any invoice was made",
    ("open", OURS, "draft"): STAYS,
    ("open", OURS, "sent"): STAYS,
    ("open", OURS, "overdue"): STAYS,
    ("open", OURS, "partially_paid"): STAYS,
    ("open", OURS, "paid"): STAYS,
    ("open", OURS, "void"): "is void and stays so; a new one is made when the potential is won again",
    ("won", OURS, "draft"): THERE,
    ("won", OURS, "sent"): THERE,
    ("won", OURS, "overdue"): THERE,
    ("won", OURS, "partially_paid"): THERE,
    ("won", OURS, "paid"): THERE,
    ("won", OURS, "void"): SECOND,
    ("lost", OURS, "draft"): VOID,
    ("lost", OURS, "sent"): VOID,
    ("lost", OURS, "overdue"): VOID,
    ("lost", OURS, "partially_paid"): HAS_PAYMENTS,
    ("lost", OURS, "paid"): HAS_PAYMENTS,
    ("lost", OURS, "void"): "is void already",
    **{(status, LOCKED, found): LEFT_ALONE for status in ("open", "won", "lost") for found in get_args(InvoiceStatus)},
    ("open", BY_HAND, "draft"): STAYS,
    ("open", BY_HAND, "sent"): STAYS,
    ("open", BY_HAND, "overdue"): STAYS,
    ("open", BY_HAND, "partially_paid"): STAYS,
    ("open", BY_HAND, "paid"): STAYS,
    ("open", BY_HAND, "void"): "made when the potential is won",
    ("won", BY_HAND, "draft"): NO_SECOND,
    ("won", BY_HAND, "sent"): NO_SECOND,
    ("won", BY_HAND, "overdue"): NO_SECOND,
    ("won", BY_HAND, "partially_paid"): NO_SECOND,
    ("won", BY_HAND, "paid"): NO_SECOND,
    ("won", BY_HAND, "void"): FIRST,
    ("lost", BY_HAND, "draft"): NOT_OURS,
    ("lost", BY_HAND, "sent"): NOT_OURS,
    ("lost", BY_HAND, "overdue"): NOT_OURS,
    ("lost", BY_HAND, "partially_paid"): NOT_OURS,
    ("lost", BY_HAND, "paid"): NOT_OURS,
    ("lost", BY_HAND, "void"): "it was lost before any invoice was made",
}


def potential(status: Any = "open", **changes: Any) -> PotentialSnapshot:
    values = {"id": "p1", "version": 1, "potential_name": "Order", "stage": "any", "currency_code": "EUR"}
    values |= {"account_id": "a1", "amount": Decimal(5), "status": status}
    return PotentialSnapshot(**(values | changes))


def invoice(status: Any, whose: str = OURS, id_: str = "i1") -> Document:
    lock = Lock("maria@invoice.test", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)) if whose == LOCKED else None
    return Document("invoice", id_, f"INV-{id_}", status, whose != BY_HAND, lock)


def reason(decision: Any) -> str:
    assert isinstance(decision, Nothing), decision
    return decision.reason


def test_the_table_is_complete() -> None:
    there = set(product(get_args(PotentialStatus), [OURS, LOCKED, BY_HAND], get_args(InvoiceStatus)))
    assert set(TABLE) == there | {(status, OURS, None) for status in get_args(PotentialStatus)}


@pytest.mark.parametrize(("status", "whose", "found"), TABLE)
def test_s16_s17_s19_every_state_of_the_potential_against_every_invoice(
    status: str, whose: str, found: str | None
) -> None:
    documents = [] if found is None else [invoice(found, whose)]
    decision = decide("invoices", potential(status), documents)
    expected = TABLE[status, whose, found]
    if isinstance(expected, str):
        assert expected in reason(decision)
        assert found is None or documents[0].number in decision.words or (whose, found) == (BY_HAND, "void")
    else:
        assert decision == expected


def test_s18_without_a_customer_or_an_amount_there_is_nothing_to_invoice() -> None:
    assert "neither an account nor a contact" in reason(decide("invoices", potential("won", account_id=None), []))
    assert decide("invoices", potential("won", account_id=None, contact_id="c1"), []) == FIRST
    assert "no amount yet" in reason(decide("invoices", potential("won", amount=None), []))
    assert decide("invoices", potential("lost", account_id=None, amount=None), [invoice("draft")]) == VOID


def test_s19_one_that_is_lost_but_was_won_before_gets_its_invoice_to_make_void() -> None:
    was_won = Memory(due=frozenset({"invoice"}))
    assert decide("invoices", potential("lost"), [], was_won) == FIRST
    assert decide("invoices", potential("lost"), [invoice("draft")], was_won) == VOID
    assert "no amount yet" in reason(decide("invoices", potential("lost", amount=None), [], was_won))


def test_an_invoice_that_was_deleted_is_not_made_again() -> None:
    for status in get_args(PotentialStatus):
        assert "was deleted in Invoice" in reason(
            decide("invoices", potential(status), [], Memory(kind="invoice", made=1))
        )
    second_deleted = Memory(kind="invoice", made=2)
    assert "was deleted in Invoice" in reason(decide("invoices", potential("won"), [invoice("void")], second_deleted))


def test_s17_all_of_ours_become_void_but_what_is_locked_and_what_a_person_made() -> None:
    others = [invoice("sent", LOCKED, "i2"), invoice("draft", BY_HAND, "i3")]
    both = [invoice("draft"), invoice("sent", OURS, "i4"), *others]
    assert decide("invoices", potential("lost"), both) == VoidInvoice("i4")
    rest = [invoice("draft"), invoice("void", OURS, "i4"), *others]
    assert decide("invoices", potential("lost"), rest) == VOID
    assert "left alone" in reason(decide("invoices", potential("lost"), [invoice("void"), *others]))


def test_s17_a_void_one_that_was_given_back_makes_way_for_a_new_one() -> None:
    """A person made it void and unlocked it: from then on the potential decides again."""
    assert "no other one is made" in reason(decide("invoices", potential("won"), [invoice("void", LOCKED)]))
    assert decide("invoices", potential("won"), [invoice("void")]) == SECOND


def test_an_estimate_that_a_person_linked_does_not_keep_the_invoice_from_being_made() -> None:
    by_hand = Document("estimate", "e1", "EST-1", "accepted", by_workflow=False)
    assert decide("invoices", potential("won"), [by_hand]) == FIRST
    converted = [Document("estimate", "e1", "EST-1", "invoiced", by_workflow=False), invoice("draft", BY_HAND)]
    assert NO_SECOND in reason(decide("invoices", potential("won"), converted))
