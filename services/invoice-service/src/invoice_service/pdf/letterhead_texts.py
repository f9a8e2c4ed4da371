"""The letterhead's texts, each in so many lines and no more: whatever is typed, the table begins on the same page.

What does not fit is left out, with an ellipsis; ``warnings`` say so.
"""

from dataclasses import dataclass

from invoice_service.pdf import theme
from invoice_service.pdf.document import Printable, PrintableDocument
from invoice_service.pdf.flow import Setting, Sheet
from invoice_service.pdf.pen import Align
from invoice_service.pdf.shaping import width
from invoice_service.pdf.text import is_cut, one_line
from invoice_service.pdf.theme import Style
from invoice_service.pdf.wrapping import ending, wrap

# More than the narrowest letters fill in any of the places below: so that nothing longer is set in lines at all.
_MOST_CHARACTERS = 1_000
_NAME_LINES = 4
_ATTENTION_LINES = 3
_NUMBER_LINES = 3
_ADDRESS_LINES = 8
_DETAIL_LINES = 6
_REFERENCE_LINES = 6
GUTTER = 16.0
META_WIDTH = 214.0
_LABEL_WIDTH, _LABEL_GAP = 120.0, 8.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text in its place; ``cut`` if not all of it is there."""

    setting: Setting
    cut: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A column from ``x``, ``room`` wide, with so many ``lines``, in points."""

    style: Style
    x: float
    room: float
    lines: int
    align: Align = "start"

    def fit(self, *texts: str) -> Fitted:
        """The texts below each other; those that say nothing take no room."""
        lines = [line for text in texts for line in wrap(one_line(text, _MOST_CHARACTERS), self.style, self.room)]
        cut = any(is_cut(text, _MOST_CHARACTERS) for text in texts)
        if len(lines) > self.lines:
            lines[self.lines - 1 :] = [ending(lines[self.lines - 1], self.style, self.room)]
            cut = True
        return Fitted(Setting(lines, self.style, self.x, self.room, self.align), cut)


def title_column(sheet: Sheet) -> tuple[float, float]:
    """Where the column of the title and the number begins, and its room."""
    half = sheet.room / 2
    return theme.MARGIN + half + 20, half - 20


def label_room(heading: str) -> float:
    """The room that a heading takes beside its date or reference."""
    return min(width(heading, False) * theme.META_LABEL.size / 1000 + _LABEL_GAP, _LABEL_WIDTH)


def letterhead_texts(printable: Printable, sheet: Sheet) -> dict[str, Fitted]:
    """The texts that people typed by field, each in its place."""
    x = theme.MARGIN
    title_x, title_room = title_column(sheet)
    left = title_x - GUTTER - x
    middle = sheet.room - META_WIDTH - 2 * GUTTER
    attention = f"{sheet.language['attention']} {printable.attention}" if printable.attention.strip() else ""
    texts = {
        "organization_name": Place(theme.ORGANIZATION, x, left, _NAME_LINES).fit(printable.organization_name),
        "organization_address": Place(theme.SMALL, x, left, _ADDRESS_LINES).fit(*printable.organization_address),
        "organization_details": Place(theme.SMALL, x, left, _DETAIL_LINES).fit(*printable.organization_details),
        "customer_name": Place(theme.CUSTOMER, x, middle, _NAME_LINES).fit(printable.customer_name),
        "attention": Place(theme.BODY, x, middle, _ATTENTION_LINES).fit(attention),
        "billing_address": Place(theme.BODY, x, middle, _ADDRESS_LINES).fit(*printable.billing_address),
    }
    if isinstance(printable, PrintableDocument):
        number = Place(theme.NUMBER, title_x, title_room, _NUMBER_LINES, "end")
        taken = label_room(sheet.language["reference"])
        meta_x = sheet.width - theme.MARGIN - META_WIDTH
        reference = Place(theme.META_VALUE, meta_x + taken, META_WIDTH - taken, _REFERENCE_LINES, "end")
        texts["number"] = number.fit(printable.number)
        texts["reference_number"] = reference.fit(printable.reference_number)
    return texts
