"""The pages of contacts."""

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.errors import Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageRequest
from servicekit.sessions import ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service import records
from crm_service.answers import RecordId
from crm_service.contacts import queries, service
from crm_service.contacts.models import Contact
from crm_service.contacts.schemas import NewContact

SHOWN = 20

router = APIRouter(prefix="/contacts")


async def stamp_of_account(session: AsyncSession, account_id: str) -> str:
    """The topic ``account-contacts:<id>``: the contacts of that account."""
    return await records.stamp(session, Contact, Contact.account_id == account_id)


async def panel_of_account(page: Page, session: AsyncSession, account_id: str) -> str:
    """The contacts on an account's page."""
    stamps = await page.follow(session, f"account-contacts:{account_id}")
    which = PageRequest(limit=SHOWN, after=None)
    contacts, more = await queries.page(session, which, q=None, account_id=account_id, standalone=None, deleted=False)
    return page.part("contacts/panel.html", contacts=contacts, more=more, account_id=account_id, stamps=stamps)


@router.get("/new")
async def new_contact(page: CurrentPage, _: Member, account_id: RecordId = None) -> Response:
    return page.render("contacts/form.html", form=Form({"account_id": account_id or ""}))


@router.post("/new")
async def create_contact(page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        values = form.parse(NewContact)
        async with database.transaction() as session:
            contact = await service.create(session, values.model_dump())
    except Problem as problem:
        return page.render("contacts/form.html", status=problem.status, form=form.refused(problem))
    name = f"{contact.first_name} {contact.last_name}".strip()
    return page.done(
        f"/accounts/{contact.account_id}" if contact.account_id else "/accounts", said=f"{name} was added."
    )
