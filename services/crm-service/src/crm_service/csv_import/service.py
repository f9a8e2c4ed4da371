"""Importing a file: all of it, or nothing."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.csv_import.kinds import Kind
from crm_service.csv_import.report import ImportReport, Row, RowErrors, RowsInvalid
from crm_service.records import batches
from crm_service.settings import CrmSettings


class Import:
    """One file on its way in."""

    def __init__(self, kind: Kind, rows: list[Row], errors: RowErrors, count: int) -> None:
        self._kind = kind
        self._rows = rows
        self._errors = errors
        self._count = count

    @classmethod
    async def read(cls, kind: Kind, body: bytes) -> "Import":
        """Read and validate the file, in a thread: it takes seconds, and holds no transaction.

        Raises `CsvInvalid` or `TooLarge` for what is wrong with the file as a whole.
        """
        return cls(kind, *await asyncio.to_thread(kind.read, body))

    def sample(self, count: int) -> list[tuple[int, dict[str, str]]]:
        """The first valid rows as they were read: the line of each, and column → value."""
        return [(row.line, dict(_columns(row.values))) for row in self._rows[:count]]

    async def run(self, session: AsyncSession, settings: CrmSettings, *, dry_run: bool) -> ImportReport:
        """Create all records, and give the report; with ``dry_run`` only check, and tell what would happen.

        Raises `RowsInvalid` if any row is wrong, unless it is a dry run.
        """
        await self._kind.resolve(session, self._rows, self._errors, settings)
        if self._errors.count or dry_run:
            report = self._report(0 if self._errors.count else self._count, dry_run=dry_run)
            if dry_run:
                return report
            raise RowsInvalid(report)
        ids: list[str] = []
        for some in batches(self._rows):
            ids += await self._kind.insert(session, self._kind.complete(some))
        return self._report(len(ids), dry_run=False, ids=ids)

    def _report(self, created: int, *, dry_run: bool, ids: list[str] | None = None) -> ImportReport:
        errors = sorted(self._errors.listed, key=lambda error: error.row)
        return ImportReport(
            dry_run=dry_run,
            rows=self._count,
            created=created,
            errors=errors,
            error_count=self._errors.count,
            ids=ids,
        )


def _columns(values: Mapping[str, Any], begin: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _columns(value, f"{begin}{name}.")
        elif value is not None:
            yield f"{begin}{name}", str(value)
