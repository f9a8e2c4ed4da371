"""The form in which a document is written: what was typed made into what the API takes, and what it comes to.

Guarantee: rows that were left empty are no lines; everything else is judged by the API's schema and the use case alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from servicekit.errors import Problem
from servicekit.fields import Body
from servicekit.pages import Form
from servicekit.pagination import PageRequest
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import line_items
from invoice_service.customers import queries as customers
from invoice_service.documents.queries import WholeDocument
from invoice_service.documents.schemas import details
from invoice_service.items import queries as items
from invoice_service.items.models import Item
from invoice_service.line_items import LineItemBody, plain, unit_price
from invoice_service.organizations.models import Organization
from invoice_service.totals import DocumentTotals

ITEMS_OFFERED = 12
CUSTOMERS_OFFERED = 20

_LINE = ("item_id", "name", "description", "unit", "quantity", "rate", "discount_percentage", "tax_percentage")
_MAY_BE_LEFT_OUT = ("item_id", "quantity", "discount_percentage", "tax_percentage")
_ZERO_IF_EMPTY = ("discount_percentage", "discount_amount", "adjustment")
_OF_THE_PAGE = ("do", "find_item", "due_date_was")
_EDITED = (
    "contact_person_id",
    "date",
    "reference_number",
    "currency_code",
    "discount_percentage",
    "discount_amount",
    "adjustment",
    "adjustment_description",
    "notes",
    "terms",
)
_EMPTY_ROW = {"quantity": "1"}

Row = Mapping[str, str]


class _Amounts(Body):
    """What totals follow from."""

    line_items: list[LineItemBody]
    discount_percentage: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """What has been typed so far comes to, or why it comes to nothing. ``items``: row → its item total."""

    currency_code: str
    amounts: DocumentTotals | None = None
    items: Mapping[int, Decimal] | None = None
    reason: str = ""


def blank(organization: Organization, customer_id: str, currency_code: str, today: str) -> Form:
    """The form of a new document, with one empty line."""
    typed = {
        "customer_id": customer_id,
        "currency_code": currency_code,
        "date": today,
        "notes": organization.default_notes,
        "terms": organization.default_terms,
    }
    return with_rows(Form(typed), [_EMPTY_ROW])


def saved(whole: WholeDocument[Any], further: Sequence[str]) -> dict[str, Any]:
    """The document as its form shows it; ``further``: fields of its kind alone."""
    document, detailed = whole.document, details(whole)
    values = {name: detailed[name] if name in detailed else getattr(document, name) for name in (*_EDITED, *further)}
    lines = [line.model_dump(include=set(_LINE)) for line in detailed["line_items"]]
    written = {name: plain(getattr(document, name)) for name in _ZERO_IF_EMPTY}
    return values | written | {"date": document.date.isoformat(), "line_items": lines}


def form_of(whole: WholeDocument[Any], further: Sequence[str]) -> Form:
    """The form of a document that is there."""
    return Form.of(saved(whole, further), whole.document.version)


def rows_of(form: Form) -> list[dict[str, str]]:
    """The lines as they were typed."""
    return [{name: form[f"line_items.{row}.{name}"] for name in _LINE} for row in range(form.rows("line_items"))]


def with_rows(form: Form, rows: Sequence[Row]) -> Form:
    """The same form with these lines."""
    typed = {name: text for name, text in form.typed.items() if not name.startswith("line_items.")}
    for number, row in enumerate(rows):
        typed |= {f"line_items.{number}.{name}": row.get(name, "") for name in _LINE}
    return replace(form, typed=typed)


def without_empty_rows(form: Form) -> Form:
    """The same form without lines that nothing was typed into; one stays, to be filled in."""
    rows = rows_of(form)
    return with_rows(form, [row for row in rows if not _is_empty(row)] or rows[:1] or [_EMPTY_ROW])


def sent(form: Form, *leaving_out: str) -> Form:
    """The form as the API's schemas take it, without ``leaving_out``."""
    unsent = {*_OF_THE_PAGE, *leaving_out}
    typed = {name: text for name, text in form.typed.items() if name not in unsent}
    typed = {name: text for name, text in typed.items() if text.strip() or not _left_out(name)}
    for name in _ZERO_IF_EMPTY:
        if not typed.get(name, "").strip():
            typed[name] = "0"
    return replace(form, typed=typed)


