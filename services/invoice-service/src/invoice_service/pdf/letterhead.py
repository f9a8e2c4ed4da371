"""The upper part of the first page: who writes, what it is, to whom, and when."""

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Spacer, Table

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import PrintableDocument
from invoice_service.pdf.text import one_line
from invoice_service.pdf.typefaces import BOLD, REGULAR
from invoice_service.pdf.typeset import paragraph

# The letterhead stays on one page whatever is typed: so many characters of a text, so many lines of an address.
_NAME_LIMIT = 240
_LINE_LIMIT = 120
_ADDRESS_LINES = 8
_MARK_LIMIT = 20
# Even a cell of flowables names its table's font in the file, and the default is Helvetica, not embedded.
_TYPEFACE = ("FONTNAME", (0, 0), (-1, -1), REGULAR)
_FLUSH = [
    _TYPEFACE,
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (0, 0), 16),
    ("RIGHTPADDING", (1, 0), (1, 0), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]


class Stamp(Flowable):  # type: ignore[misc]  # ReportLab is untyped
    """The status as a small outlined label, flush right."""

    _SIZE, _PAD, _HEIGHT, _SPACING = 7.5, 7.0, 15.0, 0.9

    def __init__(self, mark: str, color: object) -> None:
        super().__init__()
        self._mark, self._color = mark, color

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self._available = available_width
        return available_width, self._HEIGHT

    def draw(self) -> None:
        canvas = self.canv
        text_width = stringWidth(self._mark, BOLD, self._SIZE) + self._SPACING * (len(self._mark) - 1)
        left = self._available - text_width - 2 * self._PAD
        canvas.setStrokeColor(self._color)
        canvas.setFillColor(self._color)
        canvas.setLineWidth(0.9)
        canvas.roundRect(left, 0.5, text_width + 2 * self._PAD, self._HEIGHT - 1, 3, stroke=1, fill=0)
        canvas.setFont(BOLD, self._SIZE)
        canvas.drawString(left + self._PAD, 4.9, self._mark, charSpace=self._SPACING)


def letterhead(document: PrintableDocument) -> list[Flowable]:
    """The blocks down to where the table of lines begins."""
    half = theme.CONTENT_WIDTH / 2
    top = Table([[_organization(document), _title(document)]], colWidths=[half + 20, half - 20], style=_FLUSH)
    middle = Table(
        [[_bill_to(document), _dates(document)]],
        colWidths=[half + 20, half - 20],
        style=[*_FLUSH, ("ALIGN", (1, 0), (1, 0), "RIGHT")],
    )
    return [top, Spacer(0, 26), middle, Spacer(0, 22)]


def _organization(document: PrintableDocument) -> list[Flowable]:
    name = paragraph(one_line(document.organization_name, _NAME_LIMIT), theme.ORGANIZATION)
    return [name, *_address(document.organization_address, theme.SMALL)]


def _title(document: PrintableDocument) -> list[Flowable]:
    block: list[Flowable] = [
        paragraph(one_line(document.title, _LINE_LIMIT), theme.TITLE),
        paragraph(one_line(document.number, _LINE_LIMIT), theme.NUMBER),
    ]
    if document.status_mark:
        mark = one_line(document.status_mark.upper(), _MARK_LIMIT)
        block += [Spacer(0, 7), Stamp(mark, theme.TONES[document.status_tone])]
    return block


def _bill_to(document: PrintableDocument) -> list[Flowable]:
    block: list[Flowable] = [
        paragraph("BILL TO", theme.LABEL),
        paragraph(one_line(document.customer_name, _NAME_LIMIT), theme.CUSTOMER),
    ]
    if document.attention:
        block.append(paragraph(one_line(f"Attn. {document.attention}", _NAME_LIMIT), theme.BODY))
    return [*block, *_address(document.billing_address, theme.BODY)]


def _address(lines: tuple[str, ...], style: object) -> list[Flowable]:
    printed = [one_line(line, _LINE_LIMIT) for line in lines]
    return [paragraph(line, style) for line in printed if line][:_ADDRESS_LINES]


def _dates(document: PrintableDocument) -> Table:
    rows = [("Date", numbers.day(document.date))]
    if document.end_date:
        rows.append((document.end_date_label, numbers.day(document.end_date)))
    if document.reference_number:
        rows.append(("Reference", document.reference_number))
    cells = [
        [
            paragraph(one_line(label, _LINE_LIMIT), theme.META_LABEL),
            paragraph(one_line(value, _LINE_LIMIT), theme.META_VALUE),
        ]
        for label, value in rows
    ]
    style = [
        _TYPEFACE,
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, 0), 0),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -2), 0.5, theme.RULE),
    ]
    return Table(cells, colWidths=[75, 128], style=style, hAlign="RIGHT")
