"""The look: measures in points, colours, paragraph styles. A4, one accent colour, hairlines, much white."""

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from invoice_service.pdf.document import StampTone
from invoice_service.pdf.typefaces import BOLD, REGULAR

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 18 * mm
CONTENT_WIDTH = PAGE_WIDTH - 2 * MARGIN
BAND_HEIGHT = 2.2 * mm

INK = HexColor(0x1B2430)
MUTED = HexColor(0x667080)
ACCENT = HexColor(0x1F5C7A)
TINT = HexColor(0xEEF3F6)
RULE = HexColor(0xDCE2E8)
PAPER = white
TONES: dict[StampTone, Color] = {
    StampTone.NEUTRAL: HexColor(0x7A8594),
    StampTone.GOOD: HexColor(0x2E7D4F),
    StampTone.WARNING: HexColor(0xB7791F),
    StampTone.BAD: HexColor(0xB23B3B),
}


def _style(
    name: str,
    size: float,
    *,
    bold: bool = False,
    color: Color = INK,
    leading: float = 1.4,
    alignment: int = TA_LEFT,
    before: float = 0,
    after: float = 0,
) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * leading,
        textColor=color,
        alignment=alignment,
        spaceBefore=before,
        spaceAfter=after,
        splitLongWords=1,
    )


ORGANIZATION = _style("organization", 13, bold=True, leading=1.25, after=3)
SMALL = _style("small", 8.5, color=MUTED)
TITLE = _style("title", 25, bold=True, color=ACCENT, alignment=TA_RIGHT, leading=1.0, after=9)
NUMBER = _style("number", 10, alignment=TA_RIGHT, color=MUTED)
LABEL = _style("label", 7.5, bold=True, color=MUTED, after=3)
CUSTOMER = _style("customer", 11, bold=True, leading=1.3, after=3)
BODY = _style("body", 9)
META_LABEL = _style("meta label", 8.5, color=MUTED)
META_VALUE = _style("meta value", 8.5, alignment=TA_RIGHT)
HEADING = _style("heading", 7.5, bold=True, color=MUTED, after=3)
HEADING.keepWithNext = 1
NOTE = _style("note", 8.5, leading=1.5, after=12)
ITEM = _style("item", 9, leading=1.35)
DESCRIPTION = _style("description", 8, color=MUTED, leading=1.4)
