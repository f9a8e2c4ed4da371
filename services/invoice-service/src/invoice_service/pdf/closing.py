"""The lower part of the last page: what it comes to, the notes, the terms."""

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Table

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import PrintableDocument, PrintableTax
from invoice_service.pdf.text import one_line
from invoice_service.pdf.typefaces import BOLD, REGULAR
from invoice_service.pdf.typeset import paragraph

_SIZE = 9
_TOTAL_SIZE = 10.5
_PAD = 8.0
_LEAST_WIDTH = 225.0


def totals_block(document: PrintableDocument) -> Table:
    """The sums, flush right under the amounts, the total set off; never divided between two pages."""
    minor_unit = document.minor_unit
    # The column of amounts above is after discount: without the words a reader would add it up to another number.
    sub_total_label = "Sub-total before discount" if document.discount_total else "Sub-total"
    rows = [(sub_total_label, numbers.money(document.sub_total, minor_unit))]
    if document.discount_total:
        rows.append(("Discount", numbers.money(-document.discount_total, minor_unit)))
    rows += [_tax_row(tax, minor_unit) for tax in _worth_saying(document.taxes)]
    rows.append(("Total", f"{one_line(document.currency_code, 3)} {numbers.money(document.total, minor_unit)}"))
    label_width = max(stringWidth(label, REGULAR, _SIZE) for label, _ in rows)
    value_width = max(stringWidth(value, BOLD, _TOTAL_SIZE) for _, value in rows)
    width = max(_LEAST_WIDTH, label_width + value_width + 4 * _PAD)
    # No splitting: a page that has no room for all of it starts the next one.
    return Table(
        rows,
        colWidths=[width - value_width - 2 * _PAD, value_width + 2 * _PAD],
        hAlign="RIGHT",
        splitByRow=0,
        style=_STYLE,
        spaceAfter=24,
    )


def notes_and_terms(document: PrintableDocument) -> list[Flowable]:
    """Both texts under their headings, as long as they are; nothing where there is none."""
    block: list[Flowable] = []
    for heading, text in (("NOTES", document.notes), ("TERMS & CONDITIONS", document.terms)):
        if text.strip():
            block += [paragraph(heading, theme.HEADING), paragraph(text, theme.NOTE)]
    return block


def _worth_saying(taxes: tuple[PrintableTax, ...]) -> tuple[PrintableTax, ...]:
    """Zero-rated sums are said beside others; where nothing is taxed, taxes are no subject at all."""
    return taxes if any(tax.tax_percentage for tax in taxes) else ()


def _tax_row(tax: PrintableTax, minor_unit: int) -> tuple[str, str]:
    rate = f"{numbers.quantity(tax.tax_percentage)}%"
    return f"Tax {rate} on {numbers.money(tax.taxable, minor_unit)}", numbers.money(tax.tax, minor_unit)


_STYLE = [
    ("FONT", (0, 0), (-1, -2), REGULAR, _SIZE),
    ("TEXTCOLOR", (0, 0), (0, -2), theme.MUTED),
    ("TEXTCOLOR", (1, 0), (1, -2), theme.INK),
    ("FONT", (0, -1), (-1, -1), BOLD, _TOTAL_SIZE),
    ("TEXTCOLOR", (0, -1), (-1, -1), theme.ACCENT),
    ("BACKGROUND", (0, -1), (-1, -1), theme.TINT),
    ("LINEABOVE", (0, -1), (-1, -1), 1, theme.ACCENT),
    ("ALIGN", (1, 0), (1, -1), "RIGHT"),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
    ("RIGHTPADDING", (0, 0), (-1, -1), 7),
    ("TOPPADDING", (0, 0), (-1, -2), 3.5),
    ("BOTTOMPADDING", (0, 0), (-1, -2), 3.5),
    ("BOTTOMPADDING", (0, -2), (-1, -2), 7),
    ("TOPPADDING", (0, -1), (-1, -1), 6),
    ("BOTTOMPADDING", (0, -1), (-1, -1), 8),
]
