"""``DELETE`` of accounts, contacts and potentials, and ``POST …/restore``."""

from fastapi import APIRouter, Response
from servicekit.auth import Member
from servicekit.etags import IfMatch, set_etag
from servicekit.sessions import WriteSession

from crm_service.accounts.schemas import AccountOut
from crm_service.contacts.schemas import ContactOut
from crm_service.deletion import service
from crm_service.potentials.schemas import PotentialOut

router = APIRouter()


@router.delete("/v1/accounts/{account_id}", status_code=204, tags=["accounts"])
async def delete_account(account_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete an account; its contacts stand alone from now on, its potentials go on without it."""
    await service.delete_account(session, account_id, expected)


@router.post("/v1/accounts/{account_id}/restore", tags=["accounts"])
async def restore_account(
    account_id: str, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> AccountOut:
    """Bring a deleted account back, with the contacts and potentials that went on without it."""
    account = await service.restore_account(session, account_id, expected)
    set_etag(response, account.version)
    return AccountOut.model_validate(account)


@router.delete("/v1/contacts/{contact_id}", status_code=204, tags=["contacts"])
async def delete_contact(contact_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete a contact; its potentials go on without it."""
    await service.delete_contact(session, contact_id, expected)


@router.post("/v1/contacts/{contact_id}/restore", tags=["contacts"])
async def restore_contact(
    contact_id: str, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> ContactOut:
    """Bring a deleted contact back, to its account if that is there, with the potentials that went on without it."""
    contact = await service.restore_contact(session, contact_id, expected)
    set_etag(response, contact.version)
    return ContactOut.model_validate(contact)


@router.delete("/v1/potentials/{potential_id}", status_code=204, tags=["potentials"])
async def delete_potential(potential_id: str, session: WriteSession, expected: IfMatch, _: Member) -> None:
    """Delete a potential."""
    await service.delete_potential(session, potential_id, expected)


@router.post("/v1/potentials/{potential_id}/restore", tags=["potentials"])
async def restore_potential(
    potential_id: str, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> PotentialOut:
    """Bring a deleted potential back, in the stage it was in, to its account and contact if they are there."""
    potential = await service.restore_potential(session, potential_id, expected)
    set_etag(response, potential.version)
    return PotentialOut.model_validate(potential)
