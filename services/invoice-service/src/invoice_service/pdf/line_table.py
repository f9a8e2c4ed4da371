"""The lines of an estimate or invoice.

Columns that say nothing in this document (no line has a discount, none has a tax) are left out; the others are as wide
as their widest number, and the text has what remains.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.document import PrintableDocument, PrintableLine
from invoice_service.pdf.flow import Setting, Sheet, setting
from invoice_service.pdf.shaping import width
from invoice_service.pdf.table import PAD, Column, LongTable, Row, cell, number_column, places
from invoice_service.pdf.text import one_line
from invoice_service.pdf.wrapping import wrap

_POSITION_WIDTH = 26.0
UNIT_LIMIT = 40
_UNIT_WIDTH = 62.0
_MAIN = 1

_Written = Callable[[PrintableLine], str]


def line_table(document: PrintableDocument, sheet: Sheet) -> tuple[LongTable, Iterator[Row]]:
    """The table and its rows, which are laid out as they are taken."""
    written = _number_columns(document, sheet)
    lines = document.lines
    position_width = max(_POSITION_WIDTH, width(str(len(lines)), False) * theme.CELL.size / 1000 + 2 * PAD)
    headed = [("#", position_width), (sheet.language.upper(sheet.language["item"]), 0.0)]
    for heading, of, least in written:
        headed.append(number_column(sheet.language.upper(heading), (of(line) for line in lines), least))
    written_units = {one_line(line.unit, UNIT_LIMIT) for line in lines}
    units = max((width(unit, False) for unit in written_units), default=0.0) * theme.DESCRIPTION.size / 1000
    headed[2] = (headed[2][0], max(headed[2][1], min(units, _UNIT_WIDTH) + 2 * PAD))
    columns = places(headed, _MAIN, sheet, numbers_from=2)
    return LongTable(sheet, columns), _rows(document, sheet, columns, [of for _, of, _ in written])


def _number_columns(document: PrintableDocument, sheet: Sheet) -> list[tuple[str, _Written, float]]:
    words, locale, minor_unit = sheet.language, sheet.language.locale, document.minor_unit
    columns: list[tuple[str, _Written, float]] = [
        (words["quantity"], lambda line: numbers.quantity(line.quantity, locale), 28),
        (words["rate"], lambda line: numbers.rate(line.rate, minor_unit, locale), 42),
    ]
    if any(line.discount_percentage for line in document.lines):
        columns.append((words["discount_short"], lambda line: numbers.percentage(line.discount_percentage, locale), 22))
    if any(line.tax_percentage for line in document.lines):
        columns.append((words["tax"], lambda line: numbers.percentage(line.tax_percentage, locale), 22))
    return [*columns, (words["amount"], lambda line: numbers.money(line.item_total, minor_unit, locale), 58)]


def _rows(document: PrintableDocument, sheet: Sheet, columns: list[Column], written: list[_Written]) -> Iterator[Row]:
    item = columns[_MAIN]
    room, carried = item.room - 2 * PAD, Decimal(0)
    for position, line in enumerate(document.lines, start=1):
        carried += line.item_total
        figures: list[tuple[Setting, ...]] = [
            (cell(of(line), column),) for of, column in zip(written, columns[2:], strict=True)
        ]
        figures[0] += _unit(line, columns[2])
        main = (
            setting(line.name, theme.ITEM, item.x + PAD, room),
            setting(line.description, theme.DESCRIPTION, item.x + PAD, room),
        )
        yield Row(
            cells=((cell(str(position), columns[0], theme.POSITION),), *figures),
            main=main,
            carried=numbers.money(carried, document.minor_unit, sheet.language.locale),
        )


def _unit(line: PrintableLine, column: Column) -> tuple[Setting, ...]:
    """What is counted, in small letters under how many there are."""
    if not line.unit.strip():
        return ()
    room = column.room - 2 * PAD + 0.5
    lines = wrap(one_line(line.unit, UNIT_LIMIT), theme.DESCRIPTION, room)
    return (Setting(lines, theme.DESCRIPTION, column.x + PAD, room, "right"),)
