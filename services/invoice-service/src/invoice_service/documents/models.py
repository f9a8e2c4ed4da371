"""What every document is made of: its columns, its lines, its history, and the rules that all of them keep."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Generic, TypeVar

from contracts.values import Address
from servicekit.db import BigId, ExactDecimal, UtcDateTime
from servicekit.errors import Conflict, NotFound
from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned
from invoice_service.numbering import Kind as KindName


class StalePotentialVersion(Conflict):
    """S19: the command follows from an older state of the potential than one that was carried out."""

    code = "stale_potential_version"


class Document(Versioned):
    """The columns and rules of a document; one mapped class for each kind.

    ``customer_name``, ``billing_address`` and ``contact_person_name`` are those of the day it was issued: from the
    first status after draft on they stay as they are. ``discount_percentage`` and ``discount_amount`` are on the
    document as a whole and at most one is not 0; ``document_discount`` is what it comes to, in ``discount_total``.
    ``contact_person_id`` may be of a person who is gone. ``origin``: ``workflow`` or ``manual``.
    """

    kind: ClassVar[KindName]

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    number: Mapped[int] = mapped_column(BigId)
    origin: Mapped[str] = mapped_column(String(16))
    customer_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id"))
    customer_name: Mapped[str] = mapped_column(String(255))
    billing_address: Mapped[Address]
    contact_person_id: Mapped[str | None] = mapped_column(String(36))
    contact_person_name: Mapped[str] = mapped_column(Text, default="")
    date: Mapped[datetime.date]
    reference_number: Mapped[str] = mapped_column(String(255), default="")
    currency_code: Mapped[str] = mapped_column(String(3))
    discount_percentage: Mapped[Decimal] = mapped_column(ExactDecimal(6), default=Decimal(0))
    discount_amount: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    adjustment: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    adjustment_description: Mapped[str] = mapped_column(String(255), default="")
    sub_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    document_discount: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    discount_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    tax_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    total: Mapped[Decimal] = mapped_column(ExactDecimal())
    notes: Mapped[str] = mapped_column(Text, default="")
    terms: Mapped[str] = mapped_column(Text, default="")
    crm_potential_id: Mapped[str | None] = mapped_column(String(64))
    crm_potential_version: Mapped[int | None]

    @property
    def written_number(self) -> str:
        """``EST-000001``, ``INV-000001``."""
        raise NotImplementedError

    def see_potential(self, version: int | None) -> None:
        """Keep the highest version of the potential that a command followed from. Raises `StalePotentialVersion`."""
        if version is None:
            return
        if self.crm_potential_version is not None and version < self.crm_potential_version:
            raise StalePotentialVersion(
                f"the command follows from version {version} of the potential, but version "
                f"{self.crm_potential_version} was carried out already",
                current_version=self.crm_potential_version,
            )
        self.crm_potential_version = version


D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Kind(Generic[D]):
    """One kind of document: its class, its tables, and what its search index and its absence are called."""

    model: type[D]
    lines: Table
    history: Table
    not_found: type[NotFound]

    @property
    def name(self) -> KindName:
        """``estimate`` or ``invoice``."""
        return self.model.kind


def lines_table(kind: KindName) -> Table:
    """The table of the lines of one kind of document; ``document_id`` is its key in Python."""
    return Table(
        f"{kind}_lines",
        Base.metadata,
        Column(f"{kind}_id", String(36), ForeignKey(f"{kind}s.id"), key="document_id", primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("item_id", String(36)),
        Column("name", String(255), nullable=False),
        Column("description", Text, nullable=False),
        Column("unit", String(255), nullable=False),
        Column("quantity", ExactDecimal(6), nullable=False),
        Column("rate", ExactDecimal(6), nullable=False),
        Column("discount_percentage", ExactDecimal(6), nullable=False),
        Column("tax_percentage", ExactDecimal(6), nullable=False),
        Column("item_total", ExactDecimal(), nullable=False),
    )


def history_table(kind: KindName) -> Table:
    """The table of who did what and when with one kind of document, in the order of ``id``."""
    return Table(
        f"{kind}_history",
        Base.metadata,
        Column("id", BigId, primary_key=True, autoincrement=True),
        Column(f"{kind}_id", String(36), ForeignKey(f"{kind}s.id"), key="document_id", nullable=False, index=True),
        Column("at", UtcDateTime, nullable=False),
        Column("who", String(254), nullable=False),
        Column("what", Text, nullable=False),
    )
