"""Sending documents by e-mail, and what became of it, on the pages of documents."""

import hashlib
import re
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.errors import Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.documents import queries as documents
from invoice_service.documents.requests import Today
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite
from invoice_service.sending import queries, service, wording
from invoice_service.sending.kinds import MAILABLES
from invoice_service.sending.mailable import Mailable
from invoice_service.sending.models import Delivery
from invoice_service.sending.schemas import SendBody
from invoice_service.sending.service import RecipientMissing
from invoice_service.sending.ways_out import require_courier

SHOWN = 20
_BETWEEN = re.compile(r"[\s,;]+")

Kinds = Literal["estimates", "invoices"]

router = APIRouter()


async def stamp_of_document(session: AsyncSession, document_id: str) -> str:
    """The topic ``deliveries:<id>``: the e-mails with that document."""
    newest = (
        select(Delivery.id, Delivery.status, Delivery.attempts, Delivery.lease.is_(None))
        .where(Delivery.document_id == document_id)
        .order_by(Delivery.id.desc())
        .limit(SHOWN)
    )
    rows = [".".join(map(str, row)) for row in await session.execute(newest)]
    return hashlib.sha256(";".join(rows).encode()).hexdigest()[:16]


async def panel_of_document(page: Page, session: AsyncSession, document_id: str) -> str:
    """The e-mails on a document's page."""
    stamps = await page.follow(session, f"deliveries:{document_id}")
    organization = await chosen(session, page)
    which = PageRequest(limit=SHOWN, after=None)
    found, _ = await queries.page(session, organization.id, which, document_id=document_id)
    return page.part("sending/panel.html", deliveries=found, stamps=stamps)


@router.get("/{kinds}/{document_id}/send")
async def compose(
    kinds: Kinds,
    document_id: str,
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Member,
    today: Today,
) -> Response:
    require_courier(page.service)
    mailable = _mailable(kinds)
    document = await documents.find(session, mailable.kind, organization.id, document_id)
    if (refusal := mailable.refuse(document, today)) is not None:
        raise refusal
    try:
        person = await service.addressee(session, document)
        to, name = person.email, person.full_name
    except RecipientMissing:
        to, name = "", ""
    name = name or document.contact_person_name or document.customer_name
    form = Form(
        {
            "to": to,
            "subject": wording.subject(mailable, document, organization),
            "message": wording.message(mailable, document, organization, name, today),
        },
        document.version,
    )
    return page.render("sending/form.html", form=form, document=document)


@router.post("/{kinds}/{document_id}/send")
async def send(
    kinds: Kinds, document_id: str, page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today
) -> Response:
    courier = require_courier(page.service)
    mailable = _mailable(kinds)
    form = await page.form()
    try:
        body = _addressed(form).parse(SendBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await chosen(session, page)
            delivery = await service.send(
                session,
                organization,
                principal,
                mailable,
                document_id,
                body,
                expected_version=form.version,
                today=today,
            )
            courier.wake_after(session)
            said = f"On its way to {', '.join(delivery.to_addresses)}."
            return await once.done(f"/{kinds}/{document_id}", said=said)
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            document = await documents.find(session, mailable.kind, organization.id, document_id)
        return page.render("sending/form.html", status=problem.status, form=_refused(form, problem), document=document)


@router.post("/deliveries/{delivery_id}/retry")
async def retry(
    delivery_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    _: Member,
) -> Response:
    courier = require_courier(page.service)
    delivery = await service.retry(session, organization, delivery_id)
    courier.wake_after(session)
    return page.go(f"/{delivery.document_kind}s/{delivery.document_id}", said="It is tried again now.")


def _mailable(kinds: Kinds) -> Mailable[Any]:
    return MAILABLES[kinds.removesuffix("s")]


def _addressed(form: Form) -> Form:
    """The addresses, as people write them one after another, made a list."""
    typed = {name: text for name, text in form.typed.items() if name not in ("to", "cc")}
    for field in ("to", "cc"):
        addresses = [each for each in _BETWEEN.split(form[field]) if each]
        typed |= {f"{field}.{number}": address for number, address in enumerate(addresses)}
    return replace(form, typed=typed)


def _refused(form: Form, problem: Problem) -> Form:
    refused = form.refused(problem)
    errors: dict[str, str] = {}
    for field, reason in refused.errors.items():
        errors.setdefault(field.partition(".")[0], reason)
    return replace(refused, errors=errors)
