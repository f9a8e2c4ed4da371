"""The pages of contacts."""

from typing import Annotated, Any

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service import csv_import, records
from crm_service.accounts import queries as accounts
from crm_service.answers import Blank, Deleted, FieldName, RecordId, Search
from crm_service.contacts import queries, service
from crm_service.contacts.importing import CONTACTS
from crm_service.contacts.models import Contact
from crm_service.contacts.schemas import ContactEdit, NewContact

SHOWN = 20

router = APIRouter(prefix="/contacts")
csv_import.add_pages(router, CONTACTS)


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``contacts``: any of them."""
    return await records.stamp(session, Contact)


async def stamp_of_one(session: AsyncSession, contact_id: str) -> str:
    """The topic ``contact:<id>``."""
    return await records.stamp(session, Contact, Contact.id == contact_id)


async def stamp_of_account(session: AsyncSession, account_id: str) -> str:
    """The topic ``account-contacts:<id>``: the contacts of that account."""
    return await records.stamp(session, Contact, Contact.account_id == account_id)


async def panel_of_account(page: Page, session: AsyncSession, account_id: str) -> str:
    """The contacts on an account's page."""
    stamps = await page.follow(session, f"account-contacts:{account_id}")
    which = PageRequest(limit=SHOWN, after=None)
    contacts, more = await queries.page(session, which, q=None, account_id=account_id, standalone=None, deleted=False)
    return page.part("contacts/panel.html", contacts=contacts, more=more, account_id=account_id, stamps=stamps)


@router.get("")
async def list_contacts(
    page: CurrentPage,
    session: ReadSession,
    _: Viewer,
    which: PageQuery,
    q: Search = None,
    account_id: Annotated[RecordId, Blank] = None,
    standalone: Annotated[bool | None, Blank] = None,
    deleted: Deleted = False,
) -> Response:
    stamps = await page.follow(session, "contacts")
    contacts, next_cursor = await queries.page(
        session, which, q=q, account_id=account_id, standalone=standalone, deleted=deleted
    )
    names = await accounts.names(session, [account_id, *(contact.account_id for contact in contacts)])
    return page.render(
        "contacts/list.html",
        contacts=contacts,
        names=names,
        next_cursor=next_cursor,
        q=q or "",
        account_id=account_id,
        standalone=standalone,
        deleted=deleted,
        stamps=stamps,
    )


@router.get("/new")
async def new_contact(page: CurrentPage, session: ReadSession, _: Member, account_id: RecordId = None) -> Response:
    return await _form(page, session, Form({"account_id": account_id or ""}))


@router.post("/new")
async def create_contact(page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        values = form.parse(NewContact)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            contact = await service.create(session, values.model_dump())
            return await once.done(f"/contacts/{contact.id}", said=f"{contact.full_name} was added.")
    except Problem as problem:
        async with database.reading() as session:
            return await _form(page, session, form.refused(problem), status=problem.status)


@router.get("/choices")
async def choose_contact(
    page: CurrentPage,
    session: ReadSession,
    _: Member,
    field: FieldName = "contact_id",
    q: Search = None,
    chosen: Annotated[RecordId, Blank] = None,
) -> Response:
    options = await queries.choices(session, q, chosen=chosen or "")
    return page.render("choices.html", options=options, no_choice="No contact", q=q, field=field, chosen=chosen)


@router.get("/{contact_id}")
async def show_contact(contact_id: str, page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    stamps = await page.follow(session, f"contact:{contact_id}")
    contact = await service.get(session, contact_id)
    names = await accounts.names(session, [contact.account_id])
    panels = await page.panels(session, "contact", contact_id)
    return page.render("contacts/detail.html", contact=contact, names=names, panels=panels, stamps=stamps)


@router.get("/{contact_id}/edit")
async def edit_contact(contact_id: str, page: CurrentPage, session: ReadSession, _: Member) -> Response:
    contact = await service.get(session, contact_id)
    form = Form.of(NewContact.model_validate(contact, from_attributes=True), contact.version)
    return await _form(page, session, form, contact)


@router.post("/{contact_id}/edit")
async def save_contact(contact_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        changes = form.parse(ContactEdit).changes()
        async with database.transaction() as session:
            await service.edit(session, contact_id, changes, form.version)
    except Problem as problem:
        async with database.reading() as session:
            contact = await service.get(session, contact_id)
            form = form.refused(problem)
            if isinstance(problem, PreconditionFailed):
                form = form.against(NewContact.model_validate(contact, from_attributes=True), contact.version)
            return await _form(page, session, form, contact, status=problem.status)
    return page.done(f"/contacts/{contact_id}", said="Saved.")


async def _form(page: Page, session: AsyncSession, form: Form, contact: Any = None, *, status: int = 200) -> Response:
    options = await accounts.choices(session, chosen=form["account_id"])
    return page.render("contacts/form.html", status=status, form=form, contact=contact, accounts=options)
