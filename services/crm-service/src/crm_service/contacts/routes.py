"""``/v1/contacts``."""

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch, set_etag
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from crm_service import csv_import
from crm_service.answers import Deleted, RecordId, Search
from crm_service.contacts import queries, service
from crm_service.contacts.importing import CONTACTS
from crm_service.contacts.schemas import ContactEdit, ContactOut, NewContact

PATH = "/v1/contacts"
router = APIRouter(prefix=PATH, tags=["contacts"])
csv_import.add_route(router, CONTACTS)


@router.post("", status_code=201, response_model=ContactOut)
async def create_contact(body: NewContact, session: WriteSession, idempotency: Idempotent, _: Member) -> Response:
    """A new contact, of an account or standing alone."""

    async def make() -> Response:
        contact = await service.create(session, body.model_dump())
        return answer(ContactOut.model_validate(contact), contact.version, created_at_path=f"{PATH}/{contact.id}")

    return await idempotency.once(session, make)


@router.get("")
async def list_contacts(
    session: ReadSession,
    _: Viewer,
    page: PageQuery,
    q: Search = None,
    account_id: RecordId = None,
    standalone: bool | None = None,
    deleted: Deleted = False,
) -> Page[ContactOut]:
    """The contacts, newest first; ``standalone``: only those without an account, or only those with one."""
    rows, cursor = await queries.page(session, page, q=q, account_id=account_id, standalone=standalone, deleted=deleted)
    return Page(items=[ContactOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/{contact_id}")
async def get_contact(contact_id: str, session: ReadSession, _: Viewer, response: Response) -> ContactOut:
    """One contact."""
    contact = await service.get(session, contact_id)
    set_etag(response, contact.version)
    return ContactOut.model_validate(contact)


@router.patch("/{contact_id}")
async def edit_contact(
    contact_id: str, body: ContactEdit, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> ContactOut:
    """Change the fields that are sent; ``account_id`` null lets the contact stand alone."""
    contact = await service.edit(session, contact_id, body.changes(), expected)
    set_etag(response, contact.version)
    return ContactOut.model_validate(contact)
