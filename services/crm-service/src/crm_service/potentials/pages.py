"""The pages of potentials: the list, one, its form. The board is in `board`."""

from typing import Annotated, Any

from contracts.potentials import PotentialStatus
from fastapi import APIRouter, Query
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service import csv_import, records
from crm_service.accounts import queries as accounts
from crm_service.answers import Blank, Deleted, RecordId, Search
from crm_service.contacts import queries as contacts
from crm_service.potentials import queries, service
from crm_service.potentials.importing import POTENTIALS
from crm_service.potentials.models import Potential
from crm_service.potentials.schemas import NewPotential, PotentialEdit
from crm_service.settings import CrmSettings, CurrentSettings
from crm_service.stages import queries as stages

SHOWN = 20
ONLY = ("q", "account_id", "contact_id", "stage", "status")
"""What narrows the list down."""

router = APIRouter(prefix="/potentials")
csv_import.add_pages(router, POTENTIALS)


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``potentials``: any of them."""
    return await records.stamp(session, Potential)


async def stamp_of_one(session: AsyncSession, potential_id: str) -> str:
    """The topic ``potential:<id>``."""
    return await records.stamp(session, Potential, Potential.id == potential_id)


async def stamp_of_account(session: AsyncSession, account_id: str) -> str:
    """The topic ``account-potentials:<id>``: the potentials of that account."""
    return await records.stamp(session, Potential, Potential.account_id == account_id)


async def stamp_of_contact(session: AsyncSession, contact_id: str) -> str:
    """The topic ``contact-potentials:<id>``: the potentials of that contact."""
    return await records.stamp(session, Potential, Potential.contact_id == contact_id)


async def panel_of_account(page: Page, session: AsyncSession, account_id: str) -> str:
    """The potentials on an account's page."""
    return await _panel(page, session, "account", account_id)


async def panel_of_contact(page: Page, session: AsyncSession, contact_id: str) -> str:
    """The potentials on a contact's page."""
    return await _panel(page, session, "contact", contact_id)


async def _panel(page: Page, session: AsyncSession, kind: str, record_id: str) -> str:
    stamps = await page.follow(session, f"{kind}-potentials:{record_id}")
    only: dict[str, Any] = dict.fromkeys(ONLY) | {f"{kind}_id": record_id}
    found, more = await queries.page(session, PageRequest(limit=SHOWN, after=None), **only, deleted=False)
    narrowed = f"{kind}_id={record_id}"
    return page.part("potentials/panel.html", potentials=found, more=more, narrowed=narrowed, stamps=stamps)


@router.get("")
async def list_potentials(
    page: CurrentPage,
    session: ReadSession,
    _: Viewer,
    which: PageQuery,
    q: Search = None,
    account_id: Annotated[RecordId, Blank] = None,
    contact_id: Annotated[RecordId, Blank] = None,
    stage: Annotated[str | None, Query(max_length=100), Blank] = None,
    status: Annotated[PotentialStatus | None, Blank] = None,
    deleted: Deleted = False,
) -> Response:
    stamps = await page.follow(session, "potentials")
    only = {"q": q, "account_id": account_id, "contact_id": contact_id, "stage": stage, "status": status}
    pipeline = await stages.pipeline(session)
    found, next_cursor = await queries.page(session, which, **only, deleted=deleted)  # type: ignore[arg-type]
    return page.render(
        "potentials/list.html",
        potentials=found,
        names=await accounts.names(session, [account_id, *(each.account_id for each in found)]),
        people=await contacts.names(session, [contact_id, *(each.contact_id for each in found)]),
        stages=pipeline.stages,
        only=only,
        next_cursor=next_cursor,
        deleted=deleted,
        stamps=stamps,
    )


@router.get("/new")
async def new_potential(
    page: CurrentPage,
    session: ReadSession,
    settings: CurrentSettings,
    _: Member,
    account_id: RecordId = None,
    contact_id: RecordId = None,
) -> Response:
    form = Form({"account_id": account_id or "", "contact_id": contact_id or ""})
    return await _form(page, session, settings, form)


@router.post("/new")
async def create_potential(
    page: CurrentPage, database: ServiceDatabase, settings: CurrentSettings, _: Member
) -> Response:
    form = await page.form()
    try:
        values = form.parse(NewPotential).model_dump()
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            potential = await service.create(session, values, default_currency=settings.crm_default_currency)
            return await once.done(f"/potentials/{potential.id}", said=f"{potential.potential_name} was created.")
    except Problem as problem:
        async with database.reading() as session:
            return await _form(page, session, settings, form.refused(problem), status=problem.status)


@router.get("/{potential_id}")
async def show_potential(potential_id: str, page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    stamps = await page.follow(session, f"potential:{potential_id}")
    potential = await service.get(session, potential_id)
    return page.render(
        "potentials/detail.html",
        potential=potential,
        names=await accounts.names(session, [potential.account_id]),
        people=await contacts.names(session, [potential.contact_id]),
        panels=await page.panels(session, "potential", potential_id),
        stamps=stamps,
    )


@router.get("/{potential_id}/edit")
async def edit_potential(
    potential_id: str, page: CurrentPage, session: ReadSession, settings: CurrentSettings, _: Member
) -> Response:
    potential = await service.get(session, potential_id)
    form = Form.of(_shown(potential), potential.version)
    return await _form(page, session, settings, form, potential)


@router.post("/{potential_id}/edit")
async def save_potential(
    potential_id: str, page: CurrentPage, database: ServiceDatabase, settings: CurrentSettings, _: Member
) -> Response:
    form = await page.form()
    try:
        changes = form.parse(PotentialEdit).changes()
        async with database.transaction() as session:
            await service.edit(session, potential_id, changes, form.version)
    except Problem as problem:
        async with database.reading() as session:
            potential = await service.get(session, potential_id)
            form = form.refused(problem)
            if isinstance(problem, PreconditionFailed):
                form = form.against(_shown(potential), potential.version)
            return await _form(page, session, settings, form, potential, status=problem.status)
    return page.done(f"/potentials/{potential_id}", said="Saved.")


def _shown(potential: Potential) -> NewPotential:
    return NewPotential.model_validate(potential, from_attributes=True)


async def _form(
    page: Page,
    session: AsyncSession,
    settings: CrmSettings,
    form: Form,
    potential: Potential | None = None,
    *,
    status: int = 200,
) -> Response:
    return page.render(
        "potentials/form.html",
        status=status,
        form=form,
        potential=potential,
        stages=[(stage.name, stage.name) for stage in (await stages.pipeline(session)).stages],
        accounts=await accounts.choices(session, chosen=form["account_id"]),
        contacts=await contacts.choices(session, chosen=form["contact_id"]),
        default_currency=settings.crm_default_currency,
    )
