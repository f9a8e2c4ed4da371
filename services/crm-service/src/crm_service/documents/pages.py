"""The panel *Estimates & Invoices* of the CRM's records, and the forms of new documents (S6–S9, S18)."""

from typing import Any

import orjson
from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.db import new_id
from servicekit.errors import Problem, Unavailable
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pages.site import Panel
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service.accounts import service as accounts
from crm_service.contacts import service as contacts
from crm_service.documents import creating, document_pages, fetching, forms, queries
from crm_service.documents.models import KINDS, Kind, RecordKey, RecordType
from crm_service.documents.parts import CurrentParts
from crm_service.documents.shown import shown
from crm_service.potentials import service as potentials

SHOWN = 10
"""Of each kind, in the panel."""

router = APIRouter()
router.include_router(document_pages.router)

_FIND = {"account": accounts.get, "contact": contacts.get, "potential": potentials.get}
_NAME = {"account": "account_name", "contact": "last_name", "potential": "potential_name"}


async def stamp_of_record(session: AsyncSession, record: str) -> str:
    """The topic ``documents:<kind of record>:<id>``: what its list shows, and when it was fetched."""
    record_type, _, record_id = record.partition(":")
    return await queries.stamp_of(session, RecordKey(record_type, record_id))  # type: ignore[arg-type]


def panel_of(record_type: RecordType) -> Panel:
    """The panel on the page of such a record."""

    async def panel(page: Page, session: AsyncSession, record_id: str) -> str:
        key = RecordKey(record_type, record_id)
        stamps = await page.follow(session, f"documents:{record_type}:{record_id}")
        which = PageRequest(limit=SHOWN, after=None)
        lists = [(kind, *await queries.page(session, key, kind, which)) for kind in KINDS]
        fetch = await queries.fetch_of(session, key)
        return page.part(
            "documents/panel.html", lists=lists, fetch=fetch, stamps=stamps, path=f"/{record_type}s/{record_id}"
        )

    return panel


def _add(record_type: RecordType, kind: Kind) -> None:
    path = f"/{record_type}s/{{record_id}}"

    @router.get(f"{path}/{kind}s")
    async def list_documents(
        record_id: str, page: CurrentPage, session: ReadSession, _: Viewer, which: PageQuery
    ) -> Response:
        stamps = await page.follow(session, f"documents:{record_type}:{record_id}")
        record = await _FIND[record_type](session, record_id)
        found, cursor = await queries.page(session, RecordKey(record_type, record_id), kind, which)
        return page.render(
            "documents/list.html",
            kind=kind,
            documents=found,
            next_cursor=cursor,
            stamps=stamps,
            here=f"/{record_type}s/{record_id}",
            record_name=getattr(record, _NAME[record_type]),
        )

    def shown_form(page: Page, form: Form, record_id: str, status: int = 200) -> Response:
        here = f"/{record_type}s/{record_id}"
        return page.render(
            "documents/form.html",
            status=status,
            kind=kind,
            form=forms.with_a_line(form),
            document=None,
            action=f"{here}/{kind}s/new",
            preview=f"{here}/{kind}s/preview",
            here=here,
        )

    @router.get(f"{path}/{kind}s/new")
    async def new_document(record_id: str, page: CurrentPage, session: ReadSession, _: Member) -> Response:
        begin = await creating.beginning(session, RecordKey(record_type, record_id))
        return shown_form(page, Form.of(begin | {forms.KEY: new_id()}), record_id)

    @router.post(f"{path}/{kind}s/new")
    async def create_document(record_id: str, page: CurrentPage, parts: CurrentParts, who: Member) -> Response:
        form = forms.tidy(await page.form())
        if form[forms.MORE]:
            return shown_form(page, forms.with_one_more_line(form), record_id)
        key = RecordKey(record_type, record_id)
        try:
            answer = await creating.create(parts, key, kind, forms.new(form, kind), form[forms.KEY] or None, who)
        except creating.DocumentNotMade as away:
            told = (
                f"Invoice does not answer right now; press Create again in a moment: however often, one {kind} is made"
            )
            return shown_form(page, form.refused(Unavailable(told)), record_id, away.status)
        except Problem as problem:
            return shown_form(page, form.refused(problem), record_id, problem.status)
        made: dict[str, Any] = orjson.loads(answer.content)
        return page.done(f"/{kind}s/{made['id']}", said=f"{made[f'{kind}_number']} was created.")

    @router.post(f"{path}/{kind}s/preview")
    async def preview_document(record_id: str, page: CurrentPage, parts: CurrentParts, who: Member) -> Response:
        form = await page.form()
        key = RecordKey(record_type, record_id)
        if not forms.tidy(form).rows("line_items"):
            return document_pages.no_totals(page)
        try:
            totals = await creating.preview(parts, key, kind, forms.half_written(form, kind), who)
        except Problem as problem:
            return document_pages.no_totals(page, problem)
        return page.render("documents/totals.html", totals=shown(totals), why=None, with_lines=True)


def _add_refresh(record_type: RecordType) -> None:
    @router.post(f"/{record_type}s/{{record_id}}/documents/refresh")
    async def refresh_documents(record_id: str, page: CurrentPage, parts: CurrentParts, _: Viewer) -> Response:
        async with parts.database.reading() as session:
            await _FIND[record_type](session, record_id)
        await fetching.refresh(parts, RecordKey(record_type, record_id))
        return page.done(f"/{record_type}s/{record_id}", said="Fetched from Invoice.")


for _record_type in _FIND:
    _add_refresh(_record_type)  # type: ignore[arg-type]
    for _kind in KINDS:
        _add(_record_type, _kind)  # type: ignore[arg-type]
