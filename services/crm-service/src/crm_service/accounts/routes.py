"""``/v1/accounts``."""

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch, set_etag
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from crm_service import csv_import, records
from crm_service.accounts import service
from crm_service.accounts.importing import ACCOUNTS
from crm_service.accounts.models import Account
from crm_service.accounts.schemas import AccountEdit, AccountOut, NewAccount
from crm_service.answers import Deleted, Search

PATH = "/v1/accounts"
router = APIRouter(prefix=PATH, tags=["accounts"])
csv_import.add_route(router, ACCOUNTS)


@router.post("", status_code=201, response_model=AccountOut)
async def create_account(body: NewAccount, session: WriteSession, idempotency: Idempotent, _: Member) -> Response:
    """A new account."""

    async def make() -> Response:
        account = await service.create(session, body.model_dump())
        return answer(AccountOut.model_validate(account), account.version, created_at_path=f"{PATH}/{account.id}")

    return await idempotency.once(session, make)


@router.get("")
async def list_accounts(
    session: ReadSession, _: Viewer, page: PageQuery, q: Search = None, deleted: Deleted = False
) -> Page[AccountOut]:
    """The accounts, newest first."""
    rows, cursor = await records.page_of(session, Account, page, q, deleted=deleted)
    return Page(items=[AccountOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/{account_id}")
async def get_account(account_id: str, session: ReadSession, _: Viewer, response: Response) -> AccountOut:
    """One account."""
    account = await service.get(session, account_id)
    set_etag(response, account.version)
    return AccountOut.model_validate(account)


@router.patch("/{account_id}")
async def edit_account(
    account_id: str, body: AccountEdit, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> AccountOut:
    """Change the fields that are sent; an address is replaced as a whole."""
    account = await service.edit(session, account_id, body.changes(), expected)
    set_etag(response, account.version)
    return AccountOut.model_validate(account)
