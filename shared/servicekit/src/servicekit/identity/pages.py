"""Signing in and out, as pages; the pages of users and API tokens besides."""

import secrets

from fastapi import APIRouter
from starlette.responses import Response

from servicekit.auth import Viewer
from servicekit.errors import Problem
from servicekit.fields import Body, Secret
from servicekit.identity import service, setup_pages, sign_ins
from servicekit.identity.attempts import ServiceAttempts, address_of
from servicekit.pages import CurrentPage, Form
from servicekit.pages.gate import own_path
from servicekit.sessions import ServiceDatabase, WriteSession


class SignInForm(Body):
    email: Secret
    password: Secret
    next: str = "/"


router = APIRouter()
router.include_router(setup_pages.router)


@router.get("/sign-in")
async def sign_in_page(page: CurrentPage, next: str = "/") -> Response:
    if page.visitor is not None:
        return page.go(own_path(next))
    return _page(page, Form({"next": own_path(next)}))


@router.post("/sign-in")
async def sign_in(page: CurrentPage, database: ServiceDatabase, attempts: ServiceAttempts) -> Response:
    form = await page.form()
    try:
        typed = form.parse(SignInForm)
        user = await service.check_password(database, attempts, typed.email, typed.password, address_of(page.request))
    except Problem as problem:
        return _page(page, form.refused(problem))
    async with database.transaction() as session:
        if (old := page.cookies["session"]) is not None:
            await sign_ins.end(session, old)
        secret = await sign_ins.begin(session, user)
    response = page.go(own_path(typed.next))
    page.cookies.keep(response, "session", secret, seconds=int(sign_ins.LONGEST.total_seconds()))
    return response


@router.post("/sign-out")
async def sign_out(page: CurrentPage, session: WriteSession, _: Viewer) -> Response:
    await sign_ins.end(session, page.cookies["session"] or "")
    response = page.go("/sign-in", said="You are signed out.")
    page.cookies.drop(response, "session")
    return response


def _page(page: CurrentPage, form: Form) -> Response:
    problem = form.problem
    kept = Form({"email": form["email"], "next": own_path(form["next"] or "/")}, errors=form.errors, problem=problem)
    if page.cookies["visit"] is None:
        page.cookies.visit = secrets.token_urlsafe(16)
    response = page.render("sign_in.html", status=problem.status if problem else 200, form=kept)
    if problem is not None:
        response.headers.update(problem.headers)
    if page.cookies.visit is not None:
        page.cookies.keep(response, "visit", page.cookies.visit)
    return response
