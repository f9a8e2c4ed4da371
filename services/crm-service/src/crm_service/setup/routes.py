"""``/v1/workflow`` and a potential's runs, handed on to workflow-service, which owns both and their rules (S14)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from servicekit.auth import Admin, Principal, Viewer
from servicekit.fields import Body
from servicekit.http import Refused
from servicekit.service import service_of
from servicekit.sessions import ServiceDatabase

from crm_service.potentials import service as potentials

router = APIRouter(tags=["workflow"])


class WorkflowSetting(Body):
    """What potentials cause: nothing unless ``active``, then what ``trigger`` says."""

    active: bool
    trigger: Literal["estimates", "invoices"]


@router.get("/v1/workflow")
async def get_workflow(request: Request, principal: Viewer) -> Response:
    """Whether the workflow is active, and what triggers it."""
    return await _hand_on(request, "GET", "/v1/workflow", principal)


@router.put("/v1/workflow")
async def put_workflow(
    request: Request,
    body: WorkflowSetting,
    principal: Admin,
    if_match: Annotated[str | None, Header(alias="If-Match", pattern=r"^[\x20-\x7e]{1,64}$")] = None,
) -> Response:
    """Activate or deactivate the workflow, and choose its trigger."""
    headers = {"If-Match": if_match} if if_match is not None else {}
    return await _hand_on(request, "PUT", "/v1/workflow", principal, json=body.model_dump(), headers=headers)


@router.get("/v1/potentials/{potential_id}/workflow-runs")
async def get_workflow_runs(
    potential_id: str,
    request: Request,
    database: ServiceDatabase,
    principal: Viewer,
    limit: int | None = None,
    cursor: str | None = None,
) -> Response:
    """What the workflow did for this potential, skipped or failed at, and why."""
    async with database.reading() as session:
        await potentials.get(session, potential_id)
    params: dict[str, str | int] = {"potential_id": potential_id}
    if limit is not None:
        params["limit"] = limit
    if cursor is not None:
        params["cursor"] = cursor
    return await _hand_on(request, "GET", "/v1/runs", principal, params=params)


async def _hand_on(
    request: Request,
    method: str,
    path: str,
    principal: Principal,
    *,
    json: Any = None,
    params: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    client = service_of(request).client("workflow")
    try:
        answer = await client.request(method, path, json=json, params=params, headers=headers, on_behalf_of=principal)
    except Refused as refused:
        raise refused.as_problem() from refused
    shown = {"ETag": etag} if (etag := answer.headers.get("ETag")) else None
    return Response(answer.content, answer.status_code, headers=shown, media_type="application/json")
