"""What decisions are made from, and what they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from contracts.documents import EstimateStatus, InvoiceStatus

Trigger = Literal["estimates", "invoices"]
DocumentKind = Literal["estimate", "invoice"]

KIND: Mapping[Trigger, DocumentKind] = {"estimates": "estimate", "invoices": "invoice"}
"""What a trigger makes for a potential that has nothing yet."""


@dataclass(frozen=True)
class Lock:
    """Who has changed the status of an invoice, and when: from then on it is left alone (S17)."""

    by: str | None
    at: datetime | None


@dataclass(frozen=True)
class Document:
    """An estimate or invoice that is linked to the potential. ``id`` is a UUIDv7: later ones are greater.

    ``total``: in ``currency_code``; None if that is not known. ``line``: name and rate of its one line, if nobody
    but the workflow has ever changed the document.
    """

    kind: DocumentKind
    id: str
    number: str
    status: EstimateStatus | InvoiceStatus
    by_workflow: bool
    locked: Lock | None = None
    version: int = 1
    total: Decimal | None = None
    currency_code: str | None = None
    line: tuple[str, Decimal] | None = None


@dataclass(frozen=True)
class Memory:
    """What the workflow knows of a potential besides its newest state.

    ``due``: the kinds of document that a state it was told of asked for (`is_due`). One that was lost since gets its
    document all the same, declined or void, as if the events had come one by one in their order. ``kind``: what the
    workflow has made or moved on for it, or has asked Invoice for and not heard of since; it stays with that. ``made``:
    how many of that kind it made. ``organization_id``: the organization in Invoice where they are. ``made_for``: the
    account, or else the contact, that the first was made for. ``won_before``: it is won, and as far as is known that
    happened while the workflow was not active (S20).
    """

    due: frozenset[DocumentKind] = frozenset()
    kind: DocumentKind | None = None
    made: int = 0
    organization_id: str | None = None
    made_for: str | None = None
    won_before: bool = False


@dataclass(frozen=True)
class CreateEstimate:
    """Create the potential's estimate."""

    words: ClassVar[str] = "an estimate is created"


@dataclass(frozen=True)
class UpdateEstimate:
    """Give this estimate the potential's name and amount as they are now."""

    document_id: str
    words: ClassVar[str] = "the estimate gets the potential's name and amount"


@dataclass(frozen=True)
class AcceptEstimate:
    """Set this estimate to accepted."""

    document_id: str
    words: ClassVar[str] = "the estimate is accepted"


@dataclass(frozen=True)
class DeclineEstimate:
    """Set this estimate to declined."""

    document_id: str
    words: ClassVar[str] = "the estimate is declined"


@dataclass(frozen=True)
class CreateInvoice:
    """Create the potential's invoice: the ``number``-th that the workflow makes for it, from 1."""

    number: int
    words: ClassVar[str] = "an invoice is created"


@dataclass(frozen=True)
class VoidInvoice:
    """Set this invoice to void."""

    document_id: str
    words: ClassVar[str] = "the invoice becomes void"


@dataclass(frozen=True)
class Nothing:
    """There is nothing (more) to do; ``reason`` tells a person why.

    ``differs``: in what the document is not what the potential is now; a person is to see that, too.
    """

    reason: str
    differs: str | None = None

    @property
    def words(self) -> str:
        return f"nothing: {self.reason}"


Step = CreateEstimate | UpdateEstimate | AcceptEstimate | DeclineEstimate | CreateInvoice | VoidInvoice
Decision = Step | Nothing
