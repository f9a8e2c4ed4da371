"""``DELETE`` of accounts, contacts and potentials."""

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.etags import IfMatch
from servicekit.sessions import WriteSession

from crm_service.deletion import service

router = APIRouter()


@router.delete("/v1/accounts/{account_id}", status_code=204, tags=["accounts"])
async def delete_account(account_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete an account; its contacts stand alone from now on, its potentials go on without it."""
    await service.delete_account(session, account_id, expected)


@router.delete("/v1/contacts/{contact_id}", status_code=204, tags=["contacts"])
async def delete_contact(contact_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete a contact; its potentials go on without it."""
    await service.delete_contact(session, contact_id, expected)


@router.delete("/v1/potentials/{potential_id}", status_code=204, tags=["potentials"])
async def delete_potential(potential_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete a potential."""
    await service.delete_potential(session, potential_id, expected)
