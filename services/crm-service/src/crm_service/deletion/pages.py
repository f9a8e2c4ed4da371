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


@router.post("/contacts/{contact_id}/delete")
async def delete_contact(contact_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    form = await page.form()
    await service.delete_contact(session, contact_id, form.version)
    return page.go("/contacts", said="The contact was deleted.", undo=f"/contacts/{contact_id}/restore")


@router.post("/contacts/{contact_id}/restore")
async def restore_contact(contact_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    contact = await service.restore_contact(session, contact_id, None)
    return page.go(f"/contacts/{contact_id}", said=f"{contact.full_name} is back.")


@router.post("/potentials/{potential_id}/delete")
async def delete_potential(potential_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    form = await page.form()
    await service.delete_potential(session, potential_id, form.version)
    return page.go("/potentials", said="The potential was deleted.", undo=f"/potentials/{potential_id}/restore")


@router.post("/potentials/{potential_id}/restore")
async def restore_potential(potential_id: str, page: CurrentPage, session: WriteSession, _: Member) -> Response:
    potential = await service.restore_potential(session, potential_id, None)
    return page.go(f"/potentials/{potential_id}", said=f"{potential.potential_name} is back.")
