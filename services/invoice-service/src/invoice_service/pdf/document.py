"""What a printed estimate, invoice or statement says, as one frozen value.

Pure: the standard library alone. It carries decimals and dates, already computed by ``totals``; how they are written,
and in which words, is the renderer's affair. Texts are as people typed them, in any script: the renderer cleans them.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal


class Mark(Enum):
    """Where the document stands, stamped beside its title in a word of its language. What was sent bears no mark."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    INVOICED = "invoiced"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    OVERDUE = "overdue"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableLine:
    """A line: ``rate`` and ``item_total`` (before tax) in units of the currency, percentages as 19 for 19 %.

    ``unit`` is what is counted ("hours", "kg"), printed beside the quantity.
    """

    name: str
    quantity: Decimal
    rate: Decimal
    item_total: Decimal
    description: str = ""
    unit: str = ""
    discount_percentage: Decimal = Decimal(0)
    tax_percentage: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableTax:
    """A row of the tax summary: what is ``taxable`` at a rate, and the ``tax`` on it."""

    tax_percentage: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableDocument:
    """An estimate or an invoice as its reader sees it (S10, S11).

    ``end_date`` is the estimate's expiry date or the invoice's due date. ``minor_unit`` is the number of decimals of
    ``currency_code``'s amounts. ``language`` is a BCP 47 tag ("de-DE", "ar-EG", "zh-Hans-CN"): words, numbers, dates
    and direction are its own; one that is not known is printed in English. ``logo`` is a PNG or JPEG file; one
    that cannot be read is left out.

    ``sub_total`` is before all discounts, ``discount_total`` is all of them: those of the lines and, as a part of it,
    ``document_discount``, which is on the whole document (at ``discount_percentage``, if it is not zero).
    ``adjustment`` is signed and added after tax. ``amount_paid`` and ``balance`` are printed where they are given: on
    invoices. Empty texts are left out.
    """

    kind: Literal["estimate", "invoice"]
    number: str
    date: datetime.date
    currency_code: str
    minor_unit: int
    organization_name: str
    customer_name: str
    lines: tuple[PrintableLine, ...]
    sub_total: Decimal
    discount_total: Decimal
    total: Decimal
    language: str = "en-US"
    paper: Literal["A4", "Letter"] = "A4"
    taxes: tuple[PrintableTax, ...] = ()
    end_date: datetime.date | None = None
    reference_number: str = ""
    logo: bytes | None = None
    organization_address: tuple[str, ...] = ()
    organization_details: tuple[str, ...] = ()
    attention: str = ""
    billing_address: tuple[str, ...] = ()
    discount_percentage: Decimal = Decimal(0)
    document_discount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    adjustment_description: str = ""
    amount_paid: Decimal | None = None
    balance: Decimal | None = None
    notes: str = ""
    terms: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableEntry:
    """A row of a statement: an invoice raises the balance by ``amount``, a payment lowers it by ``payment``.

    ``balance`` is what is owed after it. ``description`` says more in the organization's own words.
    """

    date: datetime.date
    kind: Literal["invoice", "payment"]
    number: str
    balance: Decimal
    amount: Decimal | None = None
    payment: Decimal | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableStatement:
    """What a customer was invoiced and paid between two dates, both included, and what is owed.

    ``invoiced`` and ``received`` are the sums of the rows; ``opening_balance`` + ``invoiced`` - ``received`` is
    ``closing_balance``. The rest is as in ``PrintableDocument``.
    """

    date_from: datetime.date
    date_to: datetime.date
    currency_code: str
    minor_unit: int
    organization_name: str
    customer_name: str
    opening_balance: Decimal
    rows: tuple[PrintableEntry, ...]
    invoiced: Decimal
    received: Decimal
    closing_balance: Decimal
    language: str = "en-US"
    paper: Literal["A4", "Letter"] = "A4"
    logo: bytes | None = None
    organization_address: tuple[str, ...] = ()
    organization_details: tuple[str, ...] = ()
    attention: str = ""
    billing_address: tuple[str, ...] = ()
    notes: str = ""


Printable = PrintableDocument | PrintableStatement
