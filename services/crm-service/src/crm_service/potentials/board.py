"""Potentials as a board by stage, and moving them to another one, by pointer or by keyboard."""

from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.fields import Body, Name
from servicekit.pages import CurrentPage, Form
from servicekit.sessions import ReadSession, ServiceDatabase
from starlette.responses import Response

from crm_service.accounts import queries as accounts
from crm_service.contacts import queries as contacts
from crm_service.potentials import queries, service
from crm_service.stages import queries as stages

CARDS = 20
"""This many a stage are on the board; the list has the others."""

router = APIRouter(prefix="/potentials")


class Move(Body):
    stage: Name


@router.get("/board")
async def show_board(page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    stamps = await page.follow(session, "potentials")
    pipeline = await stages.pipeline(session)
    sums = await queries.sums(session)
    cards = await queries.newest_of_each_stage(session, [stage.id for stage in pipeline.stages], CARDS)
    return page.render(
        "potentials/board.html",
        lanes=[
            (
                stage,
                [each for each in sums if each.stage_id == stage.id],
                [card for card in cards if card.stage_id == stage.id],
            )
            for stage in pipeline.stages
        ],
        names=await accounts.names(session, [card.account_id for card in cards]),
        people=await contacts.names(session, [card.contact_id for card in cards]),
        stamps=stamps,
    )


@router.get("/{potential_id}/move")
async def choose_stage(potential_id: str, page: CurrentPage, session: ReadSession, _: Member) -> Response:
    potential = await service.get(session, potential_id)
    pipeline = await stages.pipeline(session)
    form = Form({"stage": potential.stage}, potential.version)
    return page.render("potentials/move.html", form=form, potential=potential, stages=pipeline.stages)


@router.post("/{potential_id}/move")
async def move_potential(potential_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        stage = form.parse(Move).stage
        async with database.transaction() as session:
            potential = await service.edit(session, potential_id, {"stage": stage}, form.version)
    except Problem as problem:
        async with database.reading() as session:
            potential = await service.get(session, potential_id)
            pipeline = await stages.pipeline(session)
        form = form.refused(problem)
        if isinstance(problem, PreconditionFailed):
            form = form.against({"stage": potential.stage}, potential.version)
        status = problem.status
        return page.render(
            "potentials/move.html", status=status, form=form, potential=potential, stages=pipeline.stages
        )
    return page.done(f"/potentials/{potential_id}", said=f"{potential.potential_name} is in {potential.stage} now.")
