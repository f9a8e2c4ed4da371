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
from invoice_service.pdf.not_as_typed import warnings
from invoice_service.pdf.render import render

EDITION = 1
"""Counts the ways of drawing: to be raised whenever the same value gives other bytes than before."""

__all__ = [
    "EDITION",
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
