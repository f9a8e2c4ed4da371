"""What the CRM knows of the documents in Invoice (S2): a reflection, kept by what it is told and by nothing else.

Documents say which customer and contact person they are for; customers say which records of the CRM they are. Whose a
document is follows from both when it is read. Of documents and customers that belong to nobody in the CRM nothing is
kept but the version (S3, S4).
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Self

from contracts.customers import CustomerSnapshot
from contracts.documents import EstimateSnapshot, InvoiceSnapshot
from servicekit.db import ExactDecimal, UtcDateTime
from sqlalchemy import Boolean, Column, ColumnElement, Index, Integer, String, Table, Text, exists, or_
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
    # The order of the lists: ids of documents grow with time.
    __table_args__ = tuple(
        Index(f"ix_documents_{whose}", whose, "kind", "id")
        for whose in ("customer_id", "contact_person_id", "crm_potential_id")
    )

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
    contact_person_id: Mapped[str | None] = mapped_column(String(36))
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
    Column("told_at", UtcDateTime, nullable=False),
)
"""The newest version that was told of each document, shown or not, deleted or not, and when it was told."""

customers = Table(
    "customers",
    Base.metadata,
    Column("id", String(36), primary_key=True),
    Column("organization_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("unfetched", Boolean, nullable=False),
)
"""The newest version that was told of each customer in Invoice. ``unfetched``: it became somebody in the CRM, and its
documents from before are still to be fetched."""

records = Table(
    "customer_records",
    Base.metadata,
    Column("record_type", String(9), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("customer_id", String(36), primary_key=True),
    Index("ix_customer_records_customer", "customer_id"),
)
"""Which records have all documents of a customer: accounts, and contacts that have or had it for themselves alone."""

persons = Table(
    "customer_persons",
    Base.metadata,
    Column("id", String(36), primary_key=True),
    Column("contact_id", String(64), nullable=False),
    Index("ix_customer_persons_contact", "contact_id"),
)
"""Which contact a contact person in Invoice is: it has the documents that name this person, whoever the customer is."""

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


def anybodys() -> ColumnElement[bool]:
    """The document belongs to a record of the CRM, as far as that is known."""
    return or_(
        Document.crm_potential_id.is_not(None),
        exists().where(records.c.customer_id == Document.customer_id),
        exists().where(persons.c.id == Document.contact_person_id),
    )


@dataclass(frozen=True)
class Told:
    """What was told of one document. ``values``: the columns of `Document`; empty if it was deleted.

    ``anybodys``: it belongs to a record of the CRM, says who told; that counts until its customer is known.
    """

    kind: Kind
    id: str
    version: int
    anybodys: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by_event(cls, snapshot: EstimateSnapshot | InvoiceSnapshot) -> Self:
        """What an event tells: everything."""
        kind: Kind = "estimate" if isinstance(snapshot, EstimateSnapshot) else "invoice"
        if snapshot.deleted:
            return cls(kind, snapshot.id, snapshot.version)
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
        return cls(kind, snapshot.id, snapshot.version, anybodys=bool(snapshot.crm_links), values=values)

    @classmethod
    def by_answer(cls, kind: Kind, organization_id: str, answer: Mapping[str, Any]) -> Self:
        """What Invoice answers of a document of the CRM's."""
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
        return cls(kind, answer["id"], answer["version"], anybodys=True, values=values)

    @classmethod
    def gone(cls, kind: Kind, document_id: str) -> Self:
        """Invoice does not have it any more."""
        return cls(kind, document_id, GONE)


@dataclass(frozen=True)
class ToldCustomer:
    """What was told of one customer. ``records``: those that have all its documents. ``persons``: id → contact."""

    id: str
    version: int
    organization_id: str
    records: frozenset[RecordKey] = frozenset()
    persons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, snapshot: CustomerSnapshot) -> Self:
        """What an event tells, or Invoice answers."""
        told = cls(snapshot.id, snapshot.version, snapshot.organization_id)
        if snapshot.deleted:
            return told
        accounts = [
            RecordKey("account", link.record_id) for link in snapshot.crm_links if link.record_type == "account"
        ]
        contacts = [RecordKey("contact", contact_id) for contact_id in snapshot.own_contact_ids]
        named = {person.id: person.crm_contact_id for person in snapshot.contact_persons if person.crm_contact_id}
        return replace(told, records=frozenset([*accounts, *contacts]), persons=named)


_ALIKE = (
    "id",
    "version",
    "status",
    "date",
    "customer_id",
    "customer_name",
    "contact_person_id",
    "reference_number",
    "currency_code",
    "total",
    "crm_potential_id",
    "updated_at",
)


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
