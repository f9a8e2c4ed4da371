"""Estimates and invoices as PDFs (S11): ``render(document) -> bytes``, a function of one frozen value."""

from invoice_service.pdf.document import PrintableDocument, PrintableLine, PrintableTax, StampTone
from invoice_service.pdf.render import render

__all__ = ["PrintableDocument", "PrintableLine", "PrintableTax", "StampTone", "render"]
