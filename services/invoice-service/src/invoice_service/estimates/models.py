"""The estimate: what it may become, and when it may be edited, converted and deleted."""

import datetime
from collections.abc import Mapping
from typing import ClassVar

from contracts.documents import EstimateStatus
from servicekit.errors import Conflict, NotFound
from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base
from invoice_service.documents.models import Document, Kind, history_table, lines_table
from invoice_service.numbering import Kind as KindName

MAY_BECOME: Mapping[EstimateStatus, frozenset[EstimateStatus]] = {
    "draft": frozenset({"sent", "accepted", "declined"}),
    "sent": frozenset({"accepted", "declined"}),
    "accepted": frozenset({"declined"}),
    "declined": frozenset({"sent", "accepted"}),
    "expired": frozenset({"sent", "accepted"}),
    "invoiced": frozenset(),
}
"""What someone may make of an estimate; ``expired`` it becomes by itself, ``invoiced`` by being converted."""

CONVERTIBLE: frozenset[EstimateStatus] = frozenset({"draft", "sent", "accepted"})


class EstimateNotFound(NotFound):
    code = "estimate_not_found"


class EstimateAlreadyInvoiced(Conflict):
    code = "estimate_already_invoiced"


class EstimateTransitionRefused(Conflict):
    code = "estimate_transition_refused"


class EstimateNotConvertible(Conflict):
    code = "estimate_not_convertible"


class EstimateNotSendable(Conflict):
    code = "estimate_not_sendable"


class EstimateNotDeletable(Conflict):
    code = "estimate_not_deletable"


class Estimate(Document, Base):
    """An offer to a customer.

    ``status`` is as written; `status_on` is what holds on a day. ``expiry_waived``: it was sent again after its expiry
    date and does not expire by that date any more. ``invoice_id``: what it was converted into, from
    ``status_before_invoiced``.
    """

    kind: ClassVar[KindName] = "estimate"

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

    estimate_number: Mapped[str] = mapped_column(String(40))
    status: Mapped[EstimateStatus] = mapped_column(String(16), default="draft")
    expiry_date: Mapped[datetime.date | None]
    expiry_waived: Mapped[bool] = mapped_column(default=False)
    invoice_id: Mapped[str | None] = mapped_column(String(36))
    status_before_invoiced: Mapped[EstimateStatus | None] = mapped_column(String(16))

    @property
    def written_number(self) -> str:
        return self.estimate_number

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

    def expiry_moved(self, today: datetime.date) -> None:
        """Its expiry date is another one: from now on that counts, whatever was waived or written before."""
        self.expiry_waived = False
        if self.status == "expired":
            self.status = "sent"
            self.expire(today)

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

    def refuse_convert(self, today: datetime.date) -> Conflict | None:
        """Why it may not become an invoice; None if it may, its customer permitting."""
        status = self.status_on(today)
        if status == "invoiced":
            return self._already_invoiced()
        if status in CONVERTIBLE:
            return None
        return EstimateNotConvertible(
            f"{self.estimate_number} is {status}; mark it sent or accepted again before converting it",
            estimate_id=self.id,
        )

    def convert(self, invoice_id: str, today: datetime.date) -> None:
        """It has become the invoice. Raises a `Conflict`."""
        if (refusal := self.refuse_convert(today)) is not None:
            raise refusal
        self.status_before_invoiced, self.status, self.invoice_id = self.status, "invoiced", invoice_id
        self.touch()

    def release(self) -> None:
        """Its invoice was deleted as if it had never been: it is again what it was before."""
        self.status, self.status_before_invoiced = self.status_before_invoiced or "accepted", None
        self.invoice_id = None
        self.touch()

    def refuse_send(self, today: datetime.date) -> Conflict | None:
        """Why it may not be e-mailed; None if it may: an accepted one goes out as it is, any other becomes sent."""
        status = self.status_on(today)
        if status == "accepted":
            return None
        if status == "draft" and self.expiry_date is not None and self.expiry_date < today:
            return EstimateNotSendable(
                f"{self.estimate_number} would arrive expired; give it a later expiry date, or none",
                estimate_id=self.id,
            )
        return self.refuse_status("sent", today)

    def _already_invoiced(self) -> EstimateAlreadyInvoiced:
        return EstimateAlreadyInvoiced(
            f"{self.estimate_number} has become an invoice and stays as it is",
            estimate_id=self.id,
            invoice_id=self.invoice_id,
        )


estimate_lines = lines_table("estimate")
estimate_history = history_table("estimate")

ESTIMATES = Kind(Estimate, estimate_lines, estimate_history, EstimateNotFound)
