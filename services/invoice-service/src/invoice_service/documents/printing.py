"""Documents as the values that their PDFs are made from, and these as answers."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote

from contracts.values import MINOR_UNITS, Address
from fastapi import Depends, Header, Query, Response

from invoice_service import pdf
from invoice_service.documents.models import Document
from invoice_service.line_items import LineItem
from invoice_service.organizations.models import Organization
from invoice_service.pdf import PrintableLine, PrintableTax
from invoice_service.totals import DocumentTotals

PDF_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "It is still the one with the ETag sent"},
}
"""What the API document says of a route that answers with a PDF."""


def letterhead(organization: Organization, logo: bytes | None) -> dict[str, Any]:
    """The fields of a printable that are the organization's."""
    return {
        "organization_name": organization.name,
        "organization_address": address_lines(organization.address),
        "organization_details": tuple(
            text
            for text in (organization.tax_number, organization.phone, organization.email, organization.website)
            if text
        ),
        "language": organization.language,
        "paper": cast(Literal["A4", "Letter"], organization.paper),
        "logo": logo,
    }


def common(
    document: Document, lines: list[LineItem], amounts: DocumentTotals, organization: Organization, logo: bytes | None
) -> dict[str, Any]:
    """The fields of `pdf.PrintableDocument` that estimates and invoices fill alike."""
    return letterhead(organization, logo) | {
        "kind": document.kind,
        "number": document.written_number,
        "date": document.date,
        "reference_number": document.reference_number,
        "currency_code": document.currency_code,
        "minor_unit": MINOR_UNITS[document.currency_code],
        "customer_name": document.customer_name,
        "attention": document.contact_person_name or document.billing_address.attention,
        "billing_address": address_lines(document.billing_address),
        "lines": tuple(_line(line) for line in lines),
        "sub_total": amounts.sub_total,
        "discount_percentage": document.discount_percentage,
        "document_discount": amounts.document_discount,
        "discount_total": amounts.discount_total,
        "taxes": tuple(
            PrintableTax(tax_percentage=row.tax_percentage, taxable=row.taxable, tax=row.tax) for row in amounts.taxes
        ),
        "adjustment": amounts.adjustment,
        "adjustment_description": document.adjustment_description,
        "total": amounts.total,
        "notes": document.notes,
        "terms": document.terms,
    }


def _line(line: LineItem) -> PrintableLine:
    return PrintableLine(
        name=line.name,
        description=line.description,
        unit=line.unit,
        quantity=line.quantity,
        rate=line.rate,
        discount_percentage=line.discount_percentage,
        tax_percentage=line.tax_percentage,
        item_total=line.item_total,
    )


def address_lines(address: Address) -> tuple[str, ...]:
    """An address as it is written on paper."""
    place = " ".join(part for part in (address.zip, address.city) if part)
    town = ", ".join(part for part in (place, address.state) if part)
    return tuple(part for part in (address.street, address.street2, town, address.country) if part)


@dataclass(frozen=True)
class PdfRequest:
    """How a PDF is asked for: to view or to download, and which one the caller has already."""

    download: bool
    if_none_match: str | None

    async def answer(self, printable: pdf.Printable, name: str) -> Response:
        """``printable`` as a file called ``name``; made in a thread, or not at all if the caller has it."""
        headers = {
            "ETag": etag(printable),
            "Content-Disposition": content_disposition(name, download=self.download),
            "Cache-Control": "private, no-cache",
        }
        if self.if_none_match is not None and headers["ETag"] in self.if_none_match:
            return Response(status_code=304, headers=headers)
        made = await asyncio.to_thread(pdf.render, printable)
        return Response(made, media_type="application/pdf", headers=headers)


async def _pdf_request(
    download: Annotated[bool, Query(description="Save it, rather than show it")] = False,
    if_none_match: Annotated[str | None, Header()] = None,
) -> PdfRequest:
    return PdfRequest(download, if_none_match)


AsPdf = Annotated[PdfRequest, Depends(_pdf_request)]


def etag(printable: pdf.Printable) -> str:
    """Names the PDF's bytes, which follow from the value and from the way it is drawn alone."""
    return f'"{hashlib.sha256(f"{pdf.EDITION} {printable!r}".encode()).hexdigest()[:32]}"'


def file_name(name: str) -> str:
    """What a PDF called ``name`` is called as a file, on any system."""
    return "".join("-" if char in '/\\:*?"<>|' or not char.isprintable() else char for char in f"{name}.pdf")


def content_disposition(name: str, *, download: bool) -> str:
    """How a browser takes the file (RFC 6266): shows it, or saves it under ``name``.

    The name stands there twice: in plain letters, and exactly (RFC 5987).
    """
    exact = file_name(name)
    plain = exact.encode("ascii", "replace").decode().replace("?", "_")
    kind = "attachment" if download else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(exact, safe='')}"
