"""Which organization the pages are about: the one that was chosen in this browser, the default one until then.

The choice is a cookie with the organization's id and name: every page says the name, and asks nobody for it.
"""

from urllib.parse import quote, unquote

from servicekit.pages import Page
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.organizations import queries
from invoice_service.organizations.models import Organization

COOKIE = "organization"
SECONDS = 365 * 24 * 3600


def chosen_id(page: Page) -> str | None:
    """The id that the cookie names, whether there is such an organization or not; None without a choice."""
    return (page.cookies[COOKIE] or "").partition(".")[0] or None


def chosen_name(page: Page) -> str:
    """What the chosen organization was called when it was chosen; empty for the default one."""
    return unquote((page.cookies[COOKIE] or "").partition(".")[2])


async def chosen(session: AsyncSession, page: Page) -> Organization:
    """The organization that the page is about. A choice that is there no more is none."""
    return await queries.get_or_default(session, chosen_id(page))


def choose(page: Page, response: Response, organization: Organization) -> None:
    """Let the pages of this browser be about ``organization`` from now on."""
    if organization.is_default:
        page.cookies.drop(response, COOKIE)
    else:
        page.cookies.keep(response, COOKIE, f"{organization.id}.{quote(organization.name, safe='')}", seconds=SECONDS)
