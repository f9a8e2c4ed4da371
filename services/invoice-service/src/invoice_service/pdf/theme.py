"""The look: measures in points, colours, styles of text. One accent colour, hairlines, much white."""

from dataclasses import dataclass
from typing import Literal

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm

from invoice_service.pdf.document import Mark

SHEETS: dict[Literal["A4", "Letter"], tuple[float, float]] = {"A4": A4, "Letter": LETTER}
MARGIN: float = 18 * mm
FOOT = 58.0
BAND_HEIGHT = 2.2 * mm
LOGO_WIDTH, LOGO_HEIGHT = 150.0, 54.0

INK = HexColor(0x1B2430)
MUTED = HexColor(0x667080)
ACCENT = HexColor(0x1F5C7A)
TINT = HexColor(0xEEF3F6)
RULE = HexColor(0xDCE2E8)
PAPER = white
_NEUTRAL, _GOOD, _WARNING, _BAD = HexColor(0x7A8594), HexColor(0x2E7D4F), HexColor(0xB7791F), HexColor(0xB23B3B)
MARKS: dict[Mark, Color] = {
    Mark.DRAFT: _NEUTRAL,
    Mark.ACCEPTED: _GOOD,
    Mark.DECLINED: _BAD,
    Mark.EXPIRED: _WARNING,
    Mark.INVOICED: _GOOD,
    Mark.PAID: _GOOD,
    Mark.PARTIALLY_PAID: _WARNING,
    Mark.OVERDUE: _BAD,
    Mark.VOID: _BAD,
}


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set; ``leading`` is the distance of two baselines in points."""

    size: float
    leading: float
    bold: bool = False
    color: Color = INK


ORGANIZATION = Style(13, 16.5, bold=True)
SMALL = Style(8.5, 12, color=MUTED)
TITLE = Style(25, 29, bold=True, color=ACCENT)
NUMBER = Style(10, 14, color=MUTED)
LABEL = Style(7.5, 11.5, bold=True, color=MUTED)
CUSTOMER = Style(11, 15, bold=True)
BODY = Style(9, 12.6)
META_LABEL = Style(8.5, 12, color=MUTED)
META_VALUE = Style(8.5, 12)
HEAD = Style(7.5, 10, bold=True, color=PAPER)
CELL = Style(8.5, 12)
POSITION = Style(8.5, 12, color=MUTED)
ITEM = Style(9, 12.2)
DESCRIPTION = Style(8, 11.2, color=MUTED)
CARRIED = Style(8.5, 12, bold=True, color=MUTED)
SUM_LABEL = Style(9, 13, color=MUTED)
SUM = Style(9, 13)
TOTAL = Style(10.5, 14, bold=True, color=ACCENT)
NOTE = Style(8.5, 12.8)
FOOTER = Style(7.5, 10, color=MUTED)
MARK = Style(7.5, 10, bold=True)
