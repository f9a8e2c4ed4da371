"""The pages of one document: its details, its form, its PDF (S10–S12)."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from servicekit.auth import Member, Principal, Viewer
from servicekit.errors import NotFound, Problem
from servicekit.http import HandedOn
from servicekit.pages import CurrentPage, Form, Page
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service.documents import editing, forms, queries
from crm_service.documents.models import KINDS, Kind
from crm_service.documents.parts import CurrentParts, Parts
from crm_service.documents.shown import shown

router = APIRouter()

Json = dict[str, Any]

STATUSES: dict[Kind, dict[str, str]] = {
    "estimate": {"sent": "Mark as sent", "accepted": "Mark as accepted", "declined": "Mark as declined"},
    "invoice": {"sent": "Mark as sent", "void": "Void it", "draft": "Back to draft"},
}
"""What a button that leads to a status says."""


async def stamp_of_one(session: AsyncSession, document_id: str) -> str:
    """The topic ``document:<id>``."""
    return await queries.stamp_of_document(session, document_id)


def no_totals(page: Page, why: Problem | None = None) -> Response:
    """Instead of totals: why there are none. It is no refusal of a request: someone is still writing."""
    return page.render("documents/totals.html", totals=None, why=why, with_lines=False)


async def _read(parts: Parts, kind: Kind, document_id: str, who: Principal) -> Json:
    document: Json = orjson.loads((await editing.details(parts, kind, document_id, who)).content)
    return document


def refusal(document: Json, action: str) -> str | None:
    """Why Invoice says that this cannot be done with the document now; None if it can."""
    judged: Json | None = next((one for one in document["allowed_actions"] if one["action"] == action), None)
    if judged is None or judged["allowed"]:
        return None
    return str(judged["reason"])


def _seen(form: Form) -> str | None:
    return f'"{form.version}"' if form.version is not None else None


def _add(kind: Kind) -> None:
    path = f"/{kind}s/{{document_id}}"

    @router.get(path)
    async def show_document(document_id: str, page: CurrentPage, parts: CurrentParts, who: Viewer) -> Response:
        async with parts.database.reading() as session:
            stamps = await page.follow(session, f"document:{document_id}")
            owners = await queries.owners(session, document_id)
        document = await _read(parts, kind, document_id, who)
        return page.render(
            "documents/detail.html",
            kind=kind,
            document=shown(document),
            owners=owners,
            stamps=stamps,
            labels=STATUSES[kind],
        )

    def shown_form(page: Page, form: Form, document: Json, status: int = 200) -> Response:
        here = f"/{kind}s/{document['id']}"
        return page.render(
            "documents/form.html",
            status=status,
            kind=kind,
            form=forms.with_a_line(form),
            document=shown(document),
            why_not=refusal(document, "edit"),
            action=f"{here}/edit",
            preview=f"{here}/preview",
            here=here,
        )

    @router.get(f"{path}/edit")
    async def edit_document(document_id: str, page: CurrentPage, parts: CurrentParts, who: Member) -> Response:
        document = await _read(parts, kind, document_id, who)
        return shown_form(page, Form.of(forms.editable(kind, document), document["version"]), document)

    @router.post(f"{path}/edit")
    async def save_document(document_id: str, page: CurrentPage, parts: CurrentParts, who: Member) -> Response:
        form = forms.tidy(await page.form())
        document = await _read(parts, kind, document_id, who)
        if form[forms.MORE]:
            return shown_form(page, forms.with_one_more_line(form), document)
        try:
            values = forms.changes(form, kind, document)
            if values:
                await editing.change(parts, kind, document_id, who, values=values, if_match=_seen(form))
        except Problem as problem:
            form = form.refused(problem)
            if problem.status == 412:
                document = await _read(parts, kind, document_id, who)
                form = form.against(forms.editable(kind, document), document["version"])
            return shown_form(page, form, document, problem.status)
        return page.done(f"/{kind}s/{document_id}", said=f"{document[f'{kind}_number']} was saved.")

    @router.post(f"{path}/preview")
    async def preview_document(document_id: str, page: CurrentPage, parts: CurrentParts, who: Member) -> Response:
        form = await page.form()
        if not forms.tidy(form).rows("line_items"):
            return no_totals(page)
        try:
            totals = await editing.preview(parts, kind, document_id, forms.half_written(form, kind), who)
        except Problem as problem:
            return no_totals(page, problem)
        return page.render("documents/totals.html", totals=shown(totals), why=None, with_lines=True)

    @router.post(f"{path}/status/{{status}}")
    async def mark_document(
        document_id: str, status: str, page: CurrentPage, parts: CurrentParts, who: Member
    ) -> Response:
        if status not in STATUSES[kind]:
            raise NotFound(f"there is no status {status}")
        seen = _seen(await page.form())
        answer = await editing.change(parts, kind, document_id, who, status=status, if_match=seen)
        marked: Json = orjson.loads(answer.content)
        said = f"{marked[f'{kind}_number']} is {marked['status'].replace('_', ' ')}."
        return page.go(f"/{kind}s/{document_id}", said=said)

    @router.get(f"{path}/pdf")
    async def get_pdf(
        document_id: str,
        parts: CurrentParts,
        who: Viewer,
        download: Annotated[bool, Query()] = False,
        if_none_match: Annotated[str | None, Header(pattern=r"^[\x20-\x7e]{1,200}$")] = None,
    ) -> Response:
        answer = await editing.pdf(parts, kind, document_id, who, download=download, if_none_match=if_none_match)
        return HandedOn(answer)

    @router.get(f"{path}/viewer")
    async def view_pdf(document_id: str, page: CurrentPage, parts: CurrentParts, _: Viewer) -> Response:
        async with parts.database.reading() as session:
            document = await queries.get(session, kind, document_id)
        return page.render("documents/viewer.html", document=document, here=f"/{kind}s/{document_id}")


for _kind in KINDS:
    _add(_kind)
