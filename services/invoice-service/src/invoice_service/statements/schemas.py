"""Statements and balances in JSON; amounts are decimal strings in the currency beside them."""

import datetime
from typing import Literal, Self

from pydantic import BaseModel

from invoice_service.line_items import money
from invoice_service.statements.queries import Balance, Statement


class EntryOut(BaseModel):
    """``amount`` raises the balance where ``kind`` is invoice, and lowers it where it is payment."""

    date: datetime.date
    kind: Literal["invoice", "payment"]
    id: str
    number: str
    description: str
    amount: str
    balance: str


class StatementOut(BaseModel):
    customer_id: str
    customer_name: str
    currency_code: str
    date_from: datetime.date
    date_to: datetime.date
    opening_balance: str
    entries: list[EntryOut]
    invoiced: str
    received: str
    closing_balance: str

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The statement as it is shown."""
        currency = statement.currency_code
        return cls(
            customer_id=statement.customer.id,
            customer_name=statement.customer.customer_name,
            currency_code=currency,
            date_from=statement.date_from,
            date_to=statement.date_to,
            opening_balance=money(statement.opening_balance, currency),
            entries=[
                EntryOut(
                    date=entry.date,
                    kind=entry.kind,
                    id=entry.id,
                    number=entry.number,
                    description=entry.description,
                    amount=money(entry.amount, currency),
                    balance=money(entry.balance, currency),
                )
                for entry in statement.entries
            ],
            invoiced=money(statement.invoiced, currency),
            received=money(statement.received, currency),
            closing_balance=money(statement.closing_balance, currency),
        )


class BalanceOut(BaseModel):
    """``receivable``: what is owed, ``overdue`` a part of it; ``credit``: what was paid and is not used yet."""

    currency_code: str
    receivable: str
    overdue: str
    credit: str

    @classmethod
    def of(cls, balance: Balance) -> Self:
        """The balance as it is shown."""
        amounts = {name: getattr(balance, name) for name in ("receivable", "overdue", "credit")}
        currency = balance.currency_code
        return cls(currency_code=currency, **{name: money(amount, currency) for name, amount in amounts.items()})


class BalancesOut(BaseModel):
    """One for each currency in which something is open."""

    customer_id: str
    balances: list[BalanceOut]
