"""An estimate as the value that its PDF is made from."""

import datetime
import hashlib
from urllib.parse import quote

from contracts.values import MINOR_UNITS, Address

from invoice_service import line_items
from invoice_service.estimates.models import Estimate
from invoice_service.line_items import LineItem
from invoice_service.organizations.models import Organization
from invoice_service.pdf import PrintableDocument, PrintableLine, PrintableTax, StampTone

_STAMPS = {
    "draft": ("DRAFT", StampTone.NEUTRAL),
    "sent": ("", StampTone.NEUTRAL),
    "accepted": ("ACCEPTED", StampTone.GOOD),
    "declined": ("DECLINED", StampTone.BAD),
    "expired": ("EXPIRED", StampTone.WARNING),
    "invoiced": ("INVOICED", StampTone.GOOD),
}


def printable(
    estimate: Estimate, lines: list[LineItem], organization: Organization, today: datetime.date
) -> PrintableDocument:
    """The estimate as it is printed ``today``."""
    _, amounts = line_items.compute([line.asked() for line in lines], estimate.currency_code)
    mark, tone = _STAMPS[estimate.status_on(today)]
    return PrintableDocument(
        title="ESTIMATE",
        number=estimate.estimate_number,
        date=estimate.date,
        end_date=estimate.expiry_date,
        end_date_label="Expiry date",
        reference_number=estimate.reference_number,
        currency_code=estimate.currency_code,
        minor_unit=MINOR_UNITS[estimate.currency_code],
        organization_name=organization.name,
        organization_address=_address_lines(organization.address),
        customer_name=estimate.customer_name,
        attention=estimate.contact_person_name or estimate.billing_address.attention,
        billing_address=_address_lines(estimate.billing_address),
        lines=tuple(
            PrintableLine(
                name=line.name,
                description=line.description,
                quantity=line.quantity,
                rate=line.rate,
                discount_percentage=line.discount_percentage,
                tax_percentage=line.tax_percentage,
                item_total=line.item_total,
            )
            for line in lines
        ),
        sub_total=amounts.sub_total,
        discount_total=amounts.discount_total,
        total=amounts.total,
        taxes=tuple(
            PrintableTax(tax_percentage=row.tax_percentage, taxable=row.taxable, tax=row.tax) for row in amounts.taxes
        ),
        notes=estimate.notes,
        terms=estimate.terms,
        status_mark=mark,
        status_tone=tone,
    )


def etag(document: PrintableDocument) -> str:
    """Names the PDF's bytes, which follow from the value alone."""
    return f'"{hashlib.sha256(repr(document).encode()).hexdigest()[:32]}"'


def content_disposition(number: str, *, download: bool) -> str:
    """How a browser takes the file (RFC 6266): shows it, or saves it under the document's number.

    The name stands there twice: in plain letters, and exactly (RFC 5987).
    """
    name = "".join("-" if char in '/\\:*?"<>|' or not char.isprintable() else char for char in f"{number}.pdf")
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    kind = "attachment" if download else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _address_lines(address: Address) -> tuple[str, ...]:
    place = " ".join(part for part in (address.zip, address.city) if part)
    town = ", ".join(part for part in (place, address.state) if part)
    return tuple(part for part in (address.street, address.street2, town, address.country) if part)
