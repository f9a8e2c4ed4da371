"""The subject and the message that go out where a person has written none: in English, from the document."""

import datetime
from decimal import Decimal

from babel.dates import format_date
from contracts.values import MINOR_UNITS

from invoice_service.documents.models import D, Document
from invoice_service.organizations.models import Organization
from invoice_service.sending.composing import one_line
from invoice_service.sending.mailable import Mailable

MAX_SUBJECT = 255


def subject(mailable: Mailable[D], document: D, organization: Organization) -> str:
    """``Invoice INV-000001 from Northwind Traders``."""
    return one_line(f"{mailable.noun.capitalize()} {document.written_number} from {organization.name}")[:MAX_SUBJECT]


def message(mailable: Mailable[D], document: D, organization: Organization, name: str, today: datetime.date) -> str:
    """A short letter to ``name``."""
    total = money(document, document.total)
    attached = f"please find attached {mailable.noun} {document.written_number} of {day(document.date)} over {total}."
    paragraphs = (f"Dear {name},", f"{attached} {mailable.asking(document, today)}".strip(), "Kind regards")
    return "\n\n".join(paragraphs) + f"\n{organization.name}\n"


def money(document: Document, amount: Decimal) -> str:
    """``1,234.50 EUR``."""
    return f"{amount:,.{MINOR_UNITS[document.currency_code]}f} {document.currency_code}"


def day(date: datetime.date) -> str:
    """``4 March 2026``: reads the same on both sides of the Atlantic."""
    return format_date(date, "d MMMM y", locale="en")
