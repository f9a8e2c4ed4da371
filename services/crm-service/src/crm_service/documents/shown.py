"""What Invoice writes as text, as pages show it: amounts and rates as numbers, days and moments as such."""

import datetime
from decimal import Decimal
from typing import Any

_NUMBERS = frozenset(
    {
        "sub_total",
        "discount_total",
        "tax_total",
        "total",
        "balance",
        "amount_paid",
        "discount_percentage",
        "discount_amount",
        "document_discount",
        "adjustment",
        "quantity",
        "rate",
        "tax_percentage",
        "item_total",
        "taxable",
        "tax",
    }
)
_DAYS = frozenset({"date", "due_date", "expiry_date"})
_MOMENTS = frozenset({"at", "created_at", "updated_at"})


def shown(written: Any) -> Any:
    """The same document or preview with its values."""
    if isinstance(written, dict):
        return {name: _value(name, value) for name, value in written.items()}
    if isinstance(written, list):
        return [shown(each) for each in written]
    return written


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if name in _NUMBERS:
            return Decimal(value)
        if name in _DAYS:
            return datetime.date.fromisoformat(value)
        if name in _MOMENTS:
            return datetime.datetime.fromisoformat(value)
    return shown(value)
