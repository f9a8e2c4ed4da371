"""For whom a document could be made, and over how much (S18)."""

from decimal import Decimal

from contracts.potentials import PotentialSnapshot

from workflow_service.policy.values import Document, DocumentKind, Memory

WITH_ARTICLE: dict[DocumentKind, str] = {"estimate": "an estimate", "invoice": "an invoice"}


def what_is_missing(potential: PotentialSnapshot, kind: DocumentKind) -> str | None:
    """Why nothing can be made for the potential; None if something can."""
    if potential.account_id is None and potential.contact_id is None:
        whom = f"there is nobody to make {WITH_ARTICLE[kind]} for"
        return f"the potential has neither an account nor a contact: {whom}"
    if potential.amount is None:
        return f"the potential has no amount yet; the {kind} is made when it has one"
    return None


def what_differs(potential: PotentialSnapshot, document: Document, memory: Memory) -> str | None:
    """In what the document is not what the potential is now; None if there is nothing of the kind."""
    differs = []
    amount, total = potential.amount, document.total
    other_currency = document.currency_code not in (None, potential.currency_code)
    if amount is not None and total is not None and (other_currency or abs(total - amount) >= Decimal("0.01")):
        over = f"{total:f} {document.currency_code}, and the potential over {amount:f} {potential.currency_code}"
        differs.append(f"{document.kind} {document.number} is over {over}")
    customer = potential.account_id or potential.contact_id
    if document.by_workflow and memory.made_for not in (None, customer):
        differs.append(f"{document.kind} {document.number} was made for another customer than the potential has now")
    return "; ".join(differs) or None


def was_deleted(kind: DocumentKind) -> str:
    """Why the workflow makes none although there is none."""
    return f"its {kind} was deleted in Invoice; the workflow does not make it again"


WON_BEFORE = (
    "as far as is known it was won while the workflow was not active; "
    "reopen it and win it again to get a document, or create one by hand"
)
