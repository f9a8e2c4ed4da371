"""The page on which an organization is set up, with its plan and what is used of it."""

import base64
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from servicekit.auth import Admin, Viewer
from servicekit.db import utc_now
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service import numbering
from invoice_service.organizations import logos, queries, service
from invoice_service.organizations.chosen import choose, chosen
from invoice_service.organizations.current import CurrentOrganization
from invoice_service.organizations.models import Organization
from invoice_service.organizations.schemas import OrganizationEdit, OrganizationOut
from invoice_service.plans import queries as plans

PLANS_OFFERED = 100
_NOT_EDITED_HERE = {"logo"}

router = APIRouter(prefix="/settings")


@router.get("")
async def show_settings(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Viewer
) -> Response:
    form = Form.of(_values(organization), organization.version)
    return await _page(page, session, organization, form)


@router.post("")
async def save_settings(page: CurrentPage, database: ServiceDatabase, _: Admin) -> Response:
    form = await page.form()
    kept = Form({name: text for name, text in form.typed.items() if name != "no_logo"}, form.version)
    try:
        body = (await _with_logo(form, kept)).parse(OrganizationEdit)
        # Looked at before there is a session: it may take a while.
        logo = None if body.logo is None else await logos.read(body.logo)
        async with database.transaction() as session:
            organization = await chosen(session, page)
            organization = await service.edit(session, organization.id, body, logo, expected_version=form.version)
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            refused = form.refused(problem)
            if isinstance(problem, PreconditionFailed):
                refused = refused.against(_values(organization), organization.version)
            return await _page(page, session, organization, refused)
    response = page.go("/settings", said="Saved.")
    choose(page, response, organization)  # its name may be another one
    return response


@router.get("/logo")
async def show_logo(session: ReadSession, organization: CurrentOrganization, _: Viewer) -> Response:
    logo = await queries.whole_logo(session, organization.id)
    return Response(logo.content, media_type=logo.content_type)


async def _page(page: Page, session: AsyncSession, organization: Organization, form: Form) -> Response:
    offered, _ = await plans.page(session, PageRequest(limit=PLANS_OFFERED, after=None))
    use = await plans.use_of(session, organization, utc_now().date())
    numbers = await numbering.newest_of_each_kind(session, organization.id)
    return page.render(
        "organizations/settings.html",
        status=form.problem.status if form.problem else 200,
        form=form,
        organization=organization,
        plans=[(plan.name, plan.name) for plan in offered],
        use=use,
        next_numbers={
            kind: numbering.written(getattr(organization, f"{kind}_prefix"), number + 1)
            for kind, number in numbers.items()
            if number >= getattr(organization, f"{kind}_start")
        },
    )


def _values(organization: Organization) -> dict[str, Any]:
    fields = set(OrganizationEdit.model_fields) - _NOT_EDITED_HERE
    return OrganizationOut.of(organization).model_dump(mode="json", include=fields)


async def _with_logo(form: Form, kept: Form) -> Form:
    """The form with the picture that was chosen as a data URI, or with none where it is to be taken away."""
    picture = form.files.get("logo")
    if picture is not None:
        content = await picture.read(logos.MAX_BYTES + 1)
        data = f"data:{picture.content_type or 'image'};base64,{base64.b64encode(content).decode()}"
        return replace(kept, typed={**kept.typed, "logo": data})
    if form["no_logo"] == "true":
        return replace(kept, typed={**kept.typed, "logo": ""})
    return kept
