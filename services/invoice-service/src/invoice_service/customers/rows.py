"""Rows by many ids."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, JSON, ColumnElement, Select, String, any_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession


def among(session: AsyncSession, column: ColumnElement[Any], texts: Collection[str]) -> ColumnElement[bool]:
    """The column is one of the texts, sent as one parameter: thousands of them take longer to send than to look up.

    On PostgreSQL an array and not rows: without statistics, as in a first import, rows are joined in a nested loop.
    """
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(texts), ARRAY(String)))
    return column.in_(each(session, texts))


def each(session: AsyncSession, texts: Collection[str]) -> Select[str]:
    """The texts as rows, sent as one parameter."""
    each = func.json_each if session.get_bind().dialect.name == "sqlite" else func.json_array_elements_text
    return select(each(literal(list(texts), JSON)).table_valued("value").c.value)
