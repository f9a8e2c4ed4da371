"""Reading what is reflected."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from crm_service.documents.models import (
    Document,
    Kind,
    RecordKey,
    RecordType,
    anybodys,
    customers,
    fetches,
    persons,
    records,
)
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
    """A page of the record's documents of one kind, newest first.

    An account has those of its customer, and those that its contacts had for themselves; not those in which one of its
    contacts is the person at another customer.
    """
    ids = union(*await _parts(session, key, kind, request)).subquery().c.id
    found, cursor = await fetch_page(
        session, select(ids), keys=[ids], page=request, key_of=lambda document_id: [document_id]
    )
    documents = await session.scalars(select(Document).where(Document.id.in_(found)).order_by(Document.id.desc()))
    return list(documents), cursor


async def _parts(session: AsyncSession, key: RecordKey, kind: Kind, request: PageRequest) -> list[Select[str]]:
    """The ids that a page is made of: as many of the record's own as the page may need, and all of its contacts'.

    Each part by itself, so that both databases read it from an index in the order of the list.
    """

    def some(condition: ColumnElement[bool]) -> Select[str]:
        statement = select(Document.id).where(condition, Document.kind == kind)
        return statement if request.after is None else statement.where(Document.id < request.after[0])

    def newest(condition: ColumnElement[bool]) -> Select[str]:
        statement = some(condition).order_by(Document.id.desc()).limit(request.limit + 1)
        return select(statement.subquery().c.id)

    if key.record_type == "potential":
        return [newest(Document.crm_potential_id == key.record_id)]
    own = [newest(Document.customer_id == customer_id) for customer_id in await customers_of(session, key)]
    if key.record_type == "account":
        return [*own, some(Document.customer_id.in_(_customers_of_contacts(key.record_id)))]
    persons_here = await session.scalars(_persons_of(key.record_id))
    return [*own, *(newest(Document.contact_person_id == person_id) for person_id in persons_here)] or [some(false())]


async def customers_of(session: AsyncSession, key: RecordKey) -> dict[str, int]:
    """The customers, all of whose documents are the record's own, and their versions; one for each organization."""
    statement = select(records.c.customer_id, func.coalesce(customers.c.version, 0)).outerjoin(
        customers, customers.c.id == records.c.customer_id
    )
    return dict((await session.execute(statement.where(_is(key)))).all())


async def customers_of_contacts(session: AsyncSession, account_id: str) -> list[str]:
    """The customers that contacts of the account have or had for themselves."""
    return list(await session.scalars(_customers_of_contacts(account_id)))


def _customers_of_contacts(account_id: str) -> Select[str]:
    """Not one that is an account's, too, as after a merge: its documents are in the list of that one."""
    contacts = select(Contact.id).where(Contact.account_id == account_id, Contact.live())
    of_account = records.alias()
    is_an_accounts = exists().where(
        of_account.c.customer_id == records.c.customer_id, of_account.c.record_type == "account"
    )
    own = select(records.c.customer_id).where(records.c.record_type == "contact", records.c.record_id.in_(contacts))
    return own.where(~is_an_accounts)


def _persons_of(contact_id: str) -> Select[str]:
    return select(persons.c.id).where(persons.c.contact_id == contact_id)


def _is(key: RecordKey) -> ColumnElement[bool]:
    return and_(records.c.record_type == key.record_type, records.c.record_id == key.record_id)


def _conditions(key: RecordKey) -> list[ColumnElement[bool]]:
    """Those of which the documents in the record's lists meet one at least, each to be read from an index."""
    if key.record_type == "potential":
        return [Document.crm_potential_id == key.record_id]
    own = select(records.c.customer_id).where(_is(key))
    if key.record_type == "account":
        return [Document.customer_id.in_(union(own, _customers_of_contacts(key.record_id)))]
    return [Document.customer_id.in_(own), Document.contact_person_id.in_(_persons_of(key.record_id))]


async def stamp_of(session: AsyncSession, key: RecordKey) -> str:
    """A text that is another one after each change of the record's list, by one statement on indexes."""
    fetch = and_(fetches.c.record_type == key.record_type, fetches.c.record_id == key.record_id)
    fetched = (select(column).where(fetch).scalar_subquery() for column in (fetches.c.fetched_at, fetches.c.failed_at))
    known = select(func.count(), func.sum(Document.version), func.max(Document.id), func.max(Document.updated_at))
    known = known.add_columns(*fetched)
    statement = union_all(*(known.where(condition) for condition in _conditions(key)))
    found = "|".join(map(str, (await session.execute(statement)).all()))
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
    keys = _keys_of(document_id).subquery().c
    person = func.trim(Contact.first_name + " " + Contact.last_name)
    statement = (
        select(
            keys.record_type,
            keys.record_id,
            func.coalesce(Account.account_name, person, Potential.potential_name),
        )
        .outerjoin(Account, and_(keys.record_type == "account", Account.id == keys.record_id, Account.live()))
        .outerjoin(Contact, and_(keys.record_type == "contact", Contact.id == keys.record_id, Contact.live()))
        .outerjoin(Potential, and_(keys.record_type == "potential", Potential.id == keys.record_id, Potential.live()))
        .order_by(keys.record_type, keys.record_id)
    )
    found = await session.execute(statement)
    return [Owner(record_type, record_id, name) for record_type, record_id, name in found if name is not None]


async def keys_of(session: AsyncSession, document_id: str) -> set[RecordKey]:
    """The records that have the document, whether they are there or not."""
    found = await session.execute(_keys_of(document_id))
    return {RecordKey(record_type, record_id) for record_type, record_id in found}  # type: ignore[arg-type]


def _keys_of(document_id: str) -> CompoundSelect[str, str]:
    of_customer = select(records.c.record_type, records.c.record_id).join(
        Document, Document.customer_id == records.c.customer_id
    )
    contact, potential = literal("contact").label("record_type"), literal("potential").label("record_type")
    of_person = select(contact, persons.c.contact_id).join(Document, Document.contact_person_id == persons.c.id)
    of_potential = select(potential, Document.crm_potential_id).where(Document.crm_potential_id.is_not(None))
    return union(*(one.where(Document.id == document_id) for one in (of_customer, of_person, of_potential)))


async def known(session: AsyncSession, key: RecordKey, organization_id: str) -> list[Document]:
    """The documents of the organization that are in the record's lists."""
    ids = union(*(select(Document.id).where(condition) for condition in _conditions(key)))
    statement = select(Document).where(Document.id.in_(ids), Document.organization_id == organization_id)
    return list(await session.scalars(statement))


async def get(session: AsyncSession, kind: Kind, document_id: str) -> Document:
    """One document that the CRM shows. Raises `DocumentNotFound`."""
    statement = select(Document).where(Document.id == document_id, Document.kind == kind, anybodys())
    document = (await session.execute(statement)).scalar_one_or_none()
    if document is None:
        raise DocumentNotFound(
            f"there is no {kind} {document_id} of an account, contact or potential of the CRM",
            code=f"{kind}_not_found",
            id=document_id,
        )
    return document
