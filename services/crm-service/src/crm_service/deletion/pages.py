"""Deleting, from a record's page."""

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
    return page.go("/accounts", said="The account was deleted.")
