"""``/v1/potentials``."""

from typing import Annotated

from contracts.potentials import PotentialStatus
from fastapi import APIRouter, Query, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch, set_etag
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from crm_service import csv_import
from crm_service.answers import Deleted, RecordId, Search
from crm_service.potentials import queries, service
from crm_service.potentials.importing import POTENTIALS
from crm_service.potentials.schemas import NewPotential, PotentialEdit, PotentialOut
from crm_service.settings import CurrentSettings

PATH = "/v1/potentials"
router = APIRouter(prefix=PATH, tags=["potentials"])
csv_import.add_route(router, POTENTIALS)


@router.post("", status_code=201, response_model=PotentialOut)
async def create_potential(
    body: NewPotential, session: WriteSession, idempotency: Idempotent, settings: CurrentSettings, _: Member
) -> Response:
    """A new potential."""

    async def make() -> Response:
        values = body.model_dump()
        potential = await service.create(session, values, default_currency=settings.crm_default_currency)
        return answer(
            PotentialOut.model_validate(potential), potential.version, created_at_path=f"{PATH}/{potential.id}"
        )

    return await idempotency.once(session, make)


@router.get("")
async def list_potentials(
    session: ReadSession,
    _: Viewer,
    page: PageQuery,
    q: Search = None,
    account_id: RecordId = None,
    contact_id: RecordId = None,
    stage: Annotated[str | None, Query(max_length=100, description="The name of a stage")] = None,
    status: PotentialStatus | None = None,
    deleted: Deleted = False,
) -> Page[PotentialOut]:
    """The potentials, newest first."""
    rows, cursor = await queries.page(
        session, page, q=q, account_id=account_id, contact_id=contact_id, stage=stage, status=status, deleted=deleted
    )
    return Page(items=[PotentialOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/{potential_id}")
async def get_potential(potential_id: str, session: ReadSession, _: Viewer, response: Response) -> PotentialOut:
    """One potential."""
    potential = await service.get(session, potential_id)
    set_etag(response, potential.version)
    return PotentialOut.model_validate(potential)


@router.patch("/{potential_id}")
async def edit_potential(
    potential_id: str, body: PotentialEdit, session: WriteSession, expected: IfMatch, _: Member, response: Response
) -> PotentialOut:
    """Change the fields that are sent; a stage may win, lose or reopen the potential."""
    potential = await service.edit(session, potential_id, body.changes(), expected)
    set_etag(response, potential.version)
    return PotentialOut.model_validate(potential)
