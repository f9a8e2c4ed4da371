"""The pages of the workflow and of the connection: other services own both, and are asked in the person's name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from servicekit.auth import Admin, Viewer
from servicekit.errors import Problem, Unavailable
from servicekit.http import Refused
from servicekit.pages import CurrentPage, Form, Page
from starlette.responses import Response

from crm_service.setup.routes import WorkflowSetting

router = APIRouter()


@router.get("/workflow")
async def show_workflow(page: CurrentPage, _: Viewer) -> Response:
    try:
        return await _workflow(page)
    except Unavailable as away:
        return page.render("setup/workflow.html", status=away.status, form=None, setting=None)


@router.post("/workflow")
async def save_workflow(page: CurrentPage, principal: Admin) -> Response:
    form = await page.form()
    try:
        setting = form.parse(WorkflowSetting)
        headers = {"If-Match": f'"{form.version}"'} if form.version is not None else {}
        await _ask(page, "workflow", "PUT", "/v1/workflow", json=setting.model_dump(), headers=headers)
    except Problem as problem:
        return await _workflow(page, form.refused(problem))
    return page.go("/workflow", said="The workflow is active." if setting.active else "The workflow is not active.")


async def _workflow(page: Page, form: Form | None = None) -> Response:
    setting = await _ask(page, "workflow", "GET", "/v1/workflow")
    shown = {"active": setting["active"], "trigger": setting["trigger"]}
    version = setting.get("version")
    if form is None:
        form = Form.of(shown, version)
    elif form.problem is not None and form.problem.status == 412:
        form = form.against(shown, version)
    status = form.problem.status if form.problem else 200
    return page.render("setup/workflow.html", status=status, form=form, setting=_read(setting))


@router.get("/connection")
async def show_connection(page: CurrentPage, _: Viewer) -> Response:
    """Which organization of Invoice is connected; none (404 in sync) and "cannot be told" are calm pages."""
    try:
        connection = await _ask(page, "sync", "GET", "/v1/connection")
    except Unavailable as away:
        return page.render("setup/connection.html", status=away.status, connection=None, away=True)
    except Problem as problem:
        if problem.status != 404:
            raise
        return page.render("setup/connection.html", connection=None, away=False)
    return page.render("setup/connection.html", connection=_read(connection), away=False)


async def _ask(page: Page, service: str, method: str, path: str, **sent: Any) -> Any:
    try:
        answer = await page.service.client(service).request(method, path, on_behalf_of=page.principal, **sent)
    except Refused as refused:
        raise refused.as_problem() from refused
    return answer.json()


def _read(answer: Any) -> Any:
    """The answer of another service with its moments as such."""
    if isinstance(answer, Mapping):
        return {
            name: datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else _read(value)
            for name, value in answer.items()
        }
    return answer
