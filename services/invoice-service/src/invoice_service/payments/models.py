"""Payments, and what of each is for which invoice."""

import datetime
from decimal import Decimal

from servicekit.db import ExactDecimal
from servicekit.errors import Conflict, NotFound
from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned
from invoice_service.line_items import money


class PaymentNotFound(NotFound):
    code = "payment_not_found"


class PaymentCurrencyDiffers(Conflict):
    code = "payment_currency_differs"


class CreditExceeded(Conflict):
    code = "credit_exceeded"


class Payment(Versioned, Base):
    """Money received from a customer.

    Guarantee: ``amount`` is what its allocations to invoices come to, plus ``unused_amount``, which is the customer's
    credit. Both change in one transaction with the invoices' ``amount_paid``.
    """

    __tablename__ = "payments"
    __table_args__ = (
        Index("ix_payments_organization", "organization_id", "id"),
        Index("ix_payments_date", "organization_id", "date", "id"),
        Index("ix_payments_customer", "customer_id", "id"),
        Index("ix_payments_customer_date", "customer_id", "date", "id"),
        Index(
            "ix_payments_unused",
            "organization_id",
            "id",
            sqlite_where=text("unused_amount > 0"),
            postgresql_where=text("unused_amount > 0"),
        ),
        Index(
            "ix_payments_credit",
            "customer_id",
            "currency_code",
            "id",
            sqlite_where=text("unused_amount > 0"),
            postgresql_where=text("unused_amount > 0"),
        ),
    )

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    customer_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id"))
    date: Mapped[datetime.date]
    amount: Mapped[Decimal] = mapped_column(ExactDecimal())
    unused_amount: Mapped[Decimal] = mapped_column(ExactDecimal())
    currency_code: Mapped[str] = mapped_column(String(3))
    payment_mode: Mapped[str] = mapped_column(String(255), default="")
    reference_number: Mapped[str] = mapped_column(String(255), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(254))

    def spend(self, amount: Decimal) -> None:
        """Take ``amount`` of its credit for an invoice. Raises `CreditExceeded`."""
        if amount > self.unused_amount:
            left = money(self.unused_amount, self.currency_code)
            raise CreditExceeded(
                f"{money(amount, self.currency_code)} is more than the {left} {self.currency_code} that is left of the "
                "payment",
                payment_id=self.id,
                unused_amount=left,
            )
        self.unused_amount -= amount

    def regain(self, amount: Decimal) -> None:
        """An invoice needs ``amount`` no more: it is credit again."""
        self.unused_amount += amount


class PaymentAllocation(Base):
    """What of a payment is for an invoice."""

    __tablename__ = "payment_allocations"

    payment_id: Mapped[str] = mapped_column(String(36), ForeignKey("payments.id"), primary_key=True)
    invoice_id: Mapped[str] = mapped_column(String(36), ForeignKey("invoices.id"), primary_key=True, index=True)
    amount: Mapped[Decimal] = mapped_column(ExactDecimal())
