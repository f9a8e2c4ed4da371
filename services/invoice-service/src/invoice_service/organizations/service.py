"""Use cases: set up organizations."""

from typing import Any

from contracts.values import Address
from servicekit.db import Database
from servicekit.errors import Conflict, invalid_field
from servicekit.etags import check_version
from sqlalchemy import String, column, func, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import numbering
from invoice_service.organizations import logos, queries
from invoice_service.organizations.logos import Logo
from invoice_service.organizations.models import Organization
from invoice_service.organizations.schemas import OrganizationBody, OrganizationEdit
from invoice_service.plans import queries as plans


class NumberingHasBegun(Conflict):
    """The first number can no longer be chosen: a document has it."""

    code = "numbering_has_begun"


class OrganizationCurrencyInUse(Conflict):
    """The currency can no longer be changed: prices of items are in it."""

    code = "organization_currency_in_use"


# Of a feature above this one, of which organizations need to know no more than how many there are.
_items = table("items", column("organization_id", String))


async def ensure_default(database: Database, *, name: str, currency_code: str) -> None:
    """Make the default organization, if there is none; of several processes that start at once, one does."""
    async with database.reading() as session:
        if (await session.execute(select(Organization.id).where(Organization.is_default))).first() is not None:
            return
    try:
        async with database.transaction() as session:
            await _add(session, Organization(name=name, currency_code=currency_code, is_default=True))
    except IntegrityError:
        return  # another process was faster: the index allows one default


async def create(session: AsyncSession, body: OrganizationBody, logo: Logo | None) -> Organization:
    """A new organization, not the default one; ``logo`` is the body's. Raises `Invalid`."""
    await _check_plan(session, body.plan)
    organization = Organization(
        is_default=False, logo_digest=logo.digest if logo else None, **_values(body.model_dump())
    )
    await _add(session, organization)
    if logo is not None:
        await logos.keep(session, organization.id, logo)
    return organization


async def edit(
    session: AsyncSession,
    organization_id: str,
    body: OrganizationEdit,
    logo: Logo | None,
    *,
    expected_version: int | None,
) -> Organization:
    """Change what was sent; ``logo`` is the body's.

    Raises `OrganizationNotFound`, `PreconditionFailed`, `OrganizationCurrencyInUse`, `NumberingHasBegun`, `Invalid`.
    """
    # No item can be made while the currency changes: its price would be in the old one.
    alone = "currency_code" in body.model_fields_set
    organization = await queries.get(session, organization_id, lock=True, alone=alone)
    check_version(expected_version, organization.version)
    values = _values(body.model_dump(exclude_unset=True))
    if values.get("currency_code", organization.currency_code) != organization.currency_code:
        await _check_no_items(session, organization)
    if "plan" in values and values["plan"] != organization.plan:
        await _check_plan(session, values["plan"])
    await _begin_anew(session, organization, values)
    if "logo" in body.model_fields_set:
        values["logo_digest"] = logo.digest if logo else None
        if values["logo_digest"] != organization.logo_digest:
            await logos.keep(session, organization.id, logo)
    organization.change(**values)
    await session.flush()
    return organization


async def _add(session: AsyncSession, organization: Organization) -> None:
    session.add(organization)
    await session.flush()
    first = {"estimate": organization.estimate_start, "invoice": organization.invoice_start}
    await numbering.begin(session, organization.id, {kind: first[kind] for kind in numbering.KINDS})


async def _check_plan(session: AsyncSession, name: str) -> None:
    try:
        await plans.get(session, name)
    except plans.PlanNotFound as error:
        raise invalid_field("plan", error.detail, code=error.code) from None


async def _check_no_items(session: AsyncSession, organization: Organization) -> None:
    theirs = select(func.count()).select_from(_items).where(_items.c.organization_id == organization.id)
    if items := (await session.execute(theirs)).scalar_one():
        raise OrganizationCurrencyInUse(
            f"currency_code: items have their rates in {organization.currency_code} ({items} of them); delete them "
            "first, or make another organization: POST /v1/organizations",
            organization_id=organization.id,
            currency_code=organization.currency_code,
            items=items,
        )


async def _begin_anew(session: AsyncSession, organization: Organization, values: dict[str, Any]) -> None:
    """Let numbers begin where ``values`` say. Raises `NumberingHasBegun` if one is taken."""
    for kind in numbering.KINDS:
        was = getattr(organization, f"{kind}_start")
        first = values.get(f"{kind}_start", was)
        if first != was and not await numbering.begin_anew(session, organization.id, kind, first=first, instead_of=was):
            next_number = await numbering.newest(session, organization.id, kind) + 1
            raise NumberingHasBegun(
                f"number_starts.{kind}: there are {kind}s already; the next one is "
                f"{numbering.written(getattr(organization, f'{kind}_prefix'), next_number)}",
                kind=kind,
                next_number=next_number,
            )


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    """The body's fields as the model's attributes."""
    values = {name: value for name, value in sent.items() if name != "logo"}
    for name, of_kind in (("number_prefixes", "prefix"), ("number_starts", "start")):
        for kind, value in values.pop(name, {}).items():
            values[f"{kind}_{of_kind}"] = value
    if "address" in values:
        values["address"] = Address(**values["address"])
    return values
