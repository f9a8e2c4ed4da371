"""Reading customers whole: with their contact persons and CRM links."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from contracts.customers import CrmLink as CrmLinkValue
from contracts.customers import CrmRecordType, HeldCrmRecord
from servicekit import search
from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import ScalarSelect, Select, Table, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.rows import among

SEARCH_KIND = "customer"


class CustomerNotFound(NotFound):
    code = "customer_not_found"


@dataclass(frozen=True)
class WholeCustomer:
    """A customer with everyone at it and its live CRM links.

    ``persons``: those of the CRM first, the oldest record first, then the others in the order they were added.
    ``own_contact_ids``: the live contacts of the CRM that have or had it for themselves alone (S24).
    """

    customer: Customer
    persons: tuple[ContactPerson, ...] = ()
    links: tuple[CrmLink, ...] = ()
    own_contact_ids: tuple[str, ...] = ()

    @cached_property
    def imported_persons(self) -> Mapping[str, CrmLink]:
        """The persons who came from the CRM, by id, each with its record."""
        return {link.contact_person_id: link for link in self.links if link.contact_person_id is not None}

    @cached_property
    def said_by(self) -> CrmLink | None:
        """The record that says the customer's fields (S27): the first that upholds it (`crm_ledger`)."""
        upholding = [link for link in self.links if link.record_type == "account" or link.stands_alone]
        return min(upholding, key=lambda link: (link.rank, link.record_type, link.record_id), default=None)

    @property
    def primary_id(self) -> str | None:
        """The primary contact person: the one chosen here, else the first (S22), whatever order they came in."""
        ids = [person.id for person in self.persons]
        chosen = self.customer.chosen_primary_id
        return chosen if chosen in ids else next(iter(ids), None)

    @property
    def crm_links(self) -> tuple[CrmLinkValue, ...]:
        """The live links as they are told of."""
        return tuple(link_value(link) for link in self.links)

    @property
    def search_texts(self) -> tuple[str, ...]:
        """What the customer is found by."""
        customer = self.customer
        names = [text for person in self.persons for text in (person.first_name, person.last_name, person.email)]
        return (customer.customer_name, customer.phone, *names)


def link_value(link: CrmLink) -> CrmLinkValue:
    """The link as it is told of."""
    return CrmLinkValue(record_type=record_type_of(link), record_id=link.record_id, version=link.version)


def record_type_of(link: CrmLink) -> CrmRecordType:
    """Which kind of record it is of."""
    return "account" if link.record_type == "account" else "contact"


def crm_link(organization_id: str, record_type: CrmRecordType, record_id: str) -> Select[CrmLink]:
    """The link of one CRM record."""
    return select(CrmLink).where(
        CrmLink.organization_id == organization_id,
        CrmLink.record_type == record_type,
        CrmLink.record_id == record_id,
    )


async def get(session: AsyncSession, organization_id: str, customer_id: str, *, lock: bool = False) -> WholeCustomer:
    """One customer; for the id of one that was merged, the one that stayed (S29). Raises `CustomerNotFound`.

    ``lock``: until the transaction ends.
    """
    customer = await find(session, organization_id, customer_id, lock=lock)
    return (await complete(session, [customer]))[0]


async def find(session: AsyncSession, organization_id: str, customer_id: str, *, lock: bool = False) -> Customer:
    """`get`, without persons and links."""
    wanted = customer_id
    while True:
        statement = select(Customer).where(
            Customer.organization_id == organization_id, Customer.id == wanted, Customer.merged_into.is_(None)
        )
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        if (customer := (await session.execute(statement)).scalar_one_or_none()) is not None:
            return customer
        stayed = await merged_into(session, organization_id, wanted)
        if stayed is None:
            message = f"there is no customer {customer_id} in this organization"
            raise CustomerNotFound(message, customer_id=customer_id)
        wanted = stayed


async def merged_into(session: AsyncSession, organization_id: str, customer_id: str) -> str | None:
    """The customer that stayed when this one was merged; None if it was not, or is not there."""
    statement = select(Customer.merged_into).where(
        Customer.organization_id == organization_id, Customer.id == customer_id
    )
    return (await session.execute(statement)).scalar_one_or_none()


