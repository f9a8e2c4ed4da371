"""Payments in JSON."""

import datetime
from decimal import Decimal
from typing import Self

from contracts.values import CurrencyCode
from pydantic import BaseModel, Field
from servicekit.fields import Body, Day, Edit, Id, Line, Text

from invoice_service.line_items import money
from invoice_service.payments.queries import WholePayment

MAX_INVOICES = 200
"""Invoices of one payment."""


class AllocationBody(Body):
    invoice_id: Id
    amount: Decimal


class _PaymentFields(Body):
    date: Day | None = None
    payment_mode: Line = ""
    reference_number: Line = ""
    notes: Text = ""


class PaymentBody(_PaymentFields):
    """Money received from a customer, for none, one or several invoices; what is left over is the customer's credit.

    ``date``: today, if left out. ``currency_code``: the customer's, if left out.
    """

    customer_id: Id
    amount: Decimal
    currency_code: CurrencyCode | None = None
    invoices: list[AllocationBody] = Field([], max_length=MAX_INVOICES)


class InvoicePaymentBody(_PaymentFields):
    """Money received for one invoice. ``currency_code``: the invoice's, if left out.

    ``excess_as_credit``: what is above the balance becomes the customer's credit; otherwise such a payment is refused.
    """

    amount: Decimal
    currency_code: CurrencyCode | None = None
    excess_as_credit: bool = False


class PaymentEdit(Edit):
    """Only the fields sent change. An amount does not: delete the payment and record the right one."""

    date: Day = datetime.date.min
    payment_mode: Line = ""
    reference_number: Line = ""
    notes: Text = ""


class AllocationsBody(Body):
    """What of the payment's credit is for which invoices."""

    invoices: list[AllocationBody] = Field(min_length=1, max_length=MAX_INVOICES)


class CreditsBody(Body):
    """``amount``: as much as is owed and there is credit for, if left out."""

    amount: Decimal | None = None


class AllocationOut(BaseModel):
    invoice_id: str
    invoice_number: str
    amount: str


class PaymentOut(BaseModel):
    """``unused_amount``: the customer's credit."""

    id: str
    version: int
    customer_id: str
    date: datetime.date
    amount: str
    unused_amount: str
    currency_code: str
    payment_mode: str
    reference_number: str
    notes: str
    invoices: list[AllocationOut]
    created_by: str
    created_at: datetime.datetime
    updated_at: datetime.datetime

    @classmethod
    def of(cls, whole: WholePayment) -> Self:
        """The payment as it is shown."""
        payment = whole.payment
        currency = payment.currency_code
        return cls(
            id=payment.id,
            version=payment.version,
            customer_id=payment.customer_id,
            date=payment.date,
            amount=money(payment.amount, currency),
            unused_amount=money(payment.unused_amount, currency),
            currency_code=currency,
            payment_mode=payment.payment_mode,
            reference_number=payment.reference_number,
            notes=payment.notes,
            invoices=[
                AllocationOut(
                    invoice_id=one.invoice_id, invoice_number=one.invoice_number, amount=money(one.amount, currency)
                )
                for one in whole.allocations
            ],
            created_by=payment.created_by,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
        )
