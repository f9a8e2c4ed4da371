"""The pages of invoices, and an estimate's conversion into one."""

from typing import Literal, get_args

from contracts.documents import InvoiceStatus
from fastapi import APIRouter
from servicekit.auth import Admin, Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form
from servicekit.pagination import PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service import pdf
from invoice_service.documents import editor, editor_pages
from invoice_service.documents import pages as shared
from invoice_service.documents import queries as documents
from invoice_service.documents.pages import FiltersOfPage, Words
from invoice_service.documents.printing import AsPdf
from invoice_service.documents.requests import Today
from invoice_service.invoices import printing, queries, service
from invoice_service.invoices.actions import allowed_actions
from invoice_service.invoices.conversion import convert
from invoice_service.invoices.models import INVOICES
from invoice_service.invoices.schemas import InvoiceBody, InvoiceEdit
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

WORDS = Words(
    one="invoice",
    many="Invoices",
    path="/invoices",
    end=("due_date", "Due"),
    statuses=get_args(InvoiceStatus),
)

router = APIRouter()


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``invoices``: any of them."""
    return await shared.stamp_of_all(session, INVOICES)


async def stamp_of_one(session: AsyncSession, invoice_id: str) -> str:
    """The topic ``invoice:<id>``."""
    return await shared.stamp_of_one(session, INVOICES, invoice_id)


@router.get("/invoices")
async def list_invoices(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Viewer,
    which: PageQuery,
    filters: FiltersOfPage,
    today: Today,
) -> Response:
    stamps = await page.follow(session, "invoices")
    found, next_cursor = await queries.page(
        session, organization.id, which, filters.wanted(), status=filters.status_of(WORDS), today=today
    )
    return page.render(
        "documents/list.html",
        words=WORDS,
        documents=[{"of": one, "status": one.status_on(today), "end": one.due_date} for one in found],
        customer=shared.customer_named(filters, found),
        filters=filters,
        next_cursor=next_cursor,
        stamps=stamps,
    )


@router.get("/invoices/new")
async def new_invoice(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Member,
    today: Today,
    customer_id: str = "",
    q: str = "",
) -> Response:
    return await editor_pages.begin(page, session, organization, WORDS, customer_id, q, today)


@router.post("/invoices/new")
async def create_invoice(page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today) -> Response:
    form = editor.without_empty_rows(await page.form())
    try:
        body = editor.sent(form).parse(InvoiceBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await chosen(session, page)
            made = (await service.create(session, organization, principal, body, today=today)).document
            return await once.done(f"/invoices/{made.id}", said=f"{made.invoice_number} was created.")
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            return await editor_pages.show(page, session, organization, WORDS, form.refused(problem), None)


@router.post("/invoices/totals")
async def invoice_totals(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    return await editor_pages.totals(page, WORDS, organization)


@router.post("/invoices/draft")
async def redo_new_invoice(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    return await editor_pages.redo(page, session, organization, WORDS, None)


@router.get("/invoices/{invoice_id}")
async def show_invoice(
    invoice_id: str,
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    principal: Viewer,
    today: Today,
) -> Response:
    stamps = await page.follow(session, f"invoice:{invoice_id}")
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    whole = await documents.whole(session, INVOICES, invoice)
    printed = printing.printable(invoice, whole.lines, whole.amounts, organization, today)
    return page.render(
        "documents/detail.html",
        words=WORDS,
        state=invoice.status_on(today),
        end=invoice.due_date,
        can=shared.reasons(allowed_actions(whole, principal, today)),
        warnings=pdf.warnings(printed),
        panels=await page.panels(session, "invoice", invoice_id),
        stamps=stamps,
        **shared.of_whole(whole),
    )


@router.get("/invoices/{invoice_id}/edit")
async def edit_invoice(
    invoice_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    if (refusal := invoice.refuse_edit()) is not None:
        raise refusal
    form = editor.form_of(await documents.whole(session, INVOICES, invoice), ["due_date"])
    return await editor_pages.show(page, session, organization, WORDS, form, invoice)


@router.post("/invoices/{invoice_id}/edit")
async def save_invoice(
    invoice_id: str, page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today
) -> Response:
    form = editor.without_empty_rows(await page.form())
    try:
        body = editor.sent(form, "customer_id", *_due(form)).parse(InvoiceEdit)
        async with database.transaction() as session:
            organization = await chosen(session, page)
            await service.edit(
                session, organization, principal, invoice_id, body, expected_version=form.version, today=today
            )
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
            form = form.refused(problem)
            if isinstance(problem, PreconditionFailed):
                now = editor.saved(await documents.whole(session, INVOICES, invoice), ["due_date"])
                form = form.against(now, invoice.version)
            return await editor_pages.show(page, session, organization, WORDS, form, invoice)
    return page.go(f"/invoices/{invoice_id}", said="Saved.")


@router.post("/invoices/{invoice_id}/draft")
async def redo_invoice(
    invoice_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    return await editor_pages.redo(page, session, organization, WORDS, invoice)


@router.get("/invoices/{invoice_id}/view")
async def view_invoice(
    invoice_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Viewer
) -> Response:
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    return page.render("documents/view.html", words=WORDS, document=invoice)


@router.get("/invoices/{invoice_id}/pdf")
async def invoice_pdf(
    invoice_id: str, page: CurrentPage, database: ServiceDatabase, _: Viewer, today: Today, as_pdf: AsPdf
) -> Response:
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await chosen(session, page)
        invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
        document = await printing.to_print(session, organization, invoice, today)
    return await as_pdf.answer(document, invoice.invoice_number)


@router.post("/invoices/{invoice_id}/status/{status}")
async def mark_invoice(
    invoice_id: str,
    status: Literal["sent", "void", "draft"],
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    form = await page.form()
    marked = await service.mark(
        session, organization, principal, invoice_id, status, expected_version=form.version, today=today
    )
    now = marked.document.status_on(today)
    return page.go(f"/invoices/{invoice_id}", said=f"{marked.document.invoice_number} is {now}.")


@router.post("/invoices/{invoice_id}/unlock")
async def unlock_invoice(
    invoice_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Admin,
    today: Today,
) -> Response:
    form = await page.form()
    await service.unlock(session, organization, principal, invoice_id, expected_version=form.version, today=today)
    return page.go(f"/invoices/{invoice_id}", said="The workflow may change its status again.")


@router.post("/invoices/{invoice_id}/delete")
async def delete_invoice(
    invoice_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    form = await page.form()
    await service.remove(session, organization, principal, invoice_id, expected_version=form.version, today=today)
    return page.go("/invoices", said="The invoice was deleted; its number is free again.")


@router.post("/estimates/{estimate_id}/convert")
async def convert_estimate(
    estimate_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    form = await page.form()
    made = await convert(session, organization, principal, estimate_id, expected_version=form.version, today=today)
    return page.go(f"/invoices/{made.document.id}", said=f"{made.document.invoice_number} was made from the estimate.")


def _due(form: Form) -> list[str]:
    """What is not sent: a due date that nobody has touched, so that it goes on following from the payment terms."""
    return ["due_date"] if form["due_date"] == form["due_date_was"] or not form["due_date"] else []
