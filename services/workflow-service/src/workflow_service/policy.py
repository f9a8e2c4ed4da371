"""What the workflow does for a potential: one pure decision (S15, S18-S20).

It goes by the potential as it is now and by what exists in Invoice now, never by which event told of it. So it does not
matter in which order events come, or how often (S19). It gives the next step; once that is done, what exists has
changed, and the next decision follows from that, until there is nothing left to do. It never asks for a step that the
states of an estimate do not allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.documents import EstimateStatus
from contracts.potentials import PotentialSnapshot

Trigger = Literal["estimates"]


@dataclass(frozen=True)
class Document:
    """An estimate that is linked to the potential. ``id`` is a UUIDv7: later ones are greater."""

    id: str
    number: str
    status: EstimateStatus
    by_workflow: bool


@dataclass(frozen=True)
class CreateEstimate:
    """Create the potential's estimate."""


@dataclass(frozen=True)
class AcceptEstimate:
    """Set this estimate to accepted."""

    estimate_id: str


@dataclass(frozen=True)
class DeclineEstimate:
    """Set this estimate to declined."""

    estimate_id: str


@dataclass(frozen=True)
class Nothing:
    """There is nothing (more) to do; ``reason`` tells a person why."""

    reason: str


Step = CreateEstimate | AcceptEstimate | DeclineEstimate
Decision = Step | Nothing


def decide(
    trigger: Trigger, potential: PotentialSnapshot, documents: Sequence[Document], *, was_due: bool = False
) -> Decision:
    """Give the next step for the potential as it is now, whose linked documents are ``documents``.

    ``was_due``: in an earlier state that the workflow was told of, it asked for a document (`is_due`). One that was
    lost since gets it all the same, and declined, as if the events had come one by one in their order.
    """
    match trigger:
        case "estimates":
            return _estimates(potential, documents, was_due=was_due)


def is_due(trigger: Trigger, potential: PotentialSnapshot) -> bool:
    """Whether this state of the potential asks for a document to be made."""
    return isinstance(decide(trigger, potential, ()), CreateEstimate)


def estimate_of(documents: Sequence[Document]) -> Document | None:
    """The potential's estimate: the one that the workflow made, else the one a person linked last."""
    return max(documents, key=lambda one: (one.by_workflow, one.id), default=None)


def _estimates(potential: PotentialSnapshot, documents: Sequence[Document], *, was_due: bool) -> Decision:
    if potential.deleted:
        return Nothing("the potential was deleted; its documents stay as they are")
    estimate = estimate_of(documents)
    if estimate is None:
        return _without_estimate(potential, was_due=was_due)
    named = f"estimate {estimate.number} is {estimate.status}"
    match potential.status, estimate.status:
        case _, "invoiced":
            return Nothing(f"{named}: what was invoiced stays as it is")
        case ("won", "accepted") | ("lost", "declined"):
            return Nothing(f"{named} already")
        case "won", _:
            return AcceptEstimate(estimate.id)
        case "lost", "expired":
            return Nothing(f"{named}, and cannot be declined any more")
        case "lost", _:
            return DeclineEstimate(estimate.id)
        case _, ("accepted" | "declined"):
            return Nothing(f"{named}, and nothing leads back from there; it stays until the potential is won or lost")
        case _:
            # It may bear an older name or amount. A person may have edited it since: it is theirs now.
            return Nothing(f"{named} and stays as it is while the potential is open")


def _without_estimate(potential: PotentialSnapshot, *, was_due: bool) -> Decision:
    if potential.status == "lost" and not was_due:
        return Nothing("it was lost before any estimate was made")
    if potential.account_id is None and potential.contact_id is None:
        return Nothing("the potential has neither an account nor a contact: there is nobody to make an estimate for")
    if potential.amount is None:
        return Nothing("the potential has no amount yet; the estimate is made when it has one")
    return CreateEstimate()
