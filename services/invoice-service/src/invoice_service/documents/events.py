"""What is told of documents: what the snapshots of estimates and invoices have in common."""

from collections.abc import Sequence
from typing import Any

from contracts.customers import CrmLink
from contracts.documents import LineItemSnapshot
from contracts.values import check_amount

from invoice_service.documents.models import Document
from invoice_service.line_items import LineItem


def common(document: Document, lines: Sequence[LineItem], crm_links: tuple[CrmLink, ...]) -> dict[str, Any]:
    """The fields of `contracts.documents.DocumentSnapshot`."""
    currency = document.currency_code
    amounts = ("sub_total", "discount_total", "tax_total", "adjustment", "total")
    return {
        "id": document.id,
        "version": document.version,
        "organization_id": document.organization_id,
        "customer_id": document.customer_id,
        "customer_name": document.customer_name,
        "contact_person_id": document.contact_person_id,
        "date": document.date,
        "reference_number": document.reference_number,
        "currency_code": currency,
        "line_items": tuple(_line(line, currency) for line in lines),
        **{name: check_amount(getattr(document, name), currency) for name in amounts},
        "notes": document.notes,
        "terms": document.terms,
        "crm_potential_id": document.crm_potential_id,
        "crm_links": crm_links,
        "updated_at": document.updated_at,
    }


def _line(line: LineItem, currency_code: str) -> LineItemSnapshot:
    """A line with its numbers written as the API writes them."""
    return LineItemSnapshot.model_validate(line.out(currency_code).model_dump())
