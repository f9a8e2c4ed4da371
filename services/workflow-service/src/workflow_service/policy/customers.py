"""For whom a document could be made, and over how much (S18)."""

from contracts.potentials import PotentialSnapshot

from workflow_service.policy.values import DocumentKind

WITH_ARTICLE: dict[DocumentKind, str] = {"estimate": "an estimate", "invoice": "an invoice"}


def what_is_missing(potential: PotentialSnapshot, kind: DocumentKind) -> str | None:
    """Why nothing can be made for the potential; None if something can."""
    if potential.account_id is None and potential.contact_id is None:
        whom = f"there is nobody to make {WITH_ARTICLE[kind]} for"
        return f"the potential has neither an account nor a contact: {whom}"
    if potential.amount is None:
        return f"the potential has no amount yet; the {kind} is made when it has one"
    return None


def was_deleted(kind: DocumentKind) -> str:
    """Why the workflow makes none although there is none."""
    return f"its {kind} was deleted in Invoice; the workflow does not make it again"


WON_BEFORE = (
    "as far as is known it was won while the workflow was not active; "
    "reopen it and win it again to get a document, or create one by hand"
)
