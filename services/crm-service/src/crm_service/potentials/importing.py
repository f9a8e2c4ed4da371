"""Potentials from CSV."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.accounts.models import Account
from crm_service.accounts.queries import ids_by_name
from crm_service.contacts.models import Contact
from crm_service.csv_import import Kind, Row, RowErrors
from crm_service.csv_import.references import check_ids, resolve_names
from crm_service.potentials import events
from crm_service.potentials.models import Potential, exact_amount
from crm_service.potentials.schemas import NewPotential
from crm_service.settings import CrmSettings
from crm_service.stages import queries as stages


async def _resolve(session: AsyncSession, rows: Sequence[Row], errors: RowErrors, settings: CrmSettings) -> None:
    pipeline = await stages.pipeline(session)
    for row in rows:
        values = row.values
        values.setdefault("currency_code", settings.crm_default_currency)
        with errors.of(row.line):
            exact_amount(values.get("amount"), values["currency_code"])
        with errors.of(row.line):
            values["stage"] = pipeline.stage(values.get("stage"))
    await resolve_names(rows, errors, noun="account", find=partial(ids_by_name, session))
    await check_ids(rows, errors, noun="account", hold=partial(records.hold, session, Account))
    await check_ids(rows, errors, noun="contact", hold=partial(records.hold, session, Contact))


async def _insert(session: AsyncSession, values: Sequence[dict[str, Any]]) -> list[str]:
    potentials = [Potential(**each) for each in values]
    await records.add(session, potentials, events.created)
    return [potential.id for potential in potentials]


POTENTIALS = Kind("potentials", NewPotential, _resolve, _insert, lookups=("account_name",))
