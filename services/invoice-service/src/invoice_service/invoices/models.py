"""The invoice: what it may become, when it may be edited, paid and deleted, and when the workflow leaves it alone."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from contracts.documents import InvoiceStatus
from servicekit.auth import Principal
from servicekit.db import ExactDecimal, utc_now
from servicekit.errors import Conflict
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base
from invoice_service.documents.models import Document, Kind, history_table, lines_table
from invoice_service.invoices.refusals import (
    InvoiceAlreadyPaid,
    InvoiceHasPayments,
    InvoiceLockedForWorkflow,
    InvoiceNotDeletable,
    InvoiceNotFound,
    InvoiceNotLocked,
    InvoiceNotSent,
    InvoiceTransitionRefused,
    InvoiceVoid,
    NoCredit,
    PaymentExceedsBalance,
    TotalBelowPaid,
)
from invoice_service.line_items import money
from invoice_service.numbering import Kind as KindName

MAY_BECOME: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = {
    "draft": frozenset({"sent", "void"}),
    "sent": frozenset({"void"}),
    "overdue": frozenset({"void"}),
    "partially_paid": frozenset(),
    "paid": frozenset(),
    "void": frozenset({"draft"}),
}
"""What someone may make of an invoice. ``overdue`` it becomes by itself; paid, and back, by its payments alone."""


class Invoice(Document, Base):
    """A claim on a customer.

    ``status`` is as written; `status_on` is what holds on a day. ``payment_terms``: days from its date to ``due_date``,
    unless that was set by itself. ``was_issued``: it was sent once, so its number is a customer's. ``amount_paid``:
    what payments are allocated to it. ``workflow_locked``: from the first change of its status that is not the
    workflow's, ``locked_by`` and ``locked_at`` say whose (S17). ``estimate_id``: what it was converted from.
    """

    kind: ClassVar[KindName] = "invoice"

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
        UniqueConstraint("estimate_id", name="uq_invoices_estimate"),
        Index("ix_invoices_organization", "organization_id", "id"),
        Index("ix_invoices_status", "organization_id", "status", "id"),
        Index("ix_invoices_date", "organization_id", "date", "id"),
        Index("ix_invoices_customer", "customer_id", "id"),
        Index("ix_invoices_customer_date", "customer_id", "date", "id"),
        Index("ix_invoices_contact_person", "contact_person_id"),
        Index("ix_invoices_potential", "organization_id", "crm_potential_id", "id"),
        Index(
            "ix_invoices_open",
            "customer_id",
            "currency_code",
            sqlite_where=text("status IN ('sent', 'overdue', 'partially_paid')"),
            postgresql_where=text("status IN ('sent', 'overdue', 'partially_paid')"),
        ),
        Index(
            "ix_invoices_to_fall_overdue",
            "due_date",
            sqlite_where=text("status = 'sent'"),
            postgresql_where=text("status = 'sent'"),
        ),
    )

    invoice_number: Mapped[str] = mapped_column(String(40))
    status: Mapped[InvoiceStatus] = mapped_column(String(16), default="draft")
    due_date: Mapped[datetime.date]
    payment_terms: Mapped[int | None]
    was_issued: Mapped[bool] = mapped_column(default=False)
    amount_paid: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    workflow_locked: Mapped[bool] = mapped_column(default=False)
    locked_by: Mapped[str | None] = mapped_column(String(254))
    locked_at: Mapped[datetime.datetime | None]
    estimate_id: Mapped[str | None] = mapped_column(String(36), ForeignKey("estimates.id"))

    @property
    def written_number(self) -> str:
        return self.invoice_number

    @property
    def balance(self) -> Decimal:
        """What is still owed; nothing of a void one."""
        return Decimal(0) if self.status == "void" else self.total - self.amount_paid

    def status_on(self, today: datetime.date) -> InvoiceStatus:
        """The status that holds: a sent one is overdue once its due date is past, written so yet or not."""
        return "overdue" if self.status == "sent" and self.is_past_due(today) else self.status

    def is_past_due(self, today: datetime.date) -> bool:
        """Whether something is owed since before ``today``."""
        owed = self.status in ("sent", "overdue", "partially_paid") and self.balance > 0
        return owed and self.due_date < today

    def refuse_status(self, to: InvoiceStatus, today: datetime.date) -> Conflict | None:
        """Why someone may not make it ``to``; None if they may, or it is so already."""
        status = self.status_on(today)
        if to == status or to in MAY_BECOME[status]:
            return None
        if to == "void" and self.amount_paid:
            return InvoiceHasPayments(
                f"{self._paid_so_far()}; delete its payments, or take them off it, before making it void",
                invoice_id=self.id,
            )
        possible = " or ".join(sorted(MAY_BECOME[status]))
        only = f"only {possible}" if possible else "only its payments change that"
        return InvoiceTransitionRefused(
            f"{self.invoice_number} is {status} and cannot become {to}, {only}", invoice_id=self.id
        )

    def mark(self, to: InvoiceStatus, principal: Principal, today: datetime.date) -> list[str]:
        """Make it ``to`` and give what happened, in order; nothing if it is so already. Raises a `Conflict`."""
        if principal.service == "workflow" and self.workflow_locked:
            raise self._left_alone()
        if principal.service == "workflow" and self.status == "void" and to != "void":
            raise self._void("only a person makes it a draft again (S19)")
        if (refusal := self.refuse_status(to, today)) is not None:
            raise refusal
        if self.status_on(today) == to:
            return []
        happened = ["overdue"] if self.fall_overdue(today) else []
        self.status = to
        self.was_issued = self.was_issued or to == "sent"
        self.lock_for_workflow(principal)
        self.touch()
        return [*happened, to]

    def fall_overdue(self, today: datetime.date) -> bool:
        """Write that it is overdue, if it is and it is not written yet; whether that was so."""
        if self.status_on(today) == self.status:
            return False
        self.status = "overdue"
        return True

    def lock_for_workflow(self, principal: Principal) -> None:
        """S17: from now on the workflow leaves it alone, since ``principal`` has changed its status."""
        if principal.service != "workflow" and not self.workflow_locked:
            self.workflow_locked, self.locked_by, self.locked_at = True, principal.name, utc_now()

    def refuse_unlock(self) -> Conflict | None:
        """Why it cannot be given back to the workflow; None if it can."""
        if self.workflow_locked:
            return None
        return InvoiceNotLocked(f"{self.invoice_number} is not locked for the workflow", invoice_id=self.id)

    def unlock(self) -> None:
        """Let the workflow change its status again. Raises `InvoiceNotLocked`."""
        if (refusal := self.refuse_unlock()) is not None:
            raise refusal
        self.workflow_locked, self.locked_by, self.locked_at = False, None, None
        self.touch()

    def refuse_edit(self) -> Conflict | None:
        """Why it may not be edited; None if it may."""
        if self.status == "void":
            return self._void("make it a draft again to edit it")
        if self.status == "paid":
            return InvoiceAlreadyPaid(f"{self._paid_so_far()}; delete its payments to edit it", invoice_id=self.id)
        return None

    def check_total(self, total: Decimal, currency_code: str) -> None:
        """Raise `TotalBelowPaid` if an edit would leave less than was paid, or in another currency."""
        if not self.amount_paid:
            return
        if currency_code != self.currency_code or total < self.amount_paid:
            raise TotalBelowPaid(
                f"{self._paid_so_far()}; its total may not fall below that, nor its currency change",
                invoice_id=self.id,
                amount_paid=money(self.amount_paid, self.currency_code),
            )

    def refuse_payment(self) -> Conflict | None:
        """Why no payment can be recorded for it; None if one can."""
        if self.status == "draft":
            return InvoiceNotSent(
                f"{self.invoice_number} is a draft; mark it sent before recording a payment", invoice_id=self.id
            )
        if self.status == "void":
            return self._void("nothing is owed for it")
        if not self.balance:
            return InvoiceAlreadyPaid(f"nothing is owed for {self.invoice_number} any more", invoice_id=self.id)
        return None

    def refuse_credit(self, *, has_credit: bool) -> Conflict | None:
        """Why it cannot be paid out of its customer's credit; None if it can."""
        if (refusal := self.refuse_payment()) is not None or has_credit:
            return refusal
        return NoCredit(
            f"the customer of {self.invoice_number} has no credit in {self.currency_code}", invoice_id=self.id
        )

    def pay(self, amount: Decimal, principal: Principal, today: datetime.date) -> None:
        """Count a payment (above 0, in the invoice's currency). Raises a `Conflict`."""
        if (refusal := self.refuse_payment()) is not None:
            raise refusal
        if amount > self.balance:
            owed = money(self.balance, self.currency_code)
            raise PaymentExceedsBalance(
                f"{money(amount, self.currency_code)} is more than the {owed} {self.currency_code} owed for "
                f"{self.invoice_number}; pay that much, or send excess_as_credit: true to keep the rest as credit",
                invoice_id=self.id,
                balance=owed,
            )
        self.amount_paid += amount
        self._settle(principal, today)

    def take_back(self, amount: Decimal, principal: Principal, today: datetime.date) -> None:
        """A payment of ``amount`` counts no more: it is again what it was without it."""
        self.amount_paid -= amount
        self._settle(principal, today)

    def total_changed(self, principal: Principal, today: datetime.date) -> None:
        """After an edit: what was paid may be all of it now, or no longer."""
        if self.amount_paid:
            self._settle(principal, today, touch=False)

    def _settle(self, principal: Principal, today: datetime.date, *, touch: bool = True) -> None:
        was = self.status_on(today)
        if not self.amount_paid:
            self.status = "sent"
            self.fall_overdue(today)
        else:
            self.status = "paid" if self.amount_paid == self.total else "partially_paid"
        if self.status != was:
            self.lock_for_workflow(principal)
        if touch:
            self.touch()

    def refuse_delete(self, newest_number: int) -> Conflict | None:
        """Why it may not be deleted; None if it may: a draft with the newest number, which can be given back."""
        if self.status != "draft":
            why = f"{self.invoice_number} is {self.status}; only drafts can be deleted"
        elif self.was_issued:
            why = f"{self.invoice_number} was sent before; its number must not be given to another one"
        elif self.number != newest_number:
            why = f"{self.invoice_number} is not the newest invoice; deleting it would leave a gap in the numbers"
        else:
            return None
        remedy = "" if self.status == "void" else "; make it void instead"
        return InvoiceNotDeletable(f"{why}{remedy}", invoice_id=self.id)

    def refuse_send(self, today: datetime.date) -> Conflict | None:
        """Why it may not be e-mailed; None if it may: a draft becomes sent, any other goes out as it is."""
        return self._void("make it a draft again to send it") if self.status == "void" else None

    def _void(self, remedy: str) -> InvoiceVoid:
        return InvoiceVoid(f"{self.invoice_number} is void; {remedy}", invoice_id=self.id)

    def _paid_so_far(self) -> str:
        return f"{money(self.amount_paid, self.currency_code)} {self.currency_code} of {self.invoice_number} is paid"

    def _left_alone(self) -> InvoiceLockedForWorkflow:
        day = f"{self.locked_at:%Y-%m-%d %H:%M} UTC" if self.locked_at else "an unknown day"
        return InvoiceLockedForWorkflow(
            f"left alone: the status of {self.invoice_number} was changed by {self.locked_by} on {day}",
            invoice_id=self.id,
            locked_by=self.locked_by,
            locked_at=self.locked_at.isoformat() if self.locked_at else None,
        )


invoice_lines = lines_table("invoice")
invoice_history = history_table("invoice")

INVOICES = Kind(Invoice, invoice_lines, invoice_history, InvoiceNotFound)
