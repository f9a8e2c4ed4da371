"""Use cases: sign in, recognise a token, manage users and API tokens."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Authenticate, Principal, Role, Tokens
from servicekit.db import Database, utc_now
from servicekit.errors import Conflict, NotFound, Unauthorized
from servicekit.identity import sign_ins
from servicekit.identity.attempts import Attempts
from servicekit.identity.models import ApiToken, User
from servicekit.identity.models import token_hash as token_hash
from servicekit.identity.passwords import hash_password, verify_password

API_TOKEN_PREFIX = "api_"  # noqa: S105 (not a secret)


class WrongCredentials(Unauthorized):
    """E-mail or password is wrong, or the user is deactivated; it is not said which."""

    code = "wrong_credentials"


class UserExists(Conflict):
    code = "user_exists"


class LastAdministrator(Conflict):
    code = "last_administrator"


async def check_password(database: Database, attempts: Attempts, email: str, password: str, address: str) -> User:
    """The user whose password this is. ``address``: where the request comes from.

    Raises `WrongCredentials`, and `TooManyRequests` where too many attempts have failed (see `Attempts`).
    """
    email = email.strip().lower()
    attempts.begin(email, address)
    try:
        async with database.reading() as session:
            user = await find_user(session, email)
        right = await verify_password(password, user.password_hash if user else None)
    except BaseException:
        attempts.take_back(email, address)
        raise
    if user is None or not right or not user.is_active:
        raise WrongCredentials("e-mail or password is wrong")
    attempts.succeeded(email, address)
    return user


async def sign_in(
    database: Database, tokens: Tokens, attempts: Attempts, email: str, password: str, address: str
) -> str:
    """A person's bearer token. Raises as `check_password` does."""
    user = await check_password(database, attempts, email, password, address)
    return tokens.for_person(user_id=user.id, email=user.email, role=user.role)


async def find_user(session: AsyncSession, email: str) -> User | None:
    """The user with this e-mail address, in whatever letters."""
    return (await session.execute(select(User).where(User.email == email.strip().lower()))).scalar_one_or_none()


async def create_user(database: Database, *, email: str, password: str, role: Role, name: str = "") -> User:
    """A new user. Raises `UserExists`."""
    password_hash = await hash_password(password)  # before the transaction: it takes long
    try:
        async with database.transaction() as session:
            return await _add_user(session, email, password_hash, role, name)
    except IntegrityError:
        raise UserExists(f"there is a user {email} already") from None  # made at the same moment


async def _add_user(session: AsyncSession, email: str, password_hash: str, role: Role, name: str = "") -> User:
    email = email.strip().lower()
    if await find_user(session, email) is not None:
        raise UserExists(f"there is a user {email} already")
    user = User(email=email, name=name, role=role, password_hash=password_hash)
    session.add(user)
    await session.flush()
    return user


async def edit_user(database: Database, user_id: str, changes: Mapping[str, Any]) -> User:
    """Change ``role``, ``name``, ``is_active`` or ``password`` of a user. Raises `NotFound`, `LastAdministrator`.

    A new password, or being deactivated, signs the user out of every browser.
    """
    changed = dict(changes)
    if (password := changed.pop("password", None)) is not None:
        changed["password_hash"] = await hash_password(password)
    async with database.transaction() as session:
        user = await session.get(User, user_id, with_for_update=True)
        if user is None:
            raise NotFound(f"no user {user_id}", code="user_not_found")
        for name, value in changed.items():
            setattr(user, name, value)
        await session.flush()
        if "password_hash" in changed or not user.is_active:
            await sign_ins.end_all(session, user.id)
        admins = select(User.id).where(User.role == "admin", User.is_active).limit(1)
        if (await session.execute(admins)).first() is None:
            raise LastAdministrator("somebody must be an active administrator; make another one first")
        return user


async def ensure_admin(database: Database, email: str, password: str) -> bool:
    """Make the first administrator if there is no user yet; whether it was made."""
    anyone = select(User.id).limit(1)
    async with database.reading() as session:
        if (await session.execute(anyone)).first() is not None:
            return False
    password_hash = await hash_password(password)
    try:
        async with database.transaction() as session:
            if (await session.execute(anyone)).first() is not None:
                return False
            await _add_user(session, email, password_hash, "admin")
    except (IntegrityError, UserExists):
        return False  # another process that starts at the same moment has made it
    return True


async def create_api_token(session: AsyncSession, user_id: str, name: str) -> tuple[ApiToken, str]:
    """A new long-lived token of the user: what is kept of it, and the token itself, to be shown this once."""
    secret = API_TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user_id=user_id, name=name, prefix=secret[:12], token_hash=token_hash(secret))
    session.add(token)
    await session.flush()
    return token, secret


async def revoke_api_token(session: AsyncSession, token_id: str, principal: Principal) -> None:
    """Revoke a token of one's own, or as an administrator anyone's. Raises `NotFound`."""
    token = await session.get(ApiToken, token_id)
    if token is None or (token.user_id != principal.id and principal.role != "admin"):
        raise NotFound(f"no API token {token_id}", code="api_token_not_found")
    await session.delete(token)


def authenticator(database: Database, tokens: Tokens) -> Authenticate:
    """Recognises this product's API tokens and signed tokens; a person's role, and whether they are active, is read
    anew each time, so that a change has effect at once."""

    async def authenticate(token: str) -> Principal:
        if token.startswith(API_TOKEN_PREFIX):
            return await _by_api_token(database, token)
        principal = tokens.verify(token)
        if principal.service is not None:
            return principal
        async with database.reading() as session:
            user = await session.get(User, principal.id)
        if user is None or not user.is_active:
            raise Unauthorized("this user is deactivated or gone", code="user_inactive")
        return Principal(id=user.id, name=user.email, role=user.role)

    return authenticate


async def _by_api_token(database: Database, token: str) -> Principal:
    async with database.reading() as session:
        row = (
            await session.execute(
                select(ApiToken, User)
                .join(User, User.id == ApiToken.user_id)
                .where(ApiToken.token_hash == token_hash(token), User.is_active)
            )
        ).first()
    if row is None:
        raise Unauthorized("the API token is not valid (any more)", code="token_invalid")
    api_token, user = row
    now = utc_now()
    if api_token.last_used_at is None or now - api_token.last_used_at > timedelta(minutes=5):
        async with database.transaction() as session:
            if (kept := await session.get(ApiToken, api_token.id)) is not None:
                kept.last_used_at = now
    return Principal(id=user.id, name=user.email, role=user.role)
