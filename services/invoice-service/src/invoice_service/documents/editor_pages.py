"""The pages on which documents are written, whatever their kind."""

import datetime

from contracts.values import MINOR_UNITS
from servicekit.pages import Form, Page
from servicekit.pagination import PageRequest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.customers import queries as customers
from invoice_service.documents import editor
from invoice_service.documents.models import Document
from invoice_service.documents.pages import Words
from invoice_service.organizations.models import Organization


async def begin(
    page: Page,
    session: AsyncSession,
    organization: Organization,
    words: Words,
    customer_id: str,
    q: str,
    today: datetime.date,
) -> Response:
    """A new document: first for whom, then the form. Raises `CustomerNotFound`."""
    if not customer_id:
        which = PageRequest(limit=editor.CUSTOMERS_OFFERED, after=None)
        found, _ = await customers.page(session, organization.id, which, status="active", q=q.strip() or None)
        return page.render("documents/whom.html", words=words, customers=found, q=q)
    customer = await customers.find(session, organization.id, customer_id)
    form = editor.blank(organization, customer.id, customer.currency_code, today.isoformat())
    return await show(page, session, organization, words, form, None)


async def show(
    page: Page,
    session: AsyncSession,
    organization: Organization,
    words: Words,
    form: Form,
    document: Document | None,
    *,
    focus: bool = False,
) -> Response:
    """The form; refused, with the reasons. ``focus``: on the last line, which is new."""
    customer_id = document.customer_id if document is not None else form["customer_id"]
    offered = await editor.choices(session, organization, customer_id, form["find_item"])
    currency_code = _currency(form, document.currency_code if document else offered["customer"].currency_code)
    return page.render(
        "documents/form.html",
        status=form.problem.status if form.problem else 200,
        words=words,
        form=form,
        document=document,
        totals=editor.totals_of(form, currency_code),
        focus=focus,
        **offered,
    )


async def redo(
    page: Page, session: AsyncSession, organization: Organization, words: Words, document: Document | None
) -> Response:
    """The form after one of its buttons. Nothing is saved."""
    form = await page.form()
    acted = await editor.acted_on(session, organization, form)
    return await show(page, session, organization, words, acted, document, focus=form["do"] == "add")


async def totals(page: Page, words: Words, organization: Organization) -> Response:
    """What has been typed so far comes to."""
    form = await page.form()
    found = editor.totals_of(form, _currency(form, organization.currency_code))
    rows = range(form.rows("line_items"))
    return page.render("documents/totals_now.html", words=words, totals=found, rows=rows)


def _currency(form: Form, otherwise: str) -> str:
    typed = form["currency_code"].strip().upper()
    return typed if typed in MINOR_UNITS else otherwise
