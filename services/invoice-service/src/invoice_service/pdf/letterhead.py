"""The upper part of the first page: who writes, what it is, to whom, and when."""

from dataclasses import replace

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import Mark, Printable, PrintableDocument, PrintableStatement
from invoice_service.pdf.flow import Block, Setting, Sheet, baseline, beside, label, setting, stack
from invoice_service.pdf.logo import Logo
from invoice_service.pdf.pen import Pen
from invoice_service.pdf.shaping import SANS_ONLY, width
from invoice_service.pdf.text import one_line
from invoice_service.pdf.wrapping import single

# The letterhead stays on one page whatever is typed: so many characters of a text, so many lines of an address.
NAME_LIMIT = 240
LINE_LIMIT = 120
_ADDRESS_LINES = 8
_DETAIL_LINES = 6
_GUTTER = 16.0
_META_WIDTH = 214.0
_LABEL_WIDTH, _LABEL_GAP = 120.0, 8.0
_STAMP_HEIGHT = 16.0
_STAMP_PAD = 7.0
_STAMP_SPACING = 0.9


def letterhead(printable: Printable, sheet: Sheet) -> Block:
    """The block down to where the table begins."""
    half = sheet.room / 2
    left, right = half + 20 - _GUTTER, half - 20
    top = beside(_organization(printable, left), _title(printable, sheet, theme.MARGIN + half + 20, right))
    meta_x = sheet.width - theme.MARGIN - _META_WIDTH
    middle = beside(
        _bill_to(printable, sheet, sheet.room - _META_WIDTH - 2 * _GUTTER), _dates(printable, sheet, meta_x)
    )
    return stack(4.0, top, 22.0, middle, 18.0)


def _organization(printable: Printable, room: float) -> Block:
    logo = Logo.read(printable.logo)
    picture: list[Block | float] = [_picture(logo), 10.0] if logo else []
    name = setting(one_line(printable.organization_name, NAME_LIMIT), theme.ORGANIZATION, theme.MARGIN, room)
    address = _address(printable.organization_address, _ADDRESS_LINES, theme.SMALL, room)
    details = _address(printable.organization_details, _DETAIL_LINES, theme.SMALL, room)
    gap = [4.0] if details else []
    return stack(*picture, name, 3.0, *address, *gap, *details)


def _picture(logo: Logo) -> Block:
    def draw(pen: Pen, top: float) -> None:
        pen.image(logo.image, theme.MARGIN, top - logo.height, logo.width, logo.height)

    return Block(logo.height, draw)


def title_word(printable: Printable, sheet: Sheet) -> str:
    """Estimate, Invoice or Statement in the document's language."""
    return sheet.language["statement" if isinstance(printable, PrintableStatement) else printable.kind]


def _title(printable: Printable, sheet: Sheet, x: float, room: float) -> Block:
    title = sheet.language.upper(title_word(printable, sheet))
    longest = max(width(word, theme.TITLE.bold) for word in title.split()) / 1000
    size = min(theme.TITLE.size, room / longest - 0.1)
    style = replace(theme.TITLE, size=size, leading=size * 1.16)
    parts: list[Setting | Block | float] = [setting(title, style, x, room, "end")]
    if isinstance(printable, PrintableDocument):
        parts.append(setting(one_line(printable.number, LINE_LIMIT), theme.NUMBER, x, room, "end"))
        if printable.mark:
            parts += [6.0, _stamp(printable.mark, sheet, x, room)]
    return stack(*parts)


def _stamp(mark: Mark, sheet: Sheet, x: float, room: float) -> Block:
    """The status as a small outlined label, flush with the title."""
    color = theme.MARKS[mark]
    style = theme.Style(theme.MARK.size, theme.MARK.leading, bold=True, color=color)
    word = single(sheet.language.mark(mark), style, room)
    spacing = _STAMP_SPACING if SANS_ONLY.fullmatch(word.text) else 0.0
    wide = word.width + spacing * (len(word.text) - 1) + 2 * _STAMP_PAD
    left = x + room - wide

    def draw(pen: Pen, top: float) -> None:
        pen.frame(left, top - _STAMP_HEIGHT, wide, _STAMP_HEIGHT, color, 3)
        at = baseline(top - (_STAMP_HEIGHT - style.leading) / 2, style)
        pen.line(word, style, left + _STAMP_PAD, at, wide - 2 * _STAMP_PAD, "left", spacing)

    return Block(_STAMP_HEIGHT, draw)


def _bill_to(printable: Printable, sheet: Sheet, room: float) -> Block:
    x, words = theme.MARGIN, sheet.language
    parts: list[Setting | Block | float] = [
        label(words.upper(words["bill_to"]), theme.LABEL, x, room),
        3.0,
        setting(one_line(printable.customer_name, NAME_LIMIT), theme.CUSTOMER, x, room),
    ]
    if printable.attention.strip():
        attention = one_line(f"{words['attention']} {printable.attention}", NAME_LIMIT)
        parts.append(setting(attention, theme.BODY, x, room))
    return stack(*parts, *_address(printable.billing_address, _ADDRESS_LINES, theme.BODY, room))


def _address(lines: tuple[str, ...], most: int, style: theme.Style, room: float) -> list[Setting]:
    printed = [one_line(line, LINE_LIMIT) for line in lines]
    return [setting(line, style, theme.MARGIN, room) for line in printed if line][:most]


def _dates(printable: Printable, sheet: Sheet, x: float) -> Block:
    words, locale = sheet.language, sheet.language.locale
    if isinstance(printable, PrintableStatement):
        period = f"{numbers.day(printable.date_from, locale)} – {numbers.day(printable.date_to, locale)}"
        rows = [(words["period"], period)]
    else:
        rows = [(words["date"], numbers.day(printable.date, locale))]
        if printable.end_date:
            end = "expiry_date" if printable.kind == "estimate" else "due_date"
            rows.append((words[end], numbers.day(printable.end_date, locale)))
        if printable.reference_number.strip():
            rows.append((words["reference"], printable.reference_number))
    blocks = [
        _date(heading, value, x, last=position == len(rows) - 1) for position, (heading, value) in enumerate(rows)
    ]
    return stack(*blocks)


def _date(heading: str, value: str, x: float, *, last: bool) -> Block:
    label_room = min(width(heading, False) * theme.META_LABEL.size / 1000 + _LABEL_GAP, _LABEL_WIDTH)
    room = _META_WIDTH - label_room
    row = beside(
        label(heading, theme.META_LABEL, x, label_room),
        setting(one_line(value, LINE_LIMIT), theme.META_VALUE, x + label_room, room, "end"),
    )
    height = row.height + 8.0

    def draw(pen: Pen, top: float) -> None:
        row.draw(pen, top - 3.5)
        if not last:
            pen.rule(x, top - height, _META_WIDTH, theme.RULE)

    return Block(height, draw)
