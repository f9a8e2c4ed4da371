"""A customer's statement: what was owed, invoiced, paid, and is owed now."""

from collections.abc import Iterator
from decimal import Decimal

from invoice_service.pdf import numbers, theme
from invoice_service.pdf.closing import Sum
from invoice_service.pdf.document import PrintableEntry, PrintableStatement
from invoice_service.pdf.flow import Sheet, setting
from invoice_service.pdf.table import PAD, Column, LongTable, Row, cell, number_column, places
from invoice_service.pdf.text import one_line

_MAIN = 1
_NUMBER_LIMIT = 120


def statement_table(statement: PrintableStatement, sheet: Sheet) -> tuple[LongTable, Iterator[Row]]:
    """Invoices and payments with the balance after each, and the rows: the opening balance is the first."""
    words, locale, minor_unit = sheet.language, sheet.language.locale, statement.minor_unit

    def money(amounts: list[Decimal | None]) -> list[str]:
        return [_money(amount, statement, sheet) for amount in amounts]

    balances = [statement.opening_balance, *(row.balance for row in statement.rows)]
    dates = [numbers.day(date, locale) for date in {row.date for row in statement.rows} | {statement.date_from}]
    headed = [
        number_column(words.upper(words["date"]), dates, 50),
        (words.upper(words["item"]), 0.0),
        number_column(words.upper(words["amount"]), money([row.amount for row in statement.rows]), 52),
        number_column(words.upper(words["payment"]), money([row.payment for row in statement.rows]), 52),
        number_column(
            words.upper(words["balance"]), [numbers.money(balance, minor_unit, locale) for balance in balances], 58
        ),
    ]
    columns = places(headed, _MAIN, sheet, numbers_from=2)
    return LongTable(sheet, columns), _rows(statement, sheet, columns)


def statement_sums(statement: PrintableStatement, sheet: Sheet) -> list[Sum]:
    """From the opening balance to the closing one."""
    words, locale, minor_unit = sheet.language, sheet.language.locale, statement.minor_unit
    code = one_line(statement.currency_code, 3)
    closing = numbers.money_with_currency(statement.closing_balance, minor_unit, code, locale)
    return [
        (words["opening_balance"], numbers.money(statement.opening_balance, minor_unit, locale), theme.SUM),
        (words["invoiced"], numbers.money(statement.invoiced, minor_unit, locale), theme.SUM),
        (words["received"], numbers.money(-statement.received, minor_unit, locale), theme.SUM),
        (words["closing_balance"], closing, theme.TOTAL),
    ]


def _rows(statement: PrintableStatement, sheet: Sheet, columns: list[Column]) -> Iterator[Row]:
    words, locale = sheet.language, sheet.language.locale
    item = columns[_MAIN]
    room = item.room - 2 * PAD
    opening = numbers.money(statement.opening_balance, statement.minor_unit, locale)
    yield Row(
        cells=((cell(numbers.day(statement.date_from, locale), columns[0]),), (cell(opening, columns[4]),)),
        main=(setting(words["opening_balance"], theme.ITEM, item.x + PAD, room),),
        carried=opening,
    )
    for row in statement.rows:
        balance = numbers.money(row.balance, statement.minor_unit, locale)
        figures = [_money(row.amount, statement, sheet), _money(row.payment, statement, sheet), balance]
        yield Row(
            cells=(
                (cell(numbers.day(row.date, locale), columns[0]),),
                *((cell(text, column),) for text, column in zip(figures, columns[2:], strict=True)),
            ),
            main=(
                setting(_said(row, sheet), theme.ITEM, item.x + PAD, room),
                setting(row.description, theme.DESCRIPTION, item.x + PAD, room),
            ),
            carried=balance,
        )


def _said(row: PrintableEntry, sheet: Sheet) -> str:
    return one_line(f"{sheet.language[row.kind]} {row.number}", _NUMBER_LIMIT)


def _money(amount: Decimal | None, statement: PrintableStatement, sheet: Sheet) -> str:
    return "" if amount is None else numbers.money(amount, statement.minor_unit, sheet.language.locale)
