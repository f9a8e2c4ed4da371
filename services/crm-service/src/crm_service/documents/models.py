"""What the CRM knows of the documents in Invoice (S2): a reflection, kept by what it is told and by nothing else.

A document without a link to a record of the CRM is not shown, and nothing is kept of it but its version (S3, S4).
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Self

from contracts.documents import EstimateSnapshot, InvoiceSnapshot
from servicekit.db import ExactDecimal, UtcDateTime
from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_service.base import Base

Kind = Literal["estimate", "invoice"]
KINDS: tuple[Kind, ...] = ("estimate", "invoice")
RecordType = Literal["account", "contact", "potential"]

GONE = 2**31 - 1
"""The version of a document that Invoice says is not there: no event has a higher one."""


class RecordKey(NamedTuple):
    """Names a record of the CRM."""

    record_type: RecordType
    record_id: str


class Document(Base):
    """An estimate or invoice as it was at ``version``. ``end_date``: until when it is good, or when it is due.

    ``counterpart_id``: the invoice that an estimate became, or the estimate that an invoice came from. ``balance``: of
    invoices.
    """

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(8))
    organization_id: Mapped[str] = mapped_column(String(36))
    version: Mapped[int]
    number: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16))
    date: Mapped[datetime.date]
    end_date: Mapped[datetime.date | None]
    customer_id: Mapped[str] = mapped_column(String(36))
    customer_name: Mapped[str] = mapped_column(String(255))
    reference_number: Mapped[str] = mapped_column(String(255))
    currency_code: Mapped[str] = mapped_column(String(3))
    total: Mapped[Decimal] = mapped_column(ExactDecimal())
    balance: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    counterpart_id: Mapped[str | None] = mapped_column(String(36))
    crm_potential_id: Mapped[str | None] = mapped_column(String(64))
    workflow_locked: Mapped[bool]
    updated_at: Mapped[datetime.datetime]


versions = Table(
    "document_versions",
    Base.metadata,
    Column("document_id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
)
"""The newest version that was told of each document, shown or not, deleted or not. ``whole``: with all its links."""

links = Table(
    "document_links",
    Base.metadata,
    Column("record_type", String(9), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("document_id", String(36), primary_key=True),
    Index("ix_document_links_document", "document_id"),
)
"""Whose documents they are. The key is the order of the lists: ids of documents grow with time."""

fetches = Table(
    "document_fetches",
    Base.metadata,
    Column("record_type", String(9), primary_key=True),
    Column("record_id", String(36), primary_key=True),
    Column("fetched_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("failure", Text),
)
"""When a record's documents were last fetched from Invoice, and when that last failed since, and why (S9)."""


@dataclass(frozen=True)
class Told:
    """What was told of one document. ``links``: whose it is; ``whole``: these are all, others than potentials too.

    ``values``: the columns of `Document`; empty if it was deleted.
    """

    kind: Kind
    id: str
    version: int
    whole: bool
    links: frozenset[RecordKey] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by_event(cls, snapshot: EstimateSnapshot | InvoiceSnapshot) -> Self:
        """What an event tells: everything."""
        kind: Kind = "estimate" if isinstance(snapshot, EstimateSnapshot) else "invoice"
        if snapshot.deleted:
            return cls(kind, snapshot.id, snapshot.version, True)
        links = frozenset(RecordKey(link.record_type, link.record_id) for link in snapshot.crm_links)
        of_kind: dict[str, Any]
        if isinstance(snapshot, EstimateSnapshot):
            of_kind = {
                "number": snapshot.estimate_number,
                "end_date": snapshot.expiry_date,
                "counterpart_id": snapshot.invoice_id,
                "balance": None,
                "workflow_locked": False,
            }
        else:
            of_kind = {
                "number": snapshot.invoice_number,
                "end_date": snapshot.due_date,
                "counterpart_id": snapshot.estimate_id,
                "balance": snapshot.balance,
                "workflow_locked": snapshot.workflow_locked,
            }
        alike = {name: getattr(snapshot, name) for name in _ALIKE}
        values = {"kind": kind, "organization_id": snapshot.organization_id, **alike, **of_kind}
        return cls(kind, snapshot.id, snapshot.version, True, links | _potential(snapshot.crm_potential_id), values)

    @classmethod
    def by_answer(
        cls, kind: Kind, organization_id: str, answer: Mapping[str, Any], of: RecordKey | None = None
    ) -> Self:
        """What Invoice answers of a document, which leaves its links open; ``of``: one that it has."""
        invoice = kind == "invoice"
        values = {
            "kind": kind,
            "organization_id": organization_id,
            **{name: answer[name] for name in _ALIKE},
            "number": answer[f"{kind}_number"],
            "date": datetime.date.fromisoformat(answer["date"]),
            "end_date": _day(answer["due_date" if invoice else "expiry_date"]),
            "counterpart_id": answer["estimate_id" if invoice else "invoice_id"],
            "total": Decimal(answer["total"]),
            "balance": Decimal(answer["balance"]) if invoice else None,
            "workflow_locked": answer["workflow_locked"] if invoice else False,
            "updated_at": datetime.datetime.fromisoformat(answer["updated_at"]),
        }
        links = _potential(answer["crm_potential_id"]) | frozenset([of] if of else [])
        return cls(kind, answer["id"], answer["version"], False, links, values)

    def also_of(self, keys: frozenset[RecordKey]) -> "Told":
        """The same, of these records too."""
        return replace(self, links=self.links | keys)

    @classmethod
    def gone(cls, kind: Kind, document_id: str) -> Self:
        """Invoice does not have it any more."""
        return cls(kind, document_id, GONE, True)


_ALIKE = (
    "id",
    "version",
    "status",
    "date",
    "customer_id",
    "customer_name",
    "reference_number",
    "currency_code",
    "total",
    "crm_potential_id",
    "updated_at",
)


def _potential(potential_id: str | None) -> frozenset[RecordKey]:
    return frozenset([RecordKey("potential", potential_id)] if potential_id else [])


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
