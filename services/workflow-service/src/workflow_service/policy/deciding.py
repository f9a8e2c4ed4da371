"""Which kind of document a potential gets, and the next step with it."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.potentials import PotentialSnapshot

from workflow_service.policy import estimates, invoices
from workflow_service.policy.values import (
    KIND,
    CreateEstimate,
    CreateInvoice,
    Decision,
    Document,
    DocumentKind,
    Memory,
    Nothing,
    Trigger,
)

_NOTHING_KNOWN = Memory()


def decide(
    trigger: Trigger, potential: PotentialSnapshot, documents: Sequence[Document], memory: Memory = _NOTHING_KNOWN
) -> Decision:
    """Give the next step for the potential as it is now, whose linked documents are ``documents``."""
    memory = remembering(memory, documents)
    if potential.deleted:
        return Nothing("the potential was deleted; its documents stay as they are")
    match kind_of(trigger, memory):
        case "estimate":
            return estimates.decide(potential, documents, memory)
        case "invoice":
            return invoices.decide(potential, documents, memory)


def kind_of(trigger: Trigger, memory: Memory) -> DocumentKind:
    """What the potential gets: what the workflow began with, else what the trigger says (S20)."""
    return memory.kind or KIND[trigger]


def remembering(memory: Memory, documents: Sequence[Document]) -> Memory:
    """The memory with what the documents tell: which were made is seen by them, noted or not."""
    made = [document for document in documents if document.by_workflow]
    if not made:
        return memory
    kind = memory.kind or min(made, key=lambda one: one.id).kind
    return replace(memory, kind=kind, made=max(memory.made, sum(one.kind == kind for one in made)))


def is_due(trigger: Trigger, potential: PotentialSnapshot) -> bool:
    """Whether this state of the potential asks for a document to be made."""
    return isinstance(decide(trigger, potential, ()), CreateEstimate | CreateInvoice)
