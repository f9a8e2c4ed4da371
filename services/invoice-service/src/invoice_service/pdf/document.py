"""What a printed estimate or invoice says, as one frozen value.

Pure: the standard library alone. It carries decimals and dates, already computed by ``totals``; how they are written is
the renderer's affair. Texts are as people typed them: the renderer cleans and escapes them.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class StampTone(Enum):
    """How the stamp is meant, from which the renderer takes its colour."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintableLine:
    """A line: ``rate`` and ``item_total`` (before tax) in units of the currency, percentages as 19 for 19 %."""

    name: str
    quantity: Decimal
    rate: Decimal
    item_total: Decimal
    description: str = ""
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

    ``title`` is "ESTIMATE" or "INVOICE". The second date is ``end_date`` under ``end_date_label`` ("Expiry date", "Due
    date"). ``minor_unit`` is the number of decimals of ``currency_code``'s amounts. ``status_mark``, if any, is a word
    such as DRAFT or ACCEPTED, stamped beside the title in the colour of ``status_tone``. Empty texts are left out.
    """

    title: str
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
    taxes: tuple[PrintableTax, ...] = ()
    end_date: datetime.date | None = None
    end_date_label: str = ""
    reference_number: str = ""
    organization_address: tuple[str, ...] = ()
    attention: str = ""
    billing_address: tuple[str, ...] = ()
    notes: str = ""
    terms: str = ""
    status_mark: str = ""
    status_tone: StampTone = StampTone.NEUTRAL
