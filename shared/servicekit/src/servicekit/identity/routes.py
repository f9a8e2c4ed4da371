"""Signing in, API tokens, users."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import select

from servicekit.auth import PERSON_TOKEN_LIFETIME, Admin, Role, Viewer
from servicekit.fields import Body, Email, Line, Name, Secret
from servicekit.identity import service
from servicekit.identity.attempts import ServiceAttempts, address_of
from servicekit.identity.models import ApiToken, User
from servicekit.pagination import Page, PageQuery, fetch_page
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

Password = Annotated[Secret, StringConstraints(min_length=10)]
EmailAddress = Annotated[Email, StringConstraints(min_length=3)]


class Credentials(Body):
    email: EmailAddress
    password: Secret


class AccessToken(BaseModel):
    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the field's fixed value)
    expires_in: int


class NewApiToken(Body):
    name: Name


class ApiTokenOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None


class ApiTokenCreated(ApiTokenOut):
    token: str


class NewUser(Body):
    email: EmailAddress
    password: Password
    role: Role = "member"
    name: Line = ""


class UserEdit(Body):
    role: Role | None = None
    name: Line | None = None
    password: Password | None = None
    is_active: bool | None = None


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    name: str
    role: Role
    is_active: bool
    created_at: datetime


router = APIRouter(tags=["people"])


@router.post("/v1/tokens")
async def sign_in(
    body: Credentials, database: ServiceDatabase, attempts: ServiceAttempts, request: Request, response: Response
) -> AccessToken:
    """Sign in with e-mail and password; gives a bearer token for an hour."""
    tokens = request.app.state.service.tokens
    token = await service.sign_in(database, tokens, attempts, body.email, body.password, address_of(request))
    response.headers["Cache-Control"] = "no-store"
    return AccessToken(access_token=token, expires_in=int(PERSON_TOKEN_LIFETIME.total_seconds()))


@router.post("/v1/api-tokens", status_code=201)
async def create_api_token(body: NewApiToken, session: WriteSession, principal: Viewer) -> ApiTokenCreated:
    """A long-lived token that acts as you. The token is in this answer alone."""
    token, secret = await service.create_api_token(session, principal.id, body.name)
    return ApiTokenCreated(**ApiTokenOut.model_validate(token).model_dump(), token=secret)


@router.get("/v1/api-tokens")
async def list_api_tokens(session: ReadSession, principal: Viewer, page: PageQuery) -> Page[ApiTokenOut]:
    """Your own tokens, newest first."""
    mine = select(ApiToken).where(ApiToken.user_id == principal.id)
    rows, cursor = await fetch_page(session, mine, keys=[ApiToken.id], page=page, key_of=lambda row: [row.id])
    return Page(items=[ApiTokenOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.delete("/v1/api-tokens/{token_id}", status_code=204)
async def revoke_api_token(token_id: str, session: WriteSession, principal: Viewer) -> None:
    """Revoke a token: it stops working at once."""
    await service.revoke_api_token(session, token_id, principal)


@router.post("/v1/users", status_code=201)
async def create_user(body: NewUser, database: ServiceDatabase, _: Admin) -> UserOut:
    """A new user of this product."""
    user = await service.create_user(database, email=body.email, password=body.password, role=body.role, name=body.name)
    return UserOut.model_validate(user)


@router.get("/v1/users")
async def list_users(session: ReadSession, _: Admin, page: PageQuery) -> Page[UserOut]:
    """The users, newest first."""
    rows, cursor = await fetch_page(session, select(User), keys=[User.id], page=page, key_of=lambda row: [row.id])
    return Page(items=[UserOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.patch("/v1/users/{user_id}")
async def edit_user(user_id: str, body: UserEdit, database: ServiceDatabase, _: Admin) -> UserOut:
    """Change role, name or password, deactivate or activate; it has effect at once."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    return UserOut.model_validate(await service.edit_user(database, user_id, changes))
