"""The pages of imports: connect and import, look on, what came of it; how the connection is kept."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from servicekit.auth import Admin, Member, Viewer
from servicekit.errors import PreconditionFailed, Problem, Unavailable
from servicekit.fields import Body, Edit, Id, Name
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from starlette.responses import Response

from invoice_service.imports.sync import Connection, Sync
from invoice_service.imports.words import kind_of, summary_of
from invoice_service.organizations.chosen import chosen_id

router = APIRouter()

LOOK_MS, LOOK_AGAIN_MS = 500, 3000
"""How often a run that is under way is looked at; and while sync does not answer."""


FIRST = PageRequest(limit=50, after=None)


class Access(Body):
    """What connects an organization."""

    email: Name
    zsc_key: Name
    auto_update: bool = False


class Keeping(Edit):
    """How the connection is kept up to date."""

    auto_update: bool = False
    interval_hours: int = Field(24, ge=1, le=168)


async def _of_this_person(page: CurrentPage) -> Sync:
    return Sync(page.service.client("sync"), page.principal, chosen_id(page))


TheirSync = Annotated[Sync, Depends(_of_this_person)]


@router.get("/imports")
async def list_imports(page: CurrentPage, sync: TheirSync, which: PageQuery, _: Viewer) -> Response:
    try:
        connection, runs = await sync.connection(), await sync.runs(which)
    except Unavailable:
        return page.render("imports/away.html", title="Imports", status=503)
    return page.render(
        "imports/list.html", connection=connection, runs=runs, look_ms=2000, kind_of=kind_of, summary_of=summary_of
    )


@router.get("/imports/new")
async def new_import(page: CurrentPage, sync: TheirSync, _: Member) -> Response:
    try:
        connection = await sync.connection()
    except Unavailable:
        return page.render("imports/away.html", title="Import from CRM", status=503)
    return _form(page, Form({"auto_update": "true"}), connection)


@router.post("/imports/new")
async def start_import(page: CurrentPage, sync: TheirSync, _: Member) -> Response:
    form = await page.form()
    preview, again = form["preview"] == "true", form["again"] == "true"
    try:
        run_id = await sync.start({} if again else _access(form), dry_run=preview)
    except Problem as problem:
        return _under_way(page, problem) or await _refused(page, sync, form.refused(problem))
    if preview and page.by_htmx:  # the form stays as it is, and what was found stands below it
        return await _shown(page, sync, run_id)
    return page.go(f"/imports/{run_id}")


@router.get("/imports/{run_id}")
async def show_import(run_id: Id, page: CurrentPage, sync: TheirSync, which: PageQuery, _: Viewer) -> Response:
    return await _shown(page, sync, run_id, which)


@router.get("/imports/{run_id}/failures")
async def list_failures(run_id: Id, page: CurrentPage, sync: TheirSync, which: PageQuery, _: Viewer) -> Response:
    try:
        run, failures = await sync.run(run_id), await sync.failures(run_id, which)
    except Unavailable:
        return page.render("imports/away.html", title="What failed", status=503)
    return page.render("imports/failures.html", run=run, failures=failures, kind=kind_of(run))


@router.post("/imports/{run_id}/retry")
async def retry_import(run_id: Id, page: CurrentPage, sync: TheirSync, _: Member) -> Response:
    return await _begun(page, sync.retry(run_id))


@router.get("/connection")
async def show_connection(page: CurrentPage, sync: TheirSync, _: Viewer) -> Response:
    try:
        connection = await sync.connection()
    except Unavailable:
        return page.render("imports/away.html", title="Connection", status=503)
    return _connection(page, connection)


@router.post("/connection")
async def keep_connection(page: CurrentPage, sync: TheirSync, _: Admin) -> Response:
    form = await page.form()
    try:
        keeping = form.parse(Keeping)
        await sync.keep(form.version, **keeping.changes())
    except Problem as problem:
        connection = await sync.connection()
        form = form.refused(problem)
        if isinstance(problem, PreconditionFailed) and connection is not None:
            form = form.against(_kept(connection), connection.version)
        return _connection(page, connection, form, problem.status)
    return page.go("/connection", said="Saved.")


@router.post("/connection/disconnect")
async def disconnect(page: CurrentPage, sync: TheirSync, _: Admin) -> Response:
    await sync.disconnect((await page.form()).version)
    return page.go("/connection", said="Disconnected. What was imported stays.")


@router.post("/connection/check")
async def check_connection(page: CurrentPage, sync: TheirSync, _: Member) -> Response:
    return await _begun(page, sync.check(mend=False))


@router.post("/connection/mend")
async def mend_connection(page: CurrentPage, sync: TheirSync, _: Admin) -> Response:
    return await _begun(page, sync.check(mend=True))


async def _begun(page: Page, run: Awaitable[str]) -> Response:
    """To the page of the run that ``run`` begins."""
    try:
        return page.go(f"/imports/{await run}")
    except Problem as problem:
        if (instead := _under_way(page, problem)) is None:
            raise
        return instead


def _under_way(page: Page, problem: Problem) -> Response | None:
    """There is one run at a time: to the page of the one that is under way, if that is the problem."""
    if problem.code != "import_running" or "import_id" not in problem.extra:
        return None
    return page.go(f"/imports/{problem.extra['import_id']}", said="Another run is under way: this is it.")


def _access(form: Form) -> dict[str, object]:
    typed = {name: text for name, text in form.typed.items() if name in Access.model_fields}
    return Form(typed).parse(Access).model_dump()


def _form(page: Page, form: Form, connection: Connection | None, status: int = 200) -> Response:
    return page.render("imports/form.html", form=form, connection=connection, status=status)


async def _refused(page: Page, sync: Sync, form: Form) -> Response:
    assert form.problem is not None
    try:
        connection = await sync.connection()
    except Unavailable:
        connection = None
    response = _form(page, form, connection, form.problem.status)
    if page.by_htmx:  # asked for a preview, whose place is not the form's
        response.headers.update({"HX-Retarget": "global #import", "HX-Reselect": "#import", "HX-Reswap": "outerHTML"})
    return response


async def _shown(page: Page, sync: Sync, run_id: str, which: PageRequest = FIRST) -> Response:
    """The page of a run; while sync does not answer, one that goes on asking."""
    changes = None
    try:
        run = await sync.run(run_id)
        if run.changes and not run.under_way:
            changes = await sync.changes(run_id, which)
    except Unavailable:
        return page.render(
            "imports/run.html", run=None, run_id=run_id, changes=None, kind="Import", look_ms=LOOK_AGAIN_MS
        )
    return page.render("imports/run.html", run=run, run_id=run_id, changes=changes, kind=kind_of(run), look_ms=LOOK_MS)


def _kept(connection: Connection) -> Keeping:
    return Keeping(auto_update=connection.auto_update, interval_hours=connection.interval_hours)


def _connection(page: Page, connection: Connection | None, form: Form | None = None, status: int = 200) -> Response:
    if form is None and connection is not None:
        form = Form.of(_kept(connection), connection.version)
    return page.render(
        "imports/connection.html",
        connection=connection,
        form=form or Form(),
        kind_of=kind_of,
        summary_of=summary_of,
        status=status,
    )