def stayed(organization_id: str, customer_id: str) -> ScalarSelect[str]:
    """The id that records of this customer bear now, as an expression: of one that was merged another one's (S29)."""
    return (
        select(func.coalesce(Customer.merged_into, Customer.id))
        .where(Customer.organization_id == organization_id, Customer.id == customer_id)
        .scalar_subquery()
    )


async def get_many(session: AsyncSession, customer_ids: Collection[str]) -> list[WholeCustomer]:
    """Those of these customers that there are, by id, to be told of: plain rows, at a third of the cost of objects."""
    if not customer_ids:
        return []
    customers, persons_, links_ = (cast(Table, model.__table__) for model in (Customer, ContactPerson, CrmLink))
    found = (
        await session.execute(
            select(customers).where(among(session, customers.c.id, customer_ids)).order_by(customers.c.id)
        )
    ).all()
    of_links = (
        select(links_)
        .where(
            or_(*(among(session, at, customer_ids) for at in (links_.c.customer_id, links_.c.own_customer_id))),
            links_.c.deleted.is_(False),
        )
        .order_by(links_.c.record_type, links_.c.record_id)
    )
    links = (await session.execute(of_links)).all()
    persons = (
        await session.execute(select(persons_).where(among(session, persons_.c.customer_id, customer_ids)))
    ).all()
    return _whole(cast(Any, found), cast(Any, persons), cast(Any, links))


async def complete(session: AsyncSession, customers: Sequence[Customer]) -> list[WholeCustomer]:
    """The customers with their persons and links as they are in the database, in two statements for all."""
    ids = [customer.id for customer in customers]
    if not ids:
        return []
    anew = {"populate_existing": True}  # merging moves many at once, past what the session knows
    of_links = (
        select(CrmLink)
        .where(or_(CrmLink.customer_id.in_(ids), CrmLink.own_customer_id.in_(ids)), CrmLink.deleted.is_(False))
        .order_by(CrmLink.record_type, CrmLink.record_id)
    )
    links = (await session.execute(of_links, execution_options=anew)).scalars().all()
    of_persons = select(ContactPerson).where(ContactPerson.customer_id.in_(ids))
    persons = (await session.execute(of_persons, execution_options=anew)).scalars().all()
    return _whole(customers, persons, links)


def _whole(
    customers: Iterable[Customer], persons: Iterable[ContactPerson], links: Iterable[CrmLink]
) -> list[WholeCustomer]:
    """Each customer with its own; ``links`` are in the order of their keys."""
    persons_at: dict[str, list[ContactPerson]] = defaultdict(list)
    links_at: dict[str, list[CrmLink]] = defaultdict(list)
    own_at: dict[str, list[str]] = defaultdict(list)
    for link in links:
        links_at[link.customer_id or ""].append(link)
        own_at[link.own_customer_id or ""].append(link.record_id)
    for person in persons:
        persons_at[person.customer_id].append(person)
    return [
        WholeCustomer(
            one, _in_order(persons_at[one.id], links_at[one.id]), tuple(links_at[one.id]), tuple(own_at[one.id])
        )
        for one in customers
    ]


def _in_order(persons: list[ContactPerson], links: list[CrmLink]) -> tuple[ContactPerson, ...]:
    records = {link.contact_person_id: link.record_id for link in links}
    return tuple(sorted(persons, key=lambda one: (one.id not in records, records.get(one.id, ""), one.id)))


