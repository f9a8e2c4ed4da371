"""Keyset pages: the cost of a page does not grow with its depth."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import BigInteger, ColumnElement, Select, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from servicekit.errors import BadRequest

MAX_LIMIT = 200
ID_LENGTH = 36
"""Of the text of a UUID: a column of this length holds ids, and a cursor over it can be nothing else."""
_ID = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")

T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """One page of a list; ``next_cursor`` asks for the next one, and is null on the last."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True)
class PageRequest:
    """Which page is asked for: what comes after ``after`` (the last keys seen), ``limit`` rows at most."""

    limit: int
    after: tuple[str | int, ...] | None


async def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page")] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    """The page that the query string asks for. Raises `BadRequest` for a cursor that is not ours."""
    return PageRequest(limit=limit, after=None if cursor is None else decode_cursor(cursor))


PageQuery = Annotated[PageRequest, Depends(page_request)]


def encode_cursor(keys: Sequence[str | int]) -> str:
    """The cursor that stands for a row's keys."""
    return base64.urlsafe_b64encode(orjson.dumps(list(keys))).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[str | int, ...]:
    """The keys a cursor stands for. Raises `BadRequest`."""
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        keys = None
    if not isinstance(keys, list) or not keys or not all(_is_key(key) for key in keys):
        raise BadRequest(
            "cursor: not a next_cursor of ours; leave it out to begin at the first page", code="bad_cursor"
        )
    return tuple(keys)


def _is_key(key: object) -> bool:
    return type(key) is int or (isinstance(key, str) and "\x00" not in key)


def _largest(kind: TypeEngine[Any]) -> int:
    """The largest number that a column of this type holds on every database."""
    return 2**63 - 1 if isinstance(kind, BigInteger) else 2**31 - 1


async def fetch_page(
    session: AsyncSession,
    statement: Select[*tuple[Any, ...]],
    *,
    keys: Sequence[ColumnElement[Any] | Any],
    page: PageRequest,
    key_of: Callable[[Any], Sequence[str | int]],
    descending: bool = True,
) -> tuple[list[Any], str | None]:
    """One page of ``statement``, ordered by ``keys`` (together unique), and the cursor of the next page.

    ``key_of`` gives a row's keys. Rows are scalars where the statement selects one entity. The keys need an index in
    this order. Raises `BadRequest` if the cursor is of another list.
    """
    if page.after is not None:
        if len(page.after) != len(keys):
            raise BadRequest("cursor: it belongs to another list", code="bad_cursor")
        for key, value in zip(keys, page.after, strict=True):
            is_id = getattr(key.type, "length", None) == ID_LENGTH
            small = not isinstance(value, int) or abs(value) <= _largest(key.type)
            if key.type.python_type is not type(value) or not small or (is_id and not _ID.match(str(value))):
                raise BadRequest("cursor: it belongs to another list", code="bad_cursor")
        if len(keys) == 1:
            key, value = keys[0], page.after[0]
            statement = statement.where(key < value if descending else key > value)
        else:
            values = tuple_(*(literal(value, key.type) for key, value in zip(keys, page.after, strict=True)))
            statement = statement.where(tuple_(*keys) < values if descending else tuple_(*keys) > values)
    order = [key.desc() if descending else key.asc() for key in keys]
    result = await session.execute(statement.order_by(*order).limit(page.limit + 1))
    rows: list[Any] = list(result.scalars() if len(result.keys()) == 1 else result)
    if len(rows) <= page.limit:
        return rows, None
    rows = rows[: page.limit]
    return rows, encode_cursor(key_of(rows[-1]))
