"""What an import finds: rows, and what is wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from servicekit.errors import Invalid

MOST_LISTED = 100
"""This many errors are listed; all are counted."""


class RowError(BaseModel):
    """``row``: the line of the file that the row begins at; the header is line 1."""

    row: int
    field: str
    message: str


class ImportReport(BaseModel):
    """``rows`` were read, ``created`` are (or with ``dry_run`` would be) made; ``ids`` of them, in the file's order.

    ``errors`` lists the first 100 of ``error_count``.
    """

    dry_run: bool
    rows: int
    created: int
    errors: list[RowError]
    error_count: int
    ids: list[str] | None = None


class RowsInvalid(Invalid):
    """Something is wrong with rows, so nothing was imported; the document holds the whole report."""

    code = "csv_rows_invalid"

    def __init__(self, report: ImportReport) -> None:
        first = report.errors[0]
        more = f" ({report.error_count - 1} more)" if report.error_count > 1 else ""
        where = f"row {first.row}, {first.field}" if first.field else f"row {first.row}"
        document = report.model_dump(exclude={"ids"})
        self.report = report
        super().__init__(f"nothing was imported: {where}: {first.message}{more}", **document)


@dataclass(slots=True)
class Row:
    """One row of the file: ``line`` it begins at, ``values`` of the cells that are not empty, validated."""

    line: int
    values: dict[str, Any]


@dataclass
class RowErrors:
    """Collects what is wrong: keeps the first hundred, counts all."""

    listed: list[RowError] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, column: str, message: str) -> None:
        """Something is wrong in this column of the row at ``line``."""
        self.count += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(RowError(row=line, field=column, message=message))

    @contextmanager
    def of(self, line: int) -> Iterator[None]:
        """Collect what the block refuses about the row at ``line``, and go on after the block."""
        try:
            yield
        except Invalid as refused:
            for problem in refused.errors:
                self.add(line, problem["field"], problem["message"])
