"""Forms of estimates and invoices: what is typed made into what may be sent, and a document made into its form."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from servicekit.pages import Form

from crm_service.documents.models import Kind
from crm_service.documents.schemas import EstimateEdit, InvoiceEdit, NewEstimate, NewInvoice

Json = dict[str, Any]

NEW: Mapping[Kind, type[NewEstimate] | type[NewInvoice]] = {"estimate": NewEstimate, "invoice": NewInvoice}
EDIT: Mapping[Kind, type[EstimateEdit] | type[InvoiceEdit]] = {"estimate": EstimateEdit, "invoice": InvoiceEdit}
END: Mapping[Kind, str] = {"estimate": "expiry_date", "invoice": "due_date"}
KEY, MORE = "idempotency_key", "more"
"""Fields that are about the form: the key that a new document is made under, and the wish for one more line."""

_OF_LINES = (
    "item_id",
    "name",
    "description",
    "unit",
    "quantity",
    "rate",
    "discount_percentage",
    "tax_percentage",
)
_OF_ALL = (
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
_NOTHING_IS_ZERO = frozenset({"discount_percentage", "discount_amount", "adjustment", "tax_percentage"})
_SAYS_SOMETHING = ("name", "description", "rate", "item_id")
_FIRST_LINE = {"quantity": "1"}


def editable(kind: Kind, document: Mapping[str, Any]) -> Json:
    """What a form shows of a document as Invoice writes it."""
    lines = [{name: line.get(name) for name in _OF_LINES} for line in document.get("line_items", [])]
    return {name: document.get(name) for name in (*_OF_ALL, END[kind])} | {"line_items": lines}


def tidy(form: Form) -> Form:
    """The same form without lines in which nothing stands; the others are numbered anew."""
    typed = {name: text for name, text in form.typed.items() if not name.startswith("line_items.")}
    kept = [line for line in _lines(form) if any(line.get(name, "").strip() for name in _SAYS_SOMETHING)]
    for number, line in enumerate(kept):
        typed |= {f"line_items.{number}.{name}": text for name, text in line.items()}
    return replace(form, typed=typed)


def with_one_more_line(form: Form) -> Form:
    """The same form with an empty line at its end."""
    number = form.rows("line_items")
    return replace(
        form, typed={**form.typed, **{f"line_items.{number}.{name}": text for name, text in _FIRST_LINE.items()}}
    )


def with_a_line(form: Form) -> Form:
    """The same form; an empty line, if it has none."""
    return form if form.rows("line_items") else with_one_more_line(form)


def new(form: Form, kind: Kind) -> Json:
    """What a tidy form asks for, as creating takes it. Raises `Invalid`."""
    typed = {name: text for name, text in _settled(form).items() if text.strip() or name.startswith("line_items.")}
    return _parsed(replace(form, typed=typed), NEW[kind])


def changes(form: Form, kind: Kind, document: Mapping[str, Any]) -> Json:
    """What a tidy form makes different in the document, as editing takes it. Raises `Invalid`."""
    before = Form.of(editable(kind, document)).typed
    typed = _settled(form)
    fields = {name.partition(".")[0] for name in {*typed, *before} if typed.get(name, "") != before.get(name, "")}
    sent = {name: text for name, text in typed.items() if name.partition(".")[0] in fields}
    if not sent and not fields:
        return {}
    if "line_items" in fields and not form.rows("line_items"):
        return _parsed(replace(form, typed=sent), NEW[kind])  # refuses it: a document has at least one line
    return _parsed(replace(form, typed=sent), EDIT[kind])


def half_written(form: Form, kind: Kind) -> Json:
    """What a tidy form that someone is writing comes to: names and numbers that are not there yet are no fault.

    Raises `Invalid`.
    """
    typed = dict(form.typed)
    for number in range(form.rows("line_items")):
        for name, text in (("name", "–"), ("quantity", "0"), ("rate", "0")):
            field = f"line_items.{number}.{name}"
            typed[field] = typed.get(field, "").strip() or text
    return new(replace(form, typed=typed), kind)


def _lines(form: Form) -> list[dict[str, str]]:
    return [
        {name: form[f"line_items.{number}.{name}"] for name in _OF_LINES if f"line_items.{number}.{name}" in form.typed}
        for number in range(form.rows("line_items"))
    ]


def _settled(form: Form) -> dict[str, str]:
    """Without what is about the form, and an empty discount or tax as none."""
    typed = {name: text for name, text in form.typed.items() if name not in {KEY, MORE}}
    return {name: "0" if _is_nothing(name, text) else text for name, text in typed.items()}


def _is_nothing(name: str, text: str) -> bool:
    return not text.strip() and name.rpartition(".")[2] in _NOTHING_IS_ZERO


def _parsed(form: Form, schema: type[BaseModel]) -> Json:
    sent: Json = form.parse(schema).model_dump(mode="json", exclude_unset=True)
    for line in sent.get("line_items", ()):
        if line.get("item_id") is None:
            line.pop("item_id", None)
    return sent
