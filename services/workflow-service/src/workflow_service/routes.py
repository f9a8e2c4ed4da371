"""The set-up and the runs, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from servicekit.auth import Admin, Member, Viewer
from servicekit.etags import IfMatch, check_version, set_etag
from servicekit.pagination import Page, PageQuery
from servicekit.service import Service, service_of
from servicekit.sessions import ReadSession, WriteSession

from workflow_service import activation, runs
from workflow_service.clients import Connected, Customers
from workflow_service.documents import Documents
from workflow_service.handlers import Workflow
from workflow_service.peers import Peer
from workflow_service.potentials import Claims
from workflow_service.reconciling import Reconciling
from workflow_service.results import Outcome
from workflow_service.schemas import ActivationEdit, ActivationOut, RunOut

router = APIRouter(tags=["workflow"])


def workflow_of(service: Service) -> Workflow:
    """The service's workflow; the same one at every call."""
    if "workflow" not in service.state:
        invoice, sync = (Peer(service.client(name), name) for name in ("invoice", "sync"))
        reconciling = Reconciling(Documents(invoice), Customers(sync), Connected(sync), Claims(service.database))
        service.state["workflow"] = Workflow(service.database, reconciling)
    workflow: Workflow = service.state["workflow"]
    return workflow


async def _workflow(request: Request) -> Workflow:
    return workflow_of(service_of(request))


@router.get("/v1/workflow")
async def get_workflow(session: ReadSession, response: Response, _: Viewer) -> ActivationOut:
    """Whether the workflow is active, and its trigger."""
    setting = await activation.read(session)
    set_etag(response, setting.version)
    return ActivationOut.model_validate(setting)


@router.put("/v1/workflow")
async def put_workflow(
    body: ActivationEdit, session: WriteSession, response: Response, if_match: IfMatch, principal: Admin
) -> ActivationOut:
    """Activate or deactivate the workflow, and choose its trigger; what was made before stays as it is."""
    setting = await activation.lock(session)
    check_version(if_match, setting.version)
    changed = setting.set(active=body.active, trigger=body.trigger, by=principal.name)
    if changed is not None:
        session.add(changed)
    set_etag(response, setting.version)
    return ActivationOut.model_validate(setting)


@router.get("/v1/runs")
async def list_runs(
    session: ReadSession,
    page: PageQuery,
    _: Viewer,
    potential_id: Annotated[str | None, Query(max_length=36)] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
) -> Page[RunOut]:
    """What the workflow did, newest first."""
    found, cursor = await runs.page_of(session, page, potential_id=potential_id, outcome=outcome)
    return Page(items=[RunOut.model_validate(run) for run in found], next_cursor=cursor)


@router.post("/v1/runs/{run_id}/retry")
async def retry_run(run_id: str, workflow: Annotated[Workflow, Depends(_workflow)], _: Member) -> RunOut:
    """Try a failed or waiting run again, now; the answer says how it ended this time."""
    return RunOut.model_validate(await workflow.retry(run_id))
