"""What rows refer to, resolved for all of them at once."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from crm_service.csv_import.report import Row, RowErrors


async def resolve_names(
    rows: Sequence[Row],
    errors: RowErrors,
    *,
    noun: str,
    find: Callable[[Collection[str]], Awaitable[Mapping[str, str | None]]],
) -> None:
    """Replace ``<noun>_name`` by ``<noun>_id``; a name must mean exactly one record (``find`` gives None for several).

    A row may have the name or the id, not both.
    """
    by_name, by_id = f"{noun}_name", f"{noun}_id"
    found = await find({row.values[by_name] for row in rows if by_name in row.values})
    for row in rows:
        name = row.values.pop(by_name, None)
        if name is None:
            continue
        if row.values.get(by_id) is not None:
            errors.add(row.line, by_name, f"give {by_name} or {by_id}, not both")
        elif name not in found:
            errors.add(row.line, by_name, f"there is no {noun} named {name!r}")
        elif (record_id := found[name]) is None:
            errors.add(row.line, by_name, f"several {noun}s are named {name!r}; give {by_id} instead")
        else:
            row.values[by_id] = record_id


async def check_ids(
    rows: Sequence[Row], errors: RowErrors, *, noun: str, hold: Callable[[Collection[str]], Awaitable[set[str]]]
) -> None:
    """Check every ``<noun>_id``; ``hold`` gives those that may be referred to until the transaction ends."""
    column = f"{noun}_id"
    held = await hold({row.values[column] for row in rows if row.values.get(column) is not None})
    for row in rows:
        record_id = row.values.get(column)
        if record_id is not None and record_id not in held:
            errors.add(row.line, column, f"there is no {noun} {record_id}")
