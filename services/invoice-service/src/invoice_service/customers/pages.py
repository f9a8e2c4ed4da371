"""The pages of customers."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from servicekit.auth import Member, Viewer
from servicekit.errors import Invalid, PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.customers import queries, service
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.queries import WholeCustomer
from invoice_service.customers.schemas import ContactPersonBody, CustomerBody, CustomerEdit, CustomerOut
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

router = APIRouter(prefix="/customers")

WARNINGS_SHOWN = 3


async def stamp_of_list(session: AsyncSession, organization_id: str) -> str:
    """The topic ``customers:<organization>``: which there are, and those changed last."""
    theirs = Customer.organization_id == organization_id
    number = select(func.count()).select_from(Customer).where(theirs).scalar_subquery()
    latest = select(number, Customer.id, Customer.version).where(theirs).order_by(Customer.updated_at.desc()).limit(5)
    found = ";".join(f"{count}.{id_}.{version}" for count, id_, version in await session.execute(latest))
    return hashlib.sha256(found.encode()).hexdigest()[:16]


async def stamp_of_one(session: AsyncSession, customer_id: str) -> str:
    """The topic ``customer:<id>``: it, its persons, and the versions of its CRM records."""
    links = select(func.sum(CrmLink.version)).where(CrmLink.customer_id == customer_id).scalar_subquery()
    one = select(Customer.version, Customer.merged_into, Customer.transaction_count, links)
    return str((await session.execute(one.where(Customer.id == customer_id))).first())


@router.get("")
async def list_customers(
    page: CurrentPage,
    session: ReadSession,
    _: Viewer,
    organization: CurrentOrganization,
    which: PageQuery,
    q: Annotated[str, Query(max_length=255)] = "",
    status: Literal["", "active", "inactive"] = "",
) -> Response:
    stamps = await page.follow(session, f"customers:{organization.id}")
    found, next_cursor = await queries.page(session, organization.id, which, status=status or None, q=q.strip() or None)
    return page.render(
        "customers/list.html", customers=found, next_cursor=next_cursor, q=q, status_asked=status, stamps=stamps
    )


@router.get("/new")
async def new_customer(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    form = Form({"currency_code": organization.currency_code})
    return page.render("customers/form.html", form=form, customer=None)


@router.post("/new")
async def create_customer(page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        body = form.parse(CustomerBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            made = (await service.create(session, await chosen(session, page), body)).customer
            return await once.done(f"/customers/{made.id}", said=f"{made.customer_name} was created.")
    except Problem as problem:
        return page.render("customers/form.html", status=problem.status, form=form.refused(problem), customer=None)


@router.get("/{customer_id}")
async def show_customer(
    customer_id: str, page: CurrentPage, session: ReadSession, _: Viewer, organization: CurrentOrganization
) -> Response:
    stamps = await page.follow(session, f"customer:{customer_id}")
    whole = await queries.get(session, organization.id, customer_id)
    if whole.customer.id != customer_id:
        name = whole.customer.customer_name
        return page.go(f"/customers/{whole.customer.id}", said=f"The customer was merged: it is {name} now.")
    customer = CustomerOut.of(whole, page.principal)
    return page.render(
        "customers/detail.html",
        customer=customer,
        owned={each.field: each for each in customer.crm_owned_fields},
        said_by=whole.said_by,
        may={each.action: each for each in customer.allowed_actions},
        panels=await page.panels(session, "customer", customer_id),
        stamps=stamps,
    )


@router.get("/{customer_id}/edit")
async def edit_customer(
    customer_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    whole = await queries.get(session, organization.id, customer_id)
    return _form(page, whole, Form.of(_as_edited(whole), whole.customer.version))


@router.post("/{customer_id}/edit")
async def save_customer(customer_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        body = form.parse(CustomerEdit)
        async with database.transaction() as session:
            organization = await chosen(session, page)
            edited = await service.edit(session, organization, customer_id, body, expected_version=form.version)
    except Problem as problem:
        whole = await _as_it_is(page, database, customer_id)
        form = form.refused(problem)
        if isinstance(problem, PreconditionFailed):
            form = form.against(_as_edited(whole), whole.customer.version)
        return _form(page, whole, form, problem.status)
    warnings = [each[:1].upper() + each[1:] + "." for each in edited.warnings[:WARNINGS_SHOWN]]
    return page.go(f"/customers/{edited.whole.customer.id}", said=" ".join(["Saved.", *warnings]))


@router.post("/{customer_id}/active")
async def make_active(
    customer_id: str, page: CurrentPage, session: WriteSession, organization: CurrentOrganizationToWrite, _: Member
) -> Response:
    form = await page.form()
    await service.set_status(session, organization, customer_id, "active", expected_version=form.version)
    return page.go(f"/customers/{customer_id}", said="The customer is active again.")


@router.post("/{customer_id}/inactive")
async def make_inactive(
    customer_id: str, page: CurrentPage, session: WriteSession, organization: CurrentOrganizationToWrite, _: Member
) -> Response:
    form = await page.form()
    await service.set_status(session, organization, customer_id, "inactive", expected_version=form.version)
    path = f"/customers/{customer_id}"
    return page.go(path, said="The customer is inactive: it gets no new documents.", undo=f"{path}/active")


@router.post("/{customer_id}/delete")
async def delete_customer(
    customer_id: str, page: CurrentPage, session: WriteSession, organization: CurrentOrganizationToWrite, _: Member
) -> Response:
    form = await page.form()
    await service.remove(session, organization, customer_id, expected_version=form.version)
    return page.go("/customers", said="The customer was deleted.")


@router.get("/{customer_id}/persons/new")
async def new_person(
    customer_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    whole = await queries.get(session, organization.id, customer_id)
    return _person_form(page, whole, None, Form())


@router.get("/{customer_id}/persons/{person_id}")
async def edit_person(
    customer_id: str,
    person_id: str,
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Member,
) -> Response:
    whole = await queries.get(session, organization.id, customer_id)
    person = _person(whole, person_id)
    return _person_form(page, whole, person, Form.of(_person_as_edited(whole, person), whole.customer.version))


@router.post("/{customer_id}/persons/{person_id}")
async def save_person(
    customer_id: str, person_id: str, page: CurrentPage, database: ServiceDatabase, _: Member
) -> Response:
    """``person_id``: ``new`` for one to add. The others stay as they are."""
    form = await page.form()
    whole = await _as_it_is(page, database, customer_id)
    person = None if person_id == "new" else _person(whole, person_id)
    removed = form["remove"] == "true" and person is not None
    try:
        typed = {name: text for name, text in form.typed.items() if name != "remove"}
        sent = Form(typed).parse(ContactPersonBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await chosen(session, page)
            await service.edit_person(
                session,
                organization,
                customer_id,
                person.id if person else None,
                None if removed else sent,
                expected_version=form.version or whole.customer.version,
            )
            what = "removed" if removed else "saved" if person else "added"
            return await once.done(f"/customers/{customer_id}", said=f"The contact person was {what}.")
    except Problem as problem:
        form = form.refused(_of_the_person(problem))
        if isinstance(problem, PreconditionFailed):
            form = form.against(_person_as_edited(whole, person) if person else {}, whole.customer.version)
        return _person_form(page, whole, person, form, problem.status)


def _as_edited(whole: WholeCustomer) -> CustomerEdit:
    return CustomerEdit.model_validate(whole.customer, from_attributes=True)


def _person_as_edited(whole: WholeCustomer, person: ContactPerson) -> dict[str, Any]:
    shown = ContactPersonBody.model_validate(person, from_attributes=True)
    return shown.model_dump(exclude={"id"}) | {"is_primary": person.id == whole.primary_id}


async def _as_it_is(page: Page, database: ServiceDatabase, customer_id: str) -> WholeCustomer:
    async with database.reading() as session:
        organization = await chosen(session, page)
        return await queries.get(session, organization.id, customer_id)


def _form(page: Page, whole: WholeCustomer, form: Form, status: int = 200) -> Response:
    customer = CustomerOut.of(whole, page.principal)
    return page.render("customers/form.html", form=form, customer=customer, said_by=whole.said_by, status=status)


def _person(whole: WholeCustomer, person_id: str) -> ContactPerson:
    for person in whole.persons:
        if person.id == person_id:
            return person
    raise queries.CustomerNotFound(f"there is no contact person {person_id} at this customer")


def _person_form(
    page: Page, whole: WholeCustomer, person: ContactPerson | None, form: Form, status: int = 200
) -> Response:
    return page.render(
        "customers/person.html",
        customer=whole.customer,
        person=person,
        link=whole.imported_persons.get(person.id) if person else None,
        form=form,
        status=status,
    )


def _of_the_person(problem: Problem) -> Problem:
    """What is wrong with ``contact_persons.3.email`` is wrong with ``email`` here."""
    if not any(str(each["field"]).startswith("contact_persons.") for each in problem.errors):
        return problem
    named = [(str(each["field"]).split(".", 2)[2:], each["message"]) for each in problem.errors]
    errors = [{"field": field[0] if field else "last_name", "message": message} for field, message in named]
    return Invalid(problem.detail, errors=errors)