async def acted_on(session: AsyncSession, organization: Organization, form: Form) -> Form:
    """The form after one of its buttons: ``add`` a line, ``remove.<row>``, or ``item.<id>`` made a line."""
    what, _, which = form["do"].partition(".")
    rows: list[Row] = list(rows_of(form))
    if what == "remove" and which.isdecimal() and int(which) < len(rows):
        del rows[int(which)]
    elif what == "item":
        found = await items.get_many(session, organization.id, [which])
        rows = [row for row in rows if not _is_empty(row)]
        rows += [_of_item(item, organization, form["currency_code"]) for item in found.values()]
    elif what == "add":
        rows.append(_EMPTY_ROW)
    return with_rows(form, rows or [_EMPTY_ROW])


def totals_of(form: Form, currency_code: str) -> Totals:
    """What has been typed so far comes to: rows that are not complete yet count as nothing."""
    typed = rows_of(form)
    numbers = [number for number, row in enumerate(typed) if not _is_empty(row)]
    rows = [typed[number] | {"name": "-", "rate": typed[number]["rate"].strip() or "0"} for number in numbers]
    whole = Form({name: form[name] for name in _ZERO_IF_EMPTY})
    try:
        body = sent(with_rows(whole, rows)).parse(_Amounts) if rows else _Amounts(line_items=[])
        lines, amounts = line_items.compute(
            [line.model_dump() for line in body.line_items],
            currency_code,
            **body.model_dump(include=set(_ZERO_IF_EMPTY)),
        )
    except Problem as problem:
        return Totals(currency_code, reason=_told(problem, numbers))
    return Totals(
        currency_code, amounts, {number: line.item_total for number, line in zip(numbers, lines, strict=True)}
    )


async def choices(
    session: AsyncSession, organization: Organization, customer_id: str, find_item: str
) -> dict[str, Any]:
    """What the form offers: the customer with contact persons, and items. Raises `CustomerNotFound`."""
    offered, _ = await items.page(
        session, organization.id, PageRequest(limit=ITEMS_OFFERED, after=None), q=find_item.strip() or None
    )
    customer = await customers.get(session, organization.id, customer_id)
    return {
        "customer": customer.customer,
        "persons": [(person.id, person.full_name or person.email) for person in customer.persons],
        "offered": offered,
        "own_currency": organization.currency_code,
        "find_item": find_item,
    }


def _left_out(name: str) -> bool:
    return name.startswith("line_items.") and name.rpartition(".")[2] in _MAY_BE_LEFT_OUT


def _is_empty(row: Row) -> bool:
    return not any(row.get(name, "").strip() for name in ("item_id", "name", "description", "rate"))


def _of_item(item: Item, organization: Organization, currency_code: str) -> Row:
    own = currency_code == organization.currency_code
    return {
        "item_id": item.id,
        "name": item.name,
        "description": item.description,
        "unit": item.unit,
        "quantity": "1",
        "rate": unit_price(item.rate, currency_code) if own else "",
        "tax_percentage": plain(item.tax_percentage),
    }


def _told(problem: Problem, numbers: Sequence[int]) -> str:
    for fault in problem.errors:
        field, message = str(fault["field"]), str(fault["message"])
        first, _, rest = field.partition(".")
        row, _, name = rest.partition(".")
        if first == "line_items" and row.isdecimal() and int(row) < len(numbers):
            return f"Line {numbers[int(row)] + 1}, {name.replace('_', ' ')}: {message}"
        return f"{field.replace('_', ' ').capitalize()}: {message}"
    return problem.detail
