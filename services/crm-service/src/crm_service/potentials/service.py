"""What one can do with potentials."""

from collections.abc import Mapping
from typing import Any

from servicekit.db import utc_now
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records, restoring
from crm_service.accounts import service as accounts
from crm_service.contacts import service as contacts
from crm_service.potentials import events
from crm_service.potentials.models import Potential
from crm_service.stages import queries as stages


class PotentialNotFound(records.RecordNotFound):
    code = "potential_not_found"


async def get(session: AsyncSession, potential_id: str, *, lock: bool = False) -> Potential:
    """The potential. Raises `PotentialNotFound`, also if it was deleted."""
    return await records.get(session, Potential, potential_id, PotentialNotFound, lock=lock)


async def _require(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await accounts.require(session, values.get("account_id"))
    await contacts.require(session, values.get("contact_id"))


async def create(session: AsyncSession, values: Mapping[str, Any], *, default_currency: str) -> Potential:
    """A new potential, in the first stage if none is named.

    Raises `UnknownStage`, and `Invalid` if its account or contact is not there or the currency cannot express the
    amount.
    """
    pipeline = await stages.pipeline(session)
    await _require(session, values)
    given = dict(values) | {"currency_code": values["currency_code"] or default_currency}
    potential = Potential(pipeline.stage(given.pop("stage")), **given)
    await records.add(session, [potential], events.created)
    return potential


async def edit(
    session: AsyncSession, potential_id: str, changes: Mapping[str, Any], expected_version: int | None
) -> Potential:
    """Change these fields; the new stage may win, lose or reopen it.

    Raises `PotentialNotFound`, `PreconditionFailed` if the version is another one, and what `create` raises.
    """
    given = dict(changes)
    await _require(session, given)
    stage = (await stages.pipeline(session)).stage(given.pop("stage")) if "stage" in given else None
    potential = await get(session, potential_id, lock=True)
    check_version(expected_version, potential.version)
    before = potential.status
    if potential.edit(given, stage, utc_now()):
        await records.save(session, potential, events.changed(potential, before))
    return potential


async def leave_account(session: AsyncSession, account_id: str) -> None:
    """All potentials of an account that is being deleted go on without it."""
    await restoring.leave(session, Potential, "account_id", account_id, events.updated)


async def rejoin_account(session: AsyncSession, account_id: str) -> None:
    """The potentials that went on without an account since it was deleted have it again: it is being restored."""
    await restoring.rejoin(session, Potential, "account_id", account_id, events.updated)


async def leave_contact(session: AsyncSession, contact_id: str) -> None:
    """All potentials of a contact that is being deleted go on without it."""
    await restoring.leave(session, Potential, "contact_id", contact_id, events.updated)


async def rejoin_contact(session: AsyncSession, contact_id: str) -> None:
    """The potentials that went on without a contact since it was deleted have it again: it is being restored."""
    await restoring.rejoin(session, Potential, "contact_id", contact_id, events.updated)
