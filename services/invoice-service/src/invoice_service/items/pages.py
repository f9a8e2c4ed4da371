"""The pages of items."""

import hashlib
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form
from servicekit.pagination import PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.items import queries, service
from invoice_service.items.models import Item
from invoice_service.items.schemas import ItemBody, ItemEdit, ItemOut
from invoice_service.line_items import plain
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

FOLLOWED = 50

router = APIRouter(prefix="/items")


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``items``: the newest of them."""
    newest = select(Item.id, Item.version).order_by(Item.id.desc()).limit(FOLLOWED)
    rows = [f"{id_}.{version}" for id_, version in await session.execute(newest)]
    return hashlib.sha256(";".join(rows).encode()).hexdigest()[:16]


def _values(item: Item, currency_code: str) -> dict[str, Any]:
    return ItemOut.of(item, currency_code).model_dump(include=set(ItemBody.model_fields))


@router.get("")
async def list_items(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Viewer,
    which: PageQuery,
    q: str = "",
) -> Response:
    stamps = await page.follow(session, "items")
    found, next_cursor = await queries.page(session, organization.id, which, q=q.strip() or None)
    return page.render(
        "items/list.html",
        items=[(item, Decimal(plain(item.tax_percentage))) for item in found],
        currency=organization.currency_code,
        q=q,
        next_cursor=next_cursor,
        stamps=stamps,
    )


@router.get("/new")
async def new_item(page: CurrentPage, organization: CurrentOrganization, session: ReadSession, _: Member) -> Response:
    return page.render("items/form.html", form=Form(), item=None, currency=organization.currency_code)


@router.post("/new")
async def create_item(page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = _tidy(await page.form())
    try:
        body = form.parse(ItemBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            item = await service.create(session, await chosen(session, page), body)
            return await once.done("/items", said=f"{item.name} was added.")
    except Problem as problem:
        async with database.reading() as session:
            currency = (await chosen(session, page)).currency_code
        return page.render(
            "items/form.html", status=problem.status, form=form.refused(problem), item=None, currency=currency
        )


@router.get("/{item_id}/edit")
async def edit_item(
    item_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    item = await queries.get(session, organization.id, item_id)
    form = Form.of(_values(item, organization.currency_code), item.version)
    return page.render("items/form.html", form=form, item=item, currency=organization.currency_code)


@router.post("/{item_id}/edit")
async def save_item(item_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = _tidy(await page.form())
    try:
        body = form.parse(ItemEdit)
        async with database.transaction() as session:
            organization = await chosen(session, page)
            await service.edit(session, organization, item_id, body, expected_version=form.version)
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            item = await queries.get(session, organization.id, item_id)
        form = form.refused(problem)
        if isinstance(problem, PreconditionFailed):
            form = form.against(_values(item, organization.currency_code), item.version)
        return page.render(
            "items/form.html", status=problem.status, form=form, item=item, currency=organization.currency_code
        )
    return page.done("/items", said="Saved.")


@router.post("/{item_id}/delete")
async def delete_item(
    item_id: str, page: CurrentPage, session: WriteSession, organization: CurrentOrganizationToWrite, _: Member
) -> Response:
    form = await page.form()
    await service.remove(session, organization, item_id, expected_version=form.version)
    return page.go("/items", said="The item was deleted; documents stay as they are.")


def _tidy(form: Form) -> Form:
    """No tax typed is no tax."""
    typed = dict(form.typed)
    if not form["tax_percentage"].strip():
        typed["tax_percentage"] = "0"
    return Form(typed, form.version)
