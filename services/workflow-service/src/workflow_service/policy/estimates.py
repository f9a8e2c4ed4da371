"""Trigger *estimates* (S15): created with the potential, accepted when it is won, declined when it is lost."""

from collections.abc import Sequence

from contracts.potentials import PotentialSnapshot

from workflow_service.policy.customers import WON_BEFORE, was_deleted, what_differs, what_is_missing
from workflow_service.policy.values import (
    AcceptEstimate,
    CreateEstimate,
    Decision,
    DeclineEstimate,
    Document,
    Memory,
    Nothing,
    UpdateEstimate,
)


def decide(potential: PotentialSnapshot, documents: Sequence[Document], memory: Memory) -> Decision:
    """The next step for a potential that goes by estimates and is not deleted."""
    estimate = estimate_of(documents)
    if estimate is None:
        return _without_estimate(potential, documents, memory)
    named = f"estimate {estimate.number} is {estimate.status}"
    match potential.status, estimate.status:
        case _, "invoiced":
            return Nothing(f"{named}: what was invoiced stays as it is")
        case "won", "accepted":
            differs = what_differs(potential, estimate, memory)
            return Nothing(f"{named} already{f'; {differs}' if differs else ''}", differs)
        case "lost", "declined":
            return Nothing(f"{named} already")
        case (("open" | "won"), "draft") if _is_behind(potential, estimate):
            return UpdateEstimate(estimate.id)
        case "won", _:
            return AcceptEstimate(estimate.id)
        case "lost", "expired":
            return Nothing(f"{named}, and cannot be declined any more")
        case "lost", _:
            return DeclineEstimate(estimate.id)
        case _, ("accepted" | "declined"):
            return Nothing(f"{named}, and nothing leads back from there; it stays until the potential is won or lost")
        case _:
            return Nothing(f"{named} and stays as it is while the potential is open")


def _is_behind(potential: PotentialSnapshot, estimate: Document) -> bool:
    """Whether it says something older than the potential, and nobody has made it theirs by changing it."""
    if estimate.line is None or potential.amount is None:
        return False
    now = (potential.potential_name, potential.amount, potential.currency_code)
    return (*estimate.line, estimate.currency_code) != now


def estimate_of(documents: Sequence[Document]) -> Document | None:
    """The potential's estimate: the one that the workflow made, else the one a person linked last."""
    estimates = (document for document in documents if document.kind == "estimate")
    return max(estimates, key=lambda one: (one.by_workflow, one.id), default=None)


def _without_estimate(potential: PotentialSnapshot, documents: Sequence[Document], memory: Memory) -> Decision:
    if memory.made:
        return Nothing(was_deleted("estimate"))
    if potential.status == "lost" and "estimate" not in memory.due:
        return Nothing("it was lost before any estimate was made")
    for document in documents:
        if document.kind == "invoice" and document.status != "void":
            return Nothing(f"invoice {document.number} is there already, made by hand: there is nothing to estimate")
    if potential.status == "won" and memory.won_before:
        return Nothing(WON_BEFORE)
    if (missing := what_is_missing(potential, "estimate")) is not None:
        return Nothing(missing)
    return CreateEstimate()
