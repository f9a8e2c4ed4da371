"""What the pages of estimates and invoices share: their words, what a list is narrowed to, what follows what."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends
from servicekit.errors import invalid_field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.allowed_actions import AllowedAction
from invoice_service.documents.models import D, Kind
from invoice_service.documents.queries import Filters, WholeDocument
from invoice_service.line_items import LineItem, plain


@dataclass(frozen=True)
class Words:
    """How pages speak of one kind of documents. ``end``: the field of the day it ends on, and its label."""

    one: str
    many: str
    path: str
    end: tuple[str, str]
    statuses: Sequence[str]


async def stamp_of_all(session: AsyncSession, kind: Kind[D]) -> str:
    """Another text after each change of any document of the kind: all of them stand in its history."""
    happened = kind.history.c
    # Several, since a transaction may be done after one that began later.
    latest = select(happened.id, happened.at).order_by(happened.id.desc()).limit(5)
    return ".".join(f"{entry}-{at.timestamp():.0f}" for entry, at in await session.execute(latest))


async def stamp_of_one(session: AsyncSession, kind: Kind[D], document_id: str) -> str:
    """Another text after each change of the document, and of its history."""
    happened = kind.history.c
    last = select(func.max(happened.id)).where(happened.document_id == document_id).scalar_subquery()
    row = (await session.execute(select(kind.model.version, last).where(kind.model.id == document_id))).first()
    return "gone" if row is None else f"{row[0]}.{row[1]}"


@dataclass(frozen=True)
class ShownFilters:
    """What a list's form asks for, as it was typed and as queries take it; an empty field asks for nothing."""

    q: str
    status: str
    customer_id: str
    date_from: str
    date_to: str

    @property
    def any(self) -> bool:
        """Whether the list is narrowed at all."""
        return any((self.q, self.status, self.customer_id, self.date_from, self.date_to))

    def wanted(self) -> Filters:
        """For the query. Raises `Invalid`."""
        return Filters(
            customer_ids=(self.customer_id,) if self.customer_id else (),
            date_from=day("date_from", self.date_from),
            date_to=day("date_to", self.date_to),
            q=self.q or None,
        )

    def status_of(self, words: Words) -> Any:
        """The status, if it is one of the kind's. Raises `Invalid`."""
        if self.status and self.status not in words.statuses:
            raise invalid_field("status", f"must be one of {', '.join(words.statuses)}")
        return self.status or None


def day(field: str, typed: str) -> datetime.date | None:
    """A date of a list's form. Raises `Invalid`."""
    try:
        return datetime.date.fromisoformat(typed) if typed else None
    except ValueError:
        raise invalid_field(field, "must be a date as YYYY-MM-DD") from None


async def _shown_filters(
    q: str = "", status: str = "", customer_id: str = "", date_from: str = "", date_to: str = ""
) -> ShownFilters:
    return ShownFilters(q.strip(), status, customer_id, date_from, date_to)


FiltersOfPage = Annotated[ShownFilters, Depends(_shown_filters)]


def customer_named(filters: ShownFilters, found: Sequence[D]) -> str:
    """The name of the customer that the list is narrowed to, as its documents say it."""
    return found[0].customer_name if filters.customer_id and found else ""


def reasons(actions: Iterable[AllowedAction]) -> dict[str, str | None]:
    """Action → why it cannot be done now; None if it can."""
    return {each.action: None if each.allowed else each.reason or "not possible now" for each in actions}


def shown_lines(lines: Iterable[LineItem]) -> list[dict[str, Any]]:
    """Lines as a page shows them: numbers without zeros that say nothing."""
    return [
        {
            "name": line.name,
            "description": line.description,
            "unit": line.unit,
            "quantity": _short(line.quantity),
            "rate": line.rate,
            "discount_percentage": _short(line.discount_percentage),
            "tax_percentage": _short(line.tax_percentage),
            "item_total": line.item_total,
        }
        for line in lines
    ]


def of_whole(whole: WholeDocument[D]) -> dict[str, Any]:
    """What the template of one document shows of it, whatever its kind."""
    return {
        "document": whole.document,
        "lines": shown_lines(whole.lines),
        "taxes": [(_short(row.tax_percentage), row.taxable, row.tax) for row in whole.amounts.taxes],
        "discount_percentage": _short(whole.document.discount_percentage),
        "history": whole.history[::-1],
    }


def _short(number: Decimal) -> Decimal:
    return Decimal(plain(number))
