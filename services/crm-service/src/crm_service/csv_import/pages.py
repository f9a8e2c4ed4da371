"""The page on which records are imported: what would happen is shown first, and nothing happens by that."""

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.errors import Problem, invalid_field
from servicekit.pages import CurrentPage, Form, Page
from servicekit.sessions import ServiceDatabase
from starlette.responses import Response

from crm_service.csv_import.kinds import Kind
from crm_service.csv_import.report import RowsInvalid
from crm_service.csv_import.service import Import
from crm_service.settings import CurrentSettings

SHOWN = 10
"""This many rows of the file are shown."""


def add_pages(router: APIRouter, kind: Kind) -> None:
    """Give the router of the kind's pages its import. Call it before the page of one record, ``/{id}``, is added."""

    @router.get("/import")
    async def choose_file(page: CurrentPage, _: Member) -> Response:
        return page.render("csv_import/import.html", kind=kind, form=Form(), report=None, sample=[])

    @router.post("/import")
    async def import_csv(
        page: CurrentPage, database: ServiceDatabase, settings: CurrentSettings, _: Member
    ) -> Response:
        form = await page.form()
        report, sample = None, []
        try:
            if (file := form.files.get("file")) is None:
                raise invalid_field("file", "choose a CSV file")
            incoming = await Import.read(kind, await file.read())
            sample = incoming.sample(SHOWN)
            async with database.transaction() as session:
                dry_run = form["go"] != "import"
                once = None if dry_run else await page.once(session, leave=True)
                if once and once.again:
                    return once.again
                report = await incoming.run(session, settings, dry_run=dry_run)
                if once and report.created:
                    return await once.done(f"/{kind.noun}", said=_imported(page, kind, report.created))
        except RowsInvalid as refused:
            report, form = refused.report, form.refused(refused)
        except Problem as problem:
            form = form.refused(problem)
        status = form.problem.status if form.problem else 200
        return page.render("csv_import/import.html", status=status, kind=kind, form=form, report=report, sample=sample)


def _imported(page: Page, kind: Kind, created: int) -> str:
    if created == 1:
        return f"One {kind.noun.removesuffix('s')} was imported."
    return f"{page.formats.number(created)} {kind.noun} were imported."