async def page(
    session: AsyncSession,
    organization_id: str,
    request: PageRequest,
    *,
    status: str | None = None,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
    q: str | None = None,
) -> tuple[list[WholeCustomer], str | None]:
    """A page of customers, newest first; those that were merged are in none."""
    statement = select(Customer).where(Customer.organization_id == organization_id, Customer.merged_into.is_(None))
    if status is not None:
        statement = statement.where(Customer.status == status)
    records: tuple[tuple[CrmRecordType, str | None], ...] = (("account", crm_account_id), ("contact", crm_contact_id))
    for record_type, record_id in records:
        if record_id is not None:
            at = crm_link(organization_id, record_type, record_id).with_only_columns(CrmLink.customer_id)
            statement = statement.where(Customer.id == at.scalar_subquery())
    if q is not None:
        statement = statement.where(search.matches(SEARCH_KIND, Customer.__table__.c.id, q))
    found, cursor = await fetch_page(
        session, statement, keys=[Customer.id], page=request, key_of=lambda customer: [customer.id]
    )
    return await complete(session, found), cursor


async def whose_documents(
    session: AsyncSession, organization_id: str, request: PageRequest, *, account_id: str | None, contact_id: str | None
) -> tuple[list[WholeCustomer], str | None]:
    """A page of the customers whose documents, or some of these, belong to the CRM record (S8).

    An account's: its customer, and those that its contacts had for themselves. A contact's: the one it is at, and the
    one that it has or had for itself.
    """
    mine = select(CrmLink.customer_id).where(CrmLink.organization_id == organization_id)
    own = mine.with_only_columns(CrmLink.own_customer_id)
    if account_id is not None:
        mine = mine.where(CrmLink.record_type == "account", CrmLink.record_id == account_id)
        own = own.where(CrmLink.record_type == "contact", CrmLink.account_id == account_id)
    else:
        mine, own = (
            one.where(CrmLink.record_type == "contact", CrmLink.record_id == contact_id) for one in (mine, own)
        )
    statement = select(Customer).where(Customer.merged_into.is_(None), Customer.id.in_(union(mine, own)))
    found, cursor = await fetch_page(
        session, statement, keys=[Customer.id], page=request, key_of=lambda customer: [customer.id]
    )
    return await complete(session, found), cursor


async def held_crm_records(
    session: AsyncSession, organization_id: str, request: PageRequest
) -> tuple[list[HeldCrmRecord], str | None]:
    """A page of the CRM records that are live here, by kind and id."""
    rows, cursor = await fetch_page(
        session,
        select(CrmLink.record_type, CrmLink.record_id, CrmLink.version, CrmLink.customer_id).where(
            CrmLink.organization_id == organization_id, CrmLink.deleted.is_(False)
        ),
        keys=[CrmLink.record_type, CrmLink.record_id],
        page=request,
        key_of=lambda row: [row.record_type, row.record_id],
        descending=False,
    )
    return [HeldCrmRecord.model_validate(row, from_attributes=True) for row in rows], cursor


async def links_of_documents(
    session: AsyncSession, documents: Collection[tuple[str, str | None]]
) -> dict[tuple[str, str | None], tuple[CrmLinkValue, ...]]:
    """The CRM records that documents belong to, by the document's (customer, contact person); in one statement.

    They are the accounts of the customer, the contact that it is or was the own customer of, and the document's contact
    person: not the other persons of the customer, whose documents they are not (S8).
    """
    customer_ids = {customer_id for customer_id, _ in documents}
    person_ids = {person_id for _, person_id in documents if person_id is not None}
    statement = (
        select(CrmLink)
        .where(
            CrmLink.deleted.is_(False),
            CrmLink.customer_id.in_(customer_ids) & (CrmLink.record_type == "account")
            | CrmLink.own_customer_id.in_(customer_ids)
            | CrmLink.contact_person_id.in_(person_ids),
        )
        .order_by(CrmLink.record_type, CrmLink.record_id)
    )
    by_customer: dict[str, list[CrmLink]] = defaultdict(list)
    by_person: dict[str, list[CrmLink]] = defaultdict(list)
    for link in (await session.execute(statement)).scalars():
        customer_id = link.customer_id if link.record_type == "account" else link.own_customer_id
        by_customer[customer_id or ""].append(link)
        by_person[link.contact_person_id or ""].append(link)
    return {
        (customer_id, person_id): tuple(
            link_value(link)
            for link in dict.fromkeys([*by_customer[customer_id], *(by_person[person_id] if person_id else ())])
        )
        for customer_id, person_id in documents
    }
