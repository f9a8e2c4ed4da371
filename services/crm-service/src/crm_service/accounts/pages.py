"""The pages of accounts."""

from typing import Annotated

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form
from servicekit.pagination import PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service import csv_import, records
from crm_service.accounts import queries, service
from crm_service.accounts.importing import ACCOUNTS
from crm_service.accounts.models import Account
from crm_service.accounts.schemas import AccountEdit, NewAccount
from crm_service.answers import Blank, Deleted, FieldName, RecordId, Search

router = APIRouter(prefix="/accounts")
csv_import.add_pages(router, ACCOUNTS)


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``accounts``: any of them."""
    return await records.stamp(session, Account)


async def stamp_of_one(session: AsyncSession, account_id: str) -> str:
    """The topic ``account:<id>``."""
    return await records.stamp(session, Account, Account.id == account_id)


@router.get("")
async def list_accounts(
    page: CurrentPage, session: ReadSession, _: Viewer, which: PageQuery, q: Search = None, deleted: Deleted = False
) -> Response:
    stamps = await page.follow(session, "accounts")
    accounts, next_cursor = await records.page_of(session, Account, which, q, deleted=deleted)
    return page.render(
        "accounts/list.html", accounts=accounts, next_cursor=next_cursor, q=q or "", deleted=deleted, stamps=stamps
    )


@router.get("/new")
async def new_account(page: CurrentPage, _: Member) -> Response:
    return page.render("accounts/form.html", form=Form(), account=None)


@router.post("/new")
async def create_account(page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        values = form.parse(NewAccount)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            account = await service.create(session, values.model_dump())
            return await once.done(f"/accounts/{account.id}", said=f"{account.account_name} was created.")
    except Problem as problem:
        return page.render("accounts/form.html", status=problem.status, form=form.refused(problem), account=None)


@router.get("/choices")
async def choose_account(
    page: CurrentPage,
    session: ReadSession,
    _: Member,
    field: FieldName = "account_id",
    q: Search = None,
    chosen: Annotated[RecordId, Blank] = None,
) -> Response:
    options = await queries.choices(session, q, chosen=chosen or "")
    return page.render("choices.html", options=options, no_choice="No account", q=q, field=field, chosen=chosen)


@router.get("/{account_id}")
async def show_account(account_id: str, page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    stamps = await page.follow(session, f"account:{account_id}")
    account = await service.get(session, account_id)
    panels = await page.panels(session, "account", account_id)
    return page.render("accounts/detail.html", account=account, panels=panels, stamps=stamps)


@router.get("/{account_id}/edit")
async def edit_account(account_id: str, page: CurrentPage, session: ReadSession, _: Member) -> Response:
    account = await service.get(session, account_id)
    form = Form.of(NewAccount.model_validate(account, from_attributes=True), account.version)
    return page.render("accounts/form.html", form=form, account=account)


@router.post("/{account_id}/edit")
async def save_account(account_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        changes = form.parse(AccountEdit).changes()
        async with database.transaction() as session:
            await service.edit(session, account_id, changes, form.version)
    except Problem as problem:
        async with database.reading() as session:
            account = await service.get(session, account_id)
        form = form.refused(problem)
        if isinstance(problem, PreconditionFailed):
            form = form.against(NewAccount.model_validate(account, from_attributes=True), account.version)
        return page.render("accounts/form.html", status=problem.status, form=form, account=account)
    return page.go(f"/accounts/{account_id}", said="Saved.")
