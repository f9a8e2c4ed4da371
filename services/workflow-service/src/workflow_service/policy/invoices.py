"""Trigger *invoices* (S16, S17): created when the potential is won, void when it is lost, left alone once locked."""

from collections.abc import Sequence

from contracts.potentials import PotentialSnapshot

from workflow_service.policy.customers import WON_BEFORE, was_deleted, what_is_missing
from workflow_service.policy.values import (
    CreateInvoice,
    Decision,
    Document,
    Memory,
    Nothing,
    VoidInvoice,
)

VOIDABLE = frozenset({"draft", "sent", "overdue"})
"""What can become void; one with payments cannot."""


def decide(potential: PotentialSnapshot, documents: Sequence[Document], memory: Memory) -> Decision:
    """The next step for a potential that goes by invoices and is not deleted."""
    invoices = [document for document in documents if document.kind == "invoice"]
    match potential.status:
        case "won":
            return _won(potential, invoices, memory)
        case "lost":
            return _lost(potential, invoices, memory)
        case "open":
            return _open(invoices, memory)


def _won(potential: PotentialSnapshot, invoices: Sequence[Document], memory: Memory) -> Decision:
    if (live := _live(invoices)) is not None:
        if not live.by_workflow:
            return Nothing(f"{_named(live)}, made by hand: no second one is made")
        return Nothing(_left_alone(live) if live.locked else f"{_named(live)} and there already")
    return _made(potential, invoices, memory)


def _lost(potential: PotentialSnapshot, invoices: Sequence[Document], memory: Memory) -> Decision:
    ours = [one for one in invoices if one.by_workflow and not one.locked and one.status in VOIDABLE]
    if ours:
        return VoidInvoice(max(ours, key=lambda one: one.id).id)
    if (live := _live(invoices)) is not None:
        if not live.by_workflow:
            return Nothing(f"{_named(live)}, made by hand: the workflow does not make it void")
        if live.locked:
            return Nothing(_left_alone(live))
        return Nothing(f"{_named(live)}: with payments recorded it cannot become void; delete them first")
    if (void := _last_of_ours(invoices)) is not None:
        return Nothing(_left_alone(void) if void.locked else f"{_named(void)} already")
    if "invoice" not in memory.due and not memory.made:
        return Nothing("it was lost before any invoice was made")
    return _made(potential, invoices, memory)


def _open(invoices: Sequence[Document], memory: Memory) -> Nothing:
    if (live := _live(invoices)) is not None:
        if live.by_workflow and live.locked:
            return Nothing(_left_alone(live))
        return Nothing(f"{_named(live)} and stays as it is while the potential is open")
    if (void := _last_of_ours(invoices)) is not None and void.locked:
        return Nothing(_left_alone(void))
    if memory.made > _count_of_ours(invoices):
        return Nothing(was_deleted("invoice"))
    if void is not None:
        return Nothing(f"{_named(void)} and stays so; a new one is made when the potential is won again")
    return Nothing("the invoice is made when the potential is won")


def _made(potential: PotentialSnapshot, invoices: Sequence[Document], memory: Memory) -> Decision:
    """There is none that counts: a new one, unless something speaks against it."""
    void = _last_of_ours(invoices)
    if void is not None and void.locked:
        return Nothing(f"{_left_alone(void)}, and no other one is made")
    made = _count_of_ours(invoices)
    if memory.made > made:
        return Nothing(was_deleted("invoice"))
    if memory.won_before:
        return Nothing(WON_BEFORE)
    if (missing := what_is_missing(potential, "invoice")) is not None:
        return Nothing(missing)
    return CreateInvoice(made + 1)


def _live(invoices: Sequence[Document]) -> Document | None:
    """One that is not void: the last that the workflow made, else the last that a person linked."""
    live = (one for one in invoices if one.status != "void")
    return max(live, key=lambda one: (one.by_workflow, one.id), default=None)


def _last_of_ours(invoices: Sequence[Document]) -> Document | None:
    return max((one for one in invoices if one.by_workflow), key=lambda one: one.id, default=None)


def _count_of_ours(invoices: Sequence[Document]) -> int:
    return sum(one.by_workflow for one in invoices)


def _named(invoice: Document) -> str:
    return f"invoice {invoice.number} is {invoice.status.replace('_', ' ')}"


def _left_alone(invoice: Document) -> str:
    """S17, in the words of the page that people see."""
    lock = invoice.locked
    by = lock.by if lock is not None and lock.by else "someone"
    on = f"{lock.at:%Y-%m-%d %H:%M} UTC" if lock is not None and lock.at else "an unknown day"
    return f"left alone: status changed by {by} on {on}; {_named(invoice)}"
