"""The table of lines: as many pages as it takes, its header on each, numbers flush right.

Columns that say nothing in this document (no line has a discount, none has a tax) are left out; the others are as wide
as their widest number, and the text has what remains.
"""

from dataclasses import dataclass
from operator import attrgetter

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph, Table

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import PrintableDocument, PrintableLine
from invoice_service.pdf.typefaces import BOLD, REGULAR
from invoice_service.pdf.typeset import paragraph

_SIZE = 8.5
_HEADER_SIZE = 7.5
_PAD = 7.0
_POSITION_WIDTH = 24.0


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    values: list[str]
    least_width: float

    @property
    def width(self) -> float:
        widest = max((stringWidth(value, REGULAR, _SIZE) for value in self.values), default=0.0)
        return float(max(widest, stringWidth(self.heading, BOLD, _HEADER_SIZE), self.least_width)) + 2 * _PAD


def line_table(document: PrintableDocument) -> Table:
    """The table, header included; without lines it is the header alone."""
    columns = _number_columns(document)
    widths = [column.width for column in columns]
    position_width = max(_POSITION_WIDTH, stringWidth(str(len(document.lines)), REGULAR, _SIZE) + _PAD + 4)
    text_width = theme.CONTENT_WIDTH - position_width - sum(widths)
    header = ["#", "ITEM", *(column.heading for column in columns)]
    rows = [
        [str(position + 1), _item(line), *(column.values[position] for column in columns)]
        for position, line in enumerate(document.lines)
    ]
    return Table(
        [header, *rows],
        colWidths=[position_width, text_width, *widths],
        repeatRows=1,
        # A text that is taller than a page goes on in the next one.
        splitInRow=1,
        style=_STYLE,
        spaceAfter=10,
    )


def _number_columns(document: PrintableDocument) -> list[_Column]:
    lines, minor_unit = document.lines, document.minor_unit
    columns = [
        _Column("QTY", [numbers.quantity(line.quantity) for line in lines], 28),
        _Column("RATE", [numbers.rate(line.rate, minor_unit) for line in lines], 42),
    ]
    for heading, of in (("DISC.", attrgetter("discount_percentage")), ("TAX", attrgetter("tax_percentage"))):
        if any(of(line) for line in lines):
            columns.append(_Column(heading, [numbers.percentage(of(line)) for line in lines], 22))
    amounts = [numbers.money(line.item_total, minor_unit) for line in lines]
    return [*columns, _Column("AMOUNT", amounts, 52)]


def _item(line: PrintableLine) -> list[Paragraph]:
    texts = ((line.name, theme.ITEM), (line.description, theme.DESCRIPTION))
    return [paragraph(text, style) for text, style in texts if text]


_STYLE = [
    ("FONT", (0, 0), (-1, 0), BOLD, _HEADER_SIZE),
    ("TEXTCOLOR", (0, 0), (-1, 0), theme.PAPER),
    ("BACKGROUND", (0, 0), (-1, 0), theme.ACCENT),
    ("TOPPADDING", (0, 0), (-1, 0), 5),
    ("BOTTOMPADDING", (0, 0), (-1, 0), 6),
    ("VALIGN", (0, 0), (-1, 0), "MIDDLE"),
    ("FONT", (0, 1), (-1, -1), REGULAR, _SIZE, 12.9),
    ("TEXTCOLOR", (0, 1), (0, -1), theme.MUTED),
    ("TEXTCOLOR", (1, 1), (-1, -1), theme.INK),
    ("ALIGN", (2, 0), (-1, -1), "RIGHT"),
    ("VALIGN", (0, 1), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
    ("RIGHTPADDING", (0, 0), (-1, -1), _PAD),
    ("RIGHTPADDING", (0, 0), (0, -1), 0),
    ("TOPPADDING", (0, 1), (-1, -1), 5.5),
    ("BOTTOMPADDING", (0, 1), (-1, -1), 6),
    ("LINEBELOW", (0, 1), (-1, -1), 0.5, theme.RULE),
]
