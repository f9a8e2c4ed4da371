"""Estimates, invoices and statements as PDFs (S11): ``render(printable) -> bytes``, a function of one frozen value."""

from invoice_service.pdf.document import (
    Mark,
    Printable,
    PrintableDocument,
    PrintableEntry,
    PrintableLine,
    PrintableStatement,
    PrintableTax,
)
from invoice_service.pdf.glyphs_missing import warnings
from invoice_service.pdf.render import render

__all__ = [
    "Mark",
    "Printable",
    "PrintableDocument",
    "PrintableEntry",
    "PrintableLine",
    "PrintableStatement",
    "PrintableTax",
    "render",
    "warnings",
]
