"""The upper part of the first page: who writes, what it is, to whom, and when."""

from dataclasses import replace

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import Mark, Printable, PrintableDocument, PrintableStatement
from invoice_service.pdf.flow import Block, Setting, Sheet, baseline, beside, label, setting, stack
from invoice_service.pdf.letterhead_texts import META_WIDTH, Fitted, label_room, letterhead_texts, title_column
from invoice_service.pdf.logo import Logo
from invoice_service.pdf.pen import Pen
from invoice_service.pdf.shaping import SANS_ONLY, width
from invoice_service.pdf.wrapping import single

_STAMP_HEIGHT = 16.0
_STAMP_PAD = 7.0
_STAMP_SPACING = 0.9


def letterhead(printable: Printable, sheet: Sheet) -> Block:
    """The block down to where the table begins."""
    texts = letterhead_texts(printable, sheet)
    top = beside(_organization(printable, texts), _title(printable, sheet, texts))
    middle = beside(_bill_to(sheet, texts), _dates(printable, sheet, texts))
    return stack(4.0, top, 22.0, middle, 18.0)


def _organization(printable: Printable, texts: dict[str, Fitted]) -> Block:
    logo = Logo.read(printable.logo)
    picture: list[Block | float] = [_picture(logo), 10.0] if logo else []
    details = texts["organization_details"].setting
    gap = [4.0] if details.lines else []
    name, address = texts["organization_name"].setting, texts["organization_address"].setting
    return stack(*picture, name, 3.0, address, *gap, details)


def _picture(logo: Logo) -> Block:
    def draw(pen: Pen, top: float) -> None:
        pen.image(logo.image, theme.MARGIN, top - logo.height, logo.width, logo.height)

    return Block(logo.height, draw)


def title_word(printable: Printable, sheet: Sheet) -> str:
    """Estimate, Invoice or Statement in the document's language."""
    return sheet.language["statement" if isinstance(printable, PrintableStatement) else printable.kind]


def _title(printable: Printable, sheet: Sheet, texts: dict[str, Fitted]) -> Block:
    x, room = title_column(sheet)
    title = sheet.language.upper(title_word(printable, sheet))
    longest = max(width(word, theme.TITLE.bold) for word in title.split()) / 1000
    size = min(theme.TITLE.size, room / longest - 0.1)
    style = replace(theme.TITLE, size=size, leading=size * 1.16)
    parts: list[Setting | Block | float] = [setting(title, style, x, room, "end")]
    if isinstance(printable, PrintableDocument):
        parts.append(texts["number"].setting)
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


def _bill_to(sheet: Sheet, texts: dict[str, Fitted]) -> Block:
    words = sheet.language
    heading = label(words.upper(words["bill_to"]), theme.LABEL, theme.MARGIN, sheet.room - META_WIDTH)
    return stack(heading, 3.0, *(texts[field].setting for field in ("customer_name", "attention", "billing_address")))


def _dates(printable: Printable, sheet: Sheet, texts: dict[str, Fitted]) -> Block:
    words, locale = sheet.language, sheet.language.locale
    x = sheet.width - theme.MARGIN - META_WIDTH
    rows: list[tuple[str, Setting]] = []

    def say(word: str, value: str) -> None:
        taken = label_room(words[word])
        rows.append((words[word], setting(value, theme.META_VALUE, x + taken, META_WIDTH - taken, "end")))

    if isinstance(printable, PrintableStatement):
        say("period", f"{numbers.day(printable.date_from, locale)} – {numbers.day(printable.date_to, locale)}")
    else:
        say("date", numbers.day(printable.date, locale))
        if printable.end_date:
            end = "expiry_date" if printable.kind == "estimate" else "due_date"
            say(end, numbers.day(printable.end_date, locale))
        if texts["reference_number"].setting.lines:
            rows.append((words["reference"], texts["reference_number"].setting))
    return stack(*(_date(heading, value, x, last=value is rows[-1][1]) for heading, value in rows))


def _date(heading: str, value: Setting, x: float, *, last: bool) -> Block:
    row = beside(label(heading, theme.META_LABEL, x, label_room(heading)), value)
    height = row.height + 8.0

    def draw(pen: Pen, top: float) -> None:
        row.draw(pen, top - 3.5)
        if not last:
            pen.rule(x, top - height, META_WIDTH, theme.RULE)

    return Block(height, draw)
