"""Reading what is reflected."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from crm_service.documents.models import Document, Kind, RecordKey, RecordType, fetches, links
from crm_service.potentials.models import Potential


class DocumentNotFound(NotFound):
    """The CRM does not show such a document, whether Invoice has it or not."""


@dataclass(frozen=True)
class Fetch:
    """When a record's documents were last fetched; None: never. ``failed_at``, ``failure``: of trying since then."""

    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None


async def fetch_of(session: AsyncSession, key: RecordKey) -> Fetch:
    """How current the record's documents are."""
    columns = fetches.c
    statement = select(columns.fetched_at, columns.failed_at, columns.failure)
    found = await session.execute(
        statement.where(columns.record_type == key.record_type, columns.record_id == key.record_id)
    )
    row = found.one_or_none()
    return Fetch(*row) if row is not None else Fetch()


async def page(
    session: AsyncSession, key: RecordKey, kind: Kind, request: PageRequest
) -> tuple[list[Document], str | None]:
    """A page of the record's documents of one kind, newest first; of an account's those of its contacts too."""
    ids = _ids_of(key, kind, request).subquery().c.document_id
    found, cursor = await fetch_page(
        session, select(ids), keys=[ids], page=request, key_of=lambda document_id: [document_id]
    )
    documents = await session.scalars(select(Document).where(Document.id.in_(found)).order_by(Document.id.desc()))
    return list(documents), cursor


def _ids_of(key: RecordKey, kind: Kind, request: PageRequest) -> Select[str] | CompoundSelect[str]:
    """The ids that a page is made of: as many of the record's own as the page may need, and all of its contacts'.

    Each part by itself, so that both databases read it from the key of the links, and never all links by document.
    """
    newest_own = _linked(_is(key), kind, request).order_by(links.c.document_id.desc())
    own = select(newest_own.limit(request.limit + 1).subquery().c.document_id)
    if key.record_type != "account":
        return own
    contacts = select(Contact.id).where(Contact.account_id == key.record_id, Contact.live())
    of_contacts = and_(links.c.record_type == "contact", links.c.record_id.in_(contacts))
    return union(own, _linked(of_contacts, kind, request))


def _is(key: RecordKey) -> ColumnElement[bool]:
    return and_(links.c.record_type == key.record_type, links.c.record_id == key.record_id)


def _linked(condition: ColumnElement[bool], kind: Kind, request: PageRequest) -> Select[str]:
    statement = select(links.c.document_id).where(condition, links.c.kind == kind)
    if request.after is not None:
        statement = statement.where(links.c.document_id < request.after[0])
    return statement


async def stamp_of(session: AsyncSession, key: RecordKey) -> str:
    """A text that is another one after each change of the record's list, by one statement on the links' keys."""
    whose = _is(key)
    if key.record_type == "account":
        contacts = select(Contact.id).where(Contact.account_id == key.record_id, Contact.live())
        whose = or_(whose, and_(links.c.record_type == "contact", links.c.record_id.in_(contacts)))
    mine = select(links.c.document_id).where(whose)
    fetch = and_(fetches.c.record_type == key.record_type, fetches.c.record_id == key.record_id)
    known = select(func.count(), func.sum(Document.version), func.max(Document.id), func.max(Document.updated_at))
    statement = known.where(Document.id.in_(mine)).add_columns(
        select(fetches.c.fetched_at).where(fetch).scalar_subquery(),
        select(fetches.c.failed_at).where(fetch).scalar_subquery(),
    )
    found = "|".join(map(str, (await session.execute(statement)).one()))
    return hashlib.sha256(found.encode()).hexdigest()[:16]


async def stamp_of_document(session: AsyncSession, document_id: str) -> str:
    """A text that is another one after each change of the document."""
    return str(await session.scalar(select(Document.version).where(Document.id == document_id)))


@dataclass(frozen=True)
class Owner:
    """A record of the CRM that has a document."""

    record_type: RecordType
    id: str
    name: str


async def owners(session: AsyncSession, document_id: str) -> list[Owner]:
    """The records that have the document: accounts, contacts, potentials, those that are there."""
    found: list[Owner] = []
    columns = links.c
    person = func.trim(Contact.first_name + " " + Contact.last_name)
    statement = (
        select(
            columns.record_type,
            columns.record_id,
            func.coalesce(Account.account_name, person, Potential.potential_name),
        )
        .outerjoin(Account, and_(columns.record_type == "account", Account.id == columns.record_id, Account.live()))
        .outerjoin(Contact, and_(columns.record_type == "contact", Contact.id == columns.record_id, Contact.live()))
        .outerjoin(
            Potential, and_(columns.record_type == "potential", Potential.id == columns.record_id, Potential.live())
        )
        .where(columns.document_id == document_id)
        .order_by(columns.record_type, columns.record_id)
    )
    for record_type, record_id, name in await session.execute(statement):
        if name is not None:
            found.append(Owner(record_type, record_id, name))
    return found


async def contacts_of(session: AsyncSession, account_id: str) -> list[str]:
    """The ids of the account's contacts."""
    statement = select(Contact.id).where(Contact.account_id == account_id, Contact.live()).order_by(Contact.id)
    return list(await session.scalars(statement))


async def known(session: AsyncSession, key: RecordKey, organization_id: str) -> list[Document]:
    """The documents of the organization that are linked to the record itself."""
    linked = select(links.c.document_id).where(_is(key))
    statement = select(Document).where(Document.id.in_(linked), Document.organization_id == organization_id)
    return list(await session.scalars(statement))


async def get(session: AsyncSession, kind: Kind, document_id: str) -> Document:
    """One document that the CRM shows. Raises `DocumentNotFound`."""
    statement = select(Document).where(Document.id == document_id, Document.kind == kind)
    document = (await session.execute(statement)).scalar_one_or_none()
    if document is None:
        raise DocumentNotFound(
            f"there is no {kind} {document_id} of an account, contact or potential of the CRM",
            code=f"{kind}_not_found",
            id=document_id,
        )
    return document
