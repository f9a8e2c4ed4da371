"""Deleting and restoring, from a record's page."""

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.pages import CurrentPage
from servicekit.sessions import WriteSession
from starlette.responses import Response

from crm_service.deletion import service

router = APIRouter()


@router.post("/accounts/{account_id}/delete")
async def delete_account(account_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    form = await page.form()
    await service.delete_account(session, account_id, form.version)
    return page.go("/accounts", said="The account was deleted.", undo=f"/accounts/{account_id}/restore")


@router.post("/accounts/{account_id}/restore")
async def restore_account(account_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    account = await service.restore_account(session, account_id, None)
    return page.go(f"/accounts/{account_id}", said=f"{account.account_name} is back.")
