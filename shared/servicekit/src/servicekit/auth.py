"""Who is asking: bearer tokens of people and of services, and what each may do.

Secure by default: `AuthMiddleware` turns away every request without a valid token; what is open is listed here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Annotated, Any, Literal

import jwt
from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.db import utc_now
from servicekit.errors import Forbidden, Problem, Unauthorized, render

Role = Literal["viewer", "member", "admin"]
RANK: dict[Role, int] = {"viewer": 0, "member": 1, "admin": 2}

PERSON_TOKEN_LIFETIME = timedelta(hours=1)
SERVICE_TOKEN_LIFETIME = timedelta(seconds=60)
ALGORITHM = "HS256"

OPEN_PATHS = frozenset({"/", "/health/live", "/health/ready", "/openapi.json", "/docs"})
"""Health, and the description of the API, which holds no record; ``/`` leads there."""
OPEN_PREFIXES = ("/static/",)
SIGN_IN = ("POST", "/v1/tokens")


@dataclass(frozen=True)
class Principal:
    """Who asks. ``name``: an e-mail address, or a service's name. ``service``: the calling service, if it is one.

    A service that acts for a person carries that person's name and role.
    """

    id: str
    name: str
    role: Role
    service: str | None = None


Authenticate = Callable[[str], Awaitable[Principal]]
"""Takes a bearer token, gives who it belongs to, raises `Unauthorized`."""


class Tokens:
    """Signs and checks the short-lived tokens; one secret for all services, every token for named audiences only."""

    def __init__(self, secret: str, service: str) -> None:
        self._secret = secret
        self.service = service

    def for_person(self, *, user_id: str, email: str, role: Role) -> str:
        """A person's token: good for the service that signs it, and for sync and workflow."""
        audience = [self.service, "sync", "workflow"]
        return self._sign(
            {"sub": user_id, "name": email, "role": role, "use": "person"}, audience, PERSON_TOKEN_LIFETIME
        )

    def for_service(self, audience: str, *, on_behalf_of: Principal | None = None) -> str:
        """This service's token for a call to ``audience``, perhaps in a person's name and with that person's role."""
        claims: dict[str, Any] = {"sub": self.service, "name": self.service, "role": "member", "use": "service"}
        if on_behalf_of is not None:
            claims |= {"name": on_behalf_of.name, "role": on_behalf_of.role}
        return self._sign(claims, [audience], SERVICE_TOKEN_LIFETIME)

    def _sign(self, claims: dict[str, Any], audience: list[str], lifetime: timedelta) -> str:
        now = utc_now()
        claims |= {"iss": self.service, "aud": audience, "iat": now, "exp": now + lifetime}
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Principal:
        """Who the token speaks for. Raises `Unauthorized` if it is not ours, not for this service, or expired."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=self.service,
                leeway=5,
                options={"require": ["exp", "aud", "sub", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("the token has expired; sign in again", code="token_expired") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("the bearer token is not valid for this service", code="token_invalid") from None
        service = claims["iss"] if claims.get("use") == "service" else None
        return Principal(id=claims["sub"], name=claims["name"], role=claims["role"], service=service)


class AuthMiddleware:
    """Asks every request who it is, before its body is read; puts the `Principal` into the request's state.

    What ``admitted`` in the state says was asked already, by the gate of the pages.
    """

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, metrics_token: str | None) -> None:
        self.app = app
        self.authenticate = authenticate
        self.metrics_token = metrics_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope) or scope.get("state", {}).get("admitted"):
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._principal(HTTPConnection(scope))
        except Problem as problem:
            problem.headers.setdefault("WWW-Authenticate", "Bearer")
            await render(problem)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self.app(scope, receive, send)

    async def _principal(self, connection: HTTPConnection) -> Principal:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("send a bearer token: Authorization: Bearer …; POST /v1/tokens gives one")
        scraping = connection.scope["path"] == "/metrics" and self.metrics_token
        if scraping and compare_digest(token.strip().encode(), scraping.encode()):
            return Principal(id="metrics", name="metrics", role="viewer")
        return await self.authenticate(token.strip())


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES) or (scope["method"], path) == SIGN_IN


async def current_principal(request: Request) -> Principal:
    """Who sent this request."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise Unauthorized("send a bearer token: Authorization: Bearer …; POST /v1/tokens gives one")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def refusal(role: Role, principal: Principal) -> Forbidden | None:
    """Why the principal may not do what needs this role; None if they may."""
    if RANK[principal.role] >= RANK[role]:
        return None
    return Forbidden(f"this needs the role {role}; {principal.name} is {principal.role}", code="role_too_low")


def require(role: Role, principal: Principal) -> None:
    """Raise `Forbidden` unless the principal has at least this role."""
    if (why := refusal(role, principal)) is not None:
        raise why


def _require(role: Role) -> Callable[[Principal], Awaitable[Principal]]:
    async def check(principal: CurrentPrincipal) -> Principal:
        require(role, principal)
        return principal

    return check


async def _service_only(principal: CurrentPrincipal) -> Principal:
    if principal.service is None:
        raise Forbidden("only our own services may call this", code="services_only")
    return principal


Viewer = Annotated[Principal, Depends(_require("viewer"))]
"""Anyone who is signed in."""
Member = Annotated[Principal, Depends(_require("member"))]
"""Someone who may create and edit."""
Admin = Annotated[Principal, Depends(_require("admin"))]
"""Someone who may set up."""
ServiceOnly = Annotated[Principal, Depends(_service_only)]
"""One of our own services."""
