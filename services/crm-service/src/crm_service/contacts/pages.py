"""The pages of contacts."""

from servicekit.pages import Page
from servicekit.pagination import PageRequest
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service import records
from crm_service.contacts import queries
from crm_service.contacts.models import Contact

SHOWN = 20


async def stamp_of_account(session: AsyncSession, account_id: str) -> str:
    """The topic ``account-contacts:<id>``: the contacts of that account."""
    return await records.stamp(session, Contact, Contact.account_id == account_id)


async def panel_of_account(page: Page, session: AsyncSession, account_id: str) -> str:
    """The contacts on an account's page."""
    stamps = await page.follow(session, f"account-contacts:{account_id}")
    which = PageRequest(limit=SHOWN, after=None)
    contacts, more = await queries.page(session, which, q=None, account_id=account_id, standalone=None, deleted=False)
    return page.part("contacts/panel.html", contacts=contacts, more=more, account_id=account_id, stamps=stamps)
