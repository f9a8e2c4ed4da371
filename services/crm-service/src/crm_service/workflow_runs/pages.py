"""The panel of a potential's workflow runs, with their reasons; a run that failed or waits can be tried again.

workflow-service has them. It is asked by the panel itself, after the page is there: a page does not wait for it, and no
transaction stays open meanwhile.
"""

import datetime
from typing import Any

import orjson
from fastapi import APIRouter
from servicekit.auth import Member, Principal, Viewer
from servicekit.db import utc_now
from servicekit.errors import Problem, Unavailable
from servicekit.fields import Id
from servicekit.http import Refused
from servicekit.pages import CurrentPage, Page
from servicekit.sessions import ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from crm_service import records
from crm_service.documents import queries as documents
from crm_service.documents.models import RecordKey
from crm_service.potentials import service as potentials
from crm_service.potentials.models import Potential

SHOWN = 20
STILL_COMING = datetime.timedelta(seconds=15)
"""So long after a potential was changed, the workflow may be at it."""
_MOMENTS = ("started_at", "finished_at", "attempted_at", "event_time")

Json = dict[str, Any]

router = APIRouter()


async def stamp_of_potential(session: AsyncSession, potential_id: str) -> str:
    """The topic ``workflow-runs:<potential>``: what makes runs, and what they make."""
    potential = await records.stamp(session, Potential, Potential.id == potential_id)
    return potential + await documents.stamp_of(session, RecordKey("potential", potential_id))


async def panel_of_potential(page: Page, _: AsyncSession, potential_id: str) -> str:
    """The place of the runs on a potential's page; they come after it."""
    return page.part("workflow_runs/panel.html", path=f"/potentials/{potential_id}/workflow-runs")


@router.get("/potentials/{potential_id}/workflow-runs")
async def show_runs(potential_id: str, page: CurrentPage, database: ServiceDatabase, who: Viewer) -> Response:
    async with database.reading() as session:
        potential = await potentials.get(session, potential_id)
        stamps = await page.follow(session, f"workflow-runs:{potential_id}")
    runs: list[Json] = []
    away: Problem | None = None
    try:
        answer = await _ask(page, "GET", "/v1/runs", who, potential_id=potential_id, limit=SHOWN)
        runs = [_with_moments(run) for run in answer["items"]]
    except Unavailable as problem:
        away = problem
    return page.render(
        "workflow_runs/runs.html",
        potential=potential,
        runs=runs,
        away=away,
        stamps=stamps,
        every=_look_again(potential, runs, away=away is not None),
    )


@router.post("/potentials/{potential_id}/workflow-runs/{run_id}/retry")
async def retry_run(potential_id: str, run_id: Id, page: CurrentPage, who: Member) -> Response:
    run = await _ask(page, "POST", f"/v1/runs/{run_id}/retry", who)
    said = {"done": "This time it worked.", "skipped": "There is nothing to do any more."}
    return page.done(f"/potentials/{potential_id}", said=said.get(run["outcome"], "It did not work this time either."))


def _look_again(potential: Potential, runs: list[Json], *, away: bool) -> str | None:
    """How often the runs are asked for again. They are another service's, and no topic of ours tells of them."""
    if utc_now() - potential.updated_at < STILL_COMING:
        return "1s"
    return "10s" if away or any(run["outcome"] == "waiting" for run in runs) else None


async def _ask(page: Page, method: str, path: str, who: Principal, **params: str | int) -> Json:
    try:
        client = page.service.client("workflow")
        answer = await client.request(method, path, params=params or None, on_behalf_of=who)
    except Refused as refused:
        raise refused.as_problem() from refused
    told: Json = orjson.loads(answer.content)
    return told


def _with_moments(run: Json) -> Json:
    moments = {name: run[name] for name in _MOMENTS if run.get(name) is not None}
    return run | {name: datetime.datetime.fromisoformat(text) for name, text in moments.items()}
