"""The lower part of the last page: what it comes to, the notes, the terms."""

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import PrintableDocument, PrintableTax
from invoice_service.pdf.flow import Block, Flow, Setting, Sheet, label, setting, stack
from invoice_service.pdf.pen import Pen
from invoice_service.pdf.shaping import width
from invoice_service.pdf.text import one_line
from invoice_service.pdf.theme import Style
from invoice_service.pdf.wrapping import wrap

_PAD = 8.0
_LEAST_WIDTH = 225.0
LABEL_LIMIT = 60
_ROW_SPACE = 4.0

Sum = tuple[str, str, Style]


def sums(document: PrintableDocument, sheet: Sheet) -> list[Sum]:
    """What the lines come to, step by step: the words, the amount, how it is set."""
    words, locale, minor_unit = sheet.language, sheet.language.locale, document.minor_unit

    def plain(label: str, amount: str) -> Sum:
        return label, amount, theme.SUM

    # The column of amounts above is after discount: without the words a reader would add it up to another number.
    sub_total = words["sub_total_before_discount" if document.discount_total else "sub_total"]
    rows = [plain(sub_total, numbers.money(document.sub_total, minor_unit, locale))]
    on_lines = document.discount_total - document.document_discount
    if on_lines:
        rows.append(plain(words["discount"], numbers.money(-on_lines, minor_unit, locale)))
    if document.document_discount:
        rate = numbers.percentage(document.discount_percentage, locale)
        said = words["discount_at"].format(rate=rate) if document.discount_percentage else words["discount"]
        rows.append(plain(said, numbers.money(-document.document_discount, minor_unit, locale)))
    for tax in _worth_saying(document.taxes):
        rate = numbers.percentage_or_zero(tax.tax_percentage, locale)
        taxable = numbers.money(tax.taxable, minor_unit, locale)
        said = words["tax_on"].format(rate=rate, amount=taxable)
        rows.append(plain(said, numbers.money(tax.tax, minor_unit, locale)))
    if document.adjustment:
        said = one_line(document.adjustment_description, LABEL_LIMIT) or words["adjustment"]
        rows.append(plain(said, numbers.money(document.adjustment, minor_unit, locale)))
    code = one_line(document.currency_code, 3)
    total = numbers.money_with_currency(document.total, minor_unit, code, locale)
    rows.append((words["total"], total, theme.TOTAL))
    if document.amount_paid is not None and document.amount_paid:
        rows.append(plain(words["amount_paid"], numbers.money(-document.amount_paid, minor_unit, locale)))
    if document.balance is not None:
        balance = numbers.money_with_currency(document.balance, minor_unit, code, locale)
        rows.append((words["balance_due"], balance, theme.TOTAL))
    return rows


def sum_blocks(rows: list[Sum], sheet: Sheet) -> list[Block]:
    """Sums flush under the amounts, totals set off.

    One block, never divided between two pages; of very many tax rates row by row, of which the last goes with the total
    and what follows it.
    """
    value_width = max(width(value, style.bold) * style.size / 1000 for _, value, style in rows)
    label_width = max(width(words, style.bold) * style.size / 1000 for words, _, style in rows)
    wide = min(sheet.room, max(_LEAST_WIDTH, label_width + value_width + 4 * _PAD))
    x = sheet.width - theme.MARGIN - wide
    blocks = [_row(row, x, wide, value_width) for row in rows]
    if sum(block.height for block in blocks) <= sheet.height / 2:
        return [stack(*blocks)]
    total = next(position for position, (_, _, style) in enumerate(rows) if style is theme.TOTAL)
    return [*blocks[: total - 1], stack(*blocks[total - 1 :])]


def _row(row: Sum, x: float, wide: float, value_width: float) -> Block:
    words, value, style = row
    total = style is theme.TOTAL
    room = wide - value_width - 3 * _PAD
    said = setting(words, style if total else theme.SUM_LABEL, x + _PAD, room)
    amount = label(value, style, x + wide - value_width - _PAD, value_width + 0.5, "right")
    space = _ROW_SPACE + (7.0 if total else 0.0)
    height = max(said.height, amount.height) + space

    def draw(pen: Pen, top: float) -> None:
        if total:
            pen.box(x, top - height, wide, height, theme.TINT)
            pen.rule(x, top, wide, theme.ACCENT, 1)
        said.draw(pen, top - space / 2)
        amount.draw(pen, top - space / 2)

    return Block(height, draw)


def notes_and_terms(texts: tuple[tuple[str, str], ...], sheet: Sheet, flow: Flow) -> None:
    """Texts under their headings, as long as they are; nothing where there is none. A heading never stands alone."""
    for heading, text in texts:
        lines = wrap(text, theme.NOTE, sheet.room)
        if not lines:
            continue
        first = Setting(lines[:2], theme.NOTE, theme.MARGIN, sheet.room)
        flow.place(stack(label(sheet.language.upper(heading), theme.LABEL, theme.MARGIN, sheet.room), 3.0, first))
        for line in lines[2:]:
            flow.place(Setting([line], theme.NOTE, theme.MARGIN, sheet.room))
        flow.gap(14)


def _worth_saying(taxes: tuple[PrintableTax, ...]) -> tuple[PrintableTax, ...]:
    """Zero-rated sums are said beside others; where nothing is taxed, taxes are no subject at all."""
    return taxes if any(tax.tax_percentage for tax in taxes) else ()
