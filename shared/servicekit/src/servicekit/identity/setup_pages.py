"""The pages of users and API tokens, the same in every product."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from servicekit.auth import Admin, Viewer
from servicekit.errors import NotFound, Problem
from servicekit.identity import service
from servicekit.identity.models import ApiToken, User
from servicekit.identity.routes import NewApiToken, NewUser, UserEdit
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest, fetch_page
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

FIRST = PageRequest(limit=50, after=None)

router = APIRouter()


@router.get("/users")
async def list_users(page: CurrentPage, session: ReadSession, _: Admin, which: PageQuery) -> Response:
    users, cursor = await fetch_page(session, select(User), keys=[User.id], page=which, key_of=lambda row: [row.id])
    return page.render("users.html", users=users, next_cursor=cursor)


@router.get("/users/new")
async def new_user(page: CurrentPage, _: Admin) -> Response:
    return page.render("user.html", form=Form({"role": "member"}), user=None)


@router.post("/users/new")
async def create_user(page: CurrentPage, database: ServiceDatabase, _: Admin) -> Response:
    form = await page.form()
    try:
        new = form.parse(NewUser)
        user = await service.create_user(database, email=new.email, password=new.password, role=new.role, name=new.name)
    except Problem as problem:
        return page.render("user.html", status=problem.status, form=form.refused(problem), user=None)
    return page.go("/users", said=f"{user.email} was added.")


@router.get("/users/{user_id}/edit")
async def edit_user(user_id: str, page: CurrentPage, session: ReadSession, _: Admin) -> Response:
    user = await _user(session, user_id)
    form = Form.of({"name": user.name, "role": user.role, "is_active": user.is_active})
    return page.render("user.html", form=form, user=user)


@router.post("/users/{user_id}/edit")
async def save_user(user_id: str, page: CurrentPage, database: ServiceDatabase, _: Admin) -> Response:
    form = await page.form()
    try:
        edited = form.parse(UserEdit)
        changes = edited.model_dump(exclude_unset=True) | {"name": edited.name or ""}
        user = await service.edit_user(
            database, user_id, {name: value for name, value in changes.items() if value is not None}
        )
    except Problem as problem:
        async with database.reading() as session:
            user = await _user(session, user_id)
        return page.render("user.html", status=problem.status, form=form.refused(problem), user=user)
    return page.go("/users", said=f"{user.email} was changed.")


@router.get("/api-tokens")
async def list_api_tokens(page: CurrentPage, session: ReadSession, _: Viewer, which: PageQuery) -> Response:
    return await _tokens(page, session, Form(), which)


@router.post("/api-tokens")
async def create_api_token(page: CurrentPage, database: ServiceDatabase, principal: Viewer) -> Response:
    form, secret = await page.form(), None
    try:
        new = form.parse(NewApiToken)
        async with database.transaction() as session:
            _, secret = await service.create_api_token(session, principal.id, new.name)
    except Problem as problem:
        form = form.refused(problem)
    async with database.reading() as session:
        return await _tokens(page, session, Form() if secret else form, FIRST, secret)


@router.post("/api-tokens/{token_id}/revoke")
async def revoke_api_token(token_id: str, page: CurrentPage, session: WriteSession, principal: Viewer) -> Response:
    await service.revoke_api_token(session, token_id, principal)
    return page.go("/api-tokens", said="The token is revoked.")


async def _user(session: AsyncSession, user_id: str) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound(f"no user {user_id}", code="user_not_found")
    return user


async def _tokens(
    page: Page, session: AsyncSession, form: Form, which: PageRequest, secret: str | None = None
) -> Response:
    mine = select(ApiToken).where(ApiToken.user_id == page.principal.id)
    tokens, cursor = await fetch_page(session, mine, keys=[ApiToken.id], page=which, key_of=lambda row: [row.id])
    status = form.problem.status if form.problem else 200
    return page.render("api_tokens.html", status=status, form=form, tokens=tokens, next_cursor=cursor, secret=secret)
