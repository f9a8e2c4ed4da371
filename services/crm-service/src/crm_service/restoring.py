"""Undoing a deletion: the record is there again, and what the deletion set free goes back to it.

In whatever order records are deleted and restored, in the end each belongs to what it belonged to, if that is there;
only what was given to another record meanwhile stays there. Restoring locks rows in the order that `records` states.
"""

from collections.abc import Callable
from typing import Any

from contracts.event import Event
from servicekit.db import utc_now
from servicekit.errors import Unavailable
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.records import R, RecordNotFound, left


async def restore(
    session: AsyncSession,
    kind: type[R],
    record_id: str,
    missing: type[RecordNotFound],
    expected_version: int | None,
    event: Callable[[R], Event[Any]],
) -> tuple[R, bool]:
    """Undo the deletion of a record; give it, and whether it was deleted. One that was not stays as it is.

    Raises ``missing``, `PreconditionFailed` if the version of the deleted one is another one, and `Unavailable` if
    others restore and delete it at the same moment.
    """
    seen = await records.find(session, kind, record_id)
    if seen is None:
        raise missing(kind.search_kind, record_id)
    if not seen.deleted:
        return seen, False
    home = seen.at_home()
    there: set[str] = set()
    for name, other in kind.refers_to.items():
        there |= await records.hold(session, other, [home[name] or ""])
    record = await records.find(session, kind, record_id, lock=True)
    assert record is not None, "no record is ever removed"
    if not record.deleted:
        return record, False
    check_version(expected_version, record.version)
    if record.at_home() != home:
        raise Unavailable("others are restoring and deleting it right now; try again", code="busy")
    record.restore(there, utc_now())
    await records.save(session, record, event(record))
    return record, True


async def leave(
    session: AsyncSession, kind: type[R], reference: str, record_id: str, event: Callable[[R], Event[Any]]
) -> None:
    """All records that refer by ``reference`` to a record that is being deleted go on without it."""
    values = {reference: None, left(reference): record_id}
    await records.change_all(session, kind, getattr(kind, reference) == record_id, values, event)


async def rejoin(
    session: AsyncSession, kind: type[R], reference: str, record_id: str, event: Callable[[R], Event[Any]]
) -> None:
    """All records that have left a record that is being restored refer to it again."""
    values = {reference: record_id, left(reference): None}
    await records.change_all(session, kind, getattr(kind, left(reference)) == record_id, values, event)
