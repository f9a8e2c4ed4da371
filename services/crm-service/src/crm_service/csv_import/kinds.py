"""What can be imported, and turning cells into values by the schema that POST has."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from servicekit.errors import from_validation
from servicekit.fields import Body
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.csv_import.report import Row, RowErrors
from crm_service.csv_import.table import Table
from crm_service.settings import CrmSettings

Resolve = Callable[[AsyncSession, Sequence[Row], RowErrors, CrmSettings], Awaitable[None]]
"""Replaces what rows refer to by ids, in bulk, and holds it until the transaction ends; collects what is not there."""

Insert = Callable[[AsyncSession, Sequence[dict[str, Any]]], Awaitable[list[str]]]
"""Makes records of complete values, in bulk, and gives their ids."""


@dataclass(frozen=True)
class Kind:
    """A kind of record that can be imported.

    ``schema``: what a POST of one takes; its fields are the columns, those of an address as ``billing_address.city``.
    ``lookups``: columns besides, by which `resolve` finds what is referred to.
    """

    noun: str
    schema: type[Body]
    resolve: Resolve
    insert: Insert
    lookups: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """All columns that may come."""
        names = []
        for name, parts in self._fields():
            names += [f"{name}.{part}" for part in parts] if parts else [name]
        return [*names, *self.lookups]

    @property
    def required(self) -> list[str]:
        """The columns that must come."""
        return [name for name, field in self.schema.model_fields.items() if field.is_required()]

    def _fields(self) -> list[tuple[str, list[str]]]:
        fields = []
        for name, field in self.schema.model_fields.items():
            annotation = field.annotation
            nested = isinstance(annotation, type) and issubclass(annotation, BaseModel)
            fields.append((name, list(annotation.model_fields) if nested else []))  # type: ignore[union-attr]
        return fields

    def complete(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The values of the rows, with the schema's defaults for what they leave open."""
        blank = self.schema.model_construct().model_dump()
        nested = [name for name, value in blank.items() if isinstance(value, dict)]
        completed = []
        for row in rows:
            values = blank | row.values
            for name in nested:
                values[name] = blank[name] | values[name]
            completed.append(values)
        return completed

    def read(self, body: bytes) -> tuple[list[Row], RowErrors, int]:
        """The valid rows of a file, what is wrong with the others, and how many there are in all.

        Raises what `Table` raises. Takes seconds for 100,000 rows: run it in a thread.
        """
        table = Table(body, columns=self.columns, required=self.required)
        required, errors, rows = set(self.required), RowErrors(), []
        width = len(table.header)
        for line, cells in table.rows():
            if len(cells) != width:
                errors.add(line, "", f"the row has {len(cells)} cells, the header has {width}")
                continue
            found = {
                name: cell for name, cell in zip(table.header, cells, strict=True) if name in required or cell.strip()
            }
            if (row := self._row(line, found, errors)) is not None:
                rows.append(row)
        return rows, errors, table.count

    def _row(self, line: int, cells: dict[str, str], errors: RowErrors) -> Row | None:
        looked_up = {name: cells.pop(name).strip() for name in self.lookups if name in cells}
        values: dict[str, Any] = {}
        for column, cell in cells.items():
            name, _, part = column.partition(".")
            if part:
                values.setdefault(name, {})[part] = cell
            else:
                values[name] = cell
        with errors.of(line):
            try:
                valid = self.schema.model_validate(values)
            except ValidationError as error:
                raise from_validation(error.errors(include_url=False)) from None
            return Row(line, valid.model_dump(exclude_unset=True) | looked_up)
        return None
