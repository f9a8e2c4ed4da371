"""The estimate: what it may become, and when it may be edited and deleted."""

import datetime
from collections.abc import Mapping
from decimal import Decimal

from contracts.documents import EstimateStatus
from contracts.values import Address
from servicekit.db import BigId, ExactDecimal, UtcDateTime
from servicekit.errors import Conflict
from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned

MAY_BECOME: Mapping[EstimateStatus, frozenset[EstimateStatus]] = {
    "draft": frozenset({"sent", "accepted", "declined"}),
    "sent": frozenset({"accepted", "declined"}),
    "accepted": frozenset({"declined"}),
    "declined": frozenset({"sent", "accepted"}),
    "expired": frozenset({"sent", "accepted"}),
    "invoiced": frozenset(),
}
"""What someone may make of an estimate; ``expired`` it becomes by itself, ``invoiced`` by being converted."""


class EstimateAlreadyInvoiced(Conflict):
    code = "estimate_already_invoiced"


class EstimateTransitionRefused(Conflict):
    code = "estimate_transition_refused"


class EstimateNotDeletable(Conflict):
    code = "estimate_not_deletable"


class StalePotentialVersion(Conflict):
    """S19: the command follows from an older state of the potential than one that was carried out."""

    code = "stale_potential_version"


class Estimate(Versioned, Base):
    """An offer to a customer, with the customer's name and address as on the day, and its totals.

    ``status`` is as written; `status_on` is what holds on a day. ``expiry_waived``: it was sent again after its expiry
    date and does not expire by that date any more. ``contact_person_id`` may be of a person who is gone.
    """

    __tablename__ = "estimates"
    __table_args__ = (
        UniqueConstraint("organization_id", "number", name="uq_estimates_number"),
        Index("ix_estimates_organization", "organization_id", "id"),
        Index("ix_estimates_status", "organization_id", "status", "id"),
        Index("ix_estimates_date", "organization_id", "date", "id"),
        Index("ix_estimates_customer", "customer_id", "id"),
        Index("ix_estimates_contact_person", "contact_person_id"),
        Index("ix_estimates_potential", "organization_id", "crm_potential_id", "id"),
        Index(
            "ix_estimates_to_expire",
            "expiry_date",
            sqlite_where=text("status = 'sent'"),
            postgresql_where=text("status = 'sent'"),
        ),
    )

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    number: Mapped[int] = mapped_column(BigId)
    estimate_number: Mapped[str] = mapped_column(String(40))
    status: Mapped[EstimateStatus] = mapped_column(String(16), default="draft")
    origin: Mapped[str] = mapped_column(String(16))
    customer_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id"))
    customer_name: Mapped[str] = mapped_column(String(255))
    billing_address: Mapped[Address]
    contact_person_id: Mapped[str | None] = mapped_column(String(36))
    contact_person_name: Mapped[str] = mapped_column(Text, default="")
    date: Mapped[datetime.date]
    expiry_date: Mapped[datetime.date | None]
    expiry_waived: Mapped[bool] = mapped_column(default=False)
    reference_number: Mapped[str] = mapped_column(String(255), default="")
    currency_code: Mapped[str] = mapped_column(String(3))
    sub_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    discount_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    tax_total: Mapped[Decimal] = mapped_column(ExactDecimal())
    total: Mapped[Decimal] = mapped_column(ExactDecimal())
    notes: Mapped[str] = mapped_column(Text, default="")
    terms: Mapped[str] = mapped_column(Text, default="")
    crm_potential_id: Mapped[str | None] = mapped_column(String(64))
    crm_potential_version: Mapped[int | None]

    def status_on(self, today: datetime.date) -> EstimateStatus:
        """The status that holds: a sent one is expired once its expiry date is past, written so yet or not."""
        past = self.expiry_date is not None and self.expiry_date < today
        return "expired" if self.status == "sent" and past and not self.expiry_waived else self.status

    def refuse_status(self, to: EstimateStatus, today: datetime.date) -> Conflict | None:
        """Why it may not become ``to``; None if it may, or is already."""
        status = self.status_on(today)
        if to == status or to in MAY_BECOME[status]:
            return None
        if status == "invoiced":
            return self._already_invoiced()
        possible = " or ".join(sorted(MAY_BECOME[status]))
        return EstimateTransitionRefused(
            f"{self.estimate_number} is {status} and cannot become {to}, only {possible}", estimate_id=self.id
        )

    def mark(self, to: EstimateStatus, today: datetime.date) -> list[str]:
        """Make it ``to`` and give what happened, in order; nothing if it is so already. Raises a `Conflict`."""
        if (refusal := self.refuse_status(to, today)) is not None:
            raise refusal
        if self.status_on(today) == to:
            return []
        happened = ["expired"] if self.expire(today) else []
        if self.status == "draft" and to != "sent":
            happened.append("sent")
        if self.status != "draft" and to == "sent":
            self.expiry_waived = self.expiry_date is not None and self.expiry_date < today
        self.status = to
        self.touch()
        return [*happened, to]

    def expire(self, today: datetime.date) -> bool:
        """Write that it has expired, if it has and it is not written yet; whether that was so."""
        if self.status_on(today) == self.status:
            return False
        self.status = "expired"
        return True

    def refuse_edit(self) -> Conflict | None:
        """Why it may not be edited; None if it may."""
        return self._already_invoiced() if self.status == "invoiced" else None

    def refuse_delete(self, newest_number: int) -> Conflict | None:
        """Why it may not be deleted; None if it may: a draft with the newest number, which can be given back."""
        if self.status != "draft":
            why = f"{self.estimate_number} is {self.status}; only drafts can be deleted"
        elif self.number != newest_number:
            why = f"{self.estimate_number} is not the newest estimate; deleting it would leave a gap in the numbers"
        else:
            return None
        return EstimateNotDeletable(why, estimate_id=self.id)

    def see_potential(self, version: int | None) -> None:
        """Keep the highest version of the potential that a command followed from. Raises `StalePotentialVersion`."""
        if version is None:
            return
        if self.crm_potential_version is not None and version < self.crm_potential_version:
            raise StalePotentialVersion(
                f"the command follows from version {version} of the potential, but version "
                f"{self.crm_potential_version} was carried out already",
                estimate_id=self.id,
                current_version=self.crm_potential_version,
            )
        self.crm_potential_version = version

    def _already_invoiced(self) -> EstimateAlreadyInvoiced:
        return EstimateAlreadyInvoiced(
            f"{self.estimate_number} has become an invoice and stays as it is", estimate_id=self.id
        )


estimate_lines = Table(
    "estimate_lines",
    Base.metadata,
    Column("estimate_id", String(36), ForeignKey("estimates.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("item_id", String(36)),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("quantity", ExactDecimal(6), nullable=False),
    Column("rate", ExactDecimal(6), nullable=False),
    Column("discount_percentage", ExactDecimal(6), nullable=False),
    Column("tax_percentage", ExactDecimal(6), nullable=False),
    Column("item_total", ExactDecimal(), nullable=False),
)

estimate_history = Table(
    "estimate_history",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("estimate_id", String(36), ForeignKey("estimates.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(254), nullable=False),
    Column("what", Text, nullable=False),
)
"""Who did what and when, in the order of ``id``."""
