"""Errors are facts with a status, raised with ids and rendered once, as RFC 9457 problem documents.

`Transient` and `Permanent` (from `faults`) tell a consumer what to do with an event it could not handle.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.faults import Permanent as Permanent
from servicekit.faults import Transient as Transient
from servicekit.telemetry import correlation_id, log

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal that the caller is told of.

    ``detail``: what is wrong, where, and what to do. ``errors``: the same per field, each ``{"field", "message"}``.
    ``extra``: further members of the document, such as ids. A subclass names ``status``, ``code`` and ``title``.
    """

    status: int = 400
    code: str = "bad_request"
    title: str = "Bad request"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The problem document (RFC 9457), with our members ``code``, ``errors`` and ``correlation_id``."""
        document: dict[str, Any] = {
            "type": f"urn:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }
        if self.errors:
            document["errors"] = self.errors
        if (current := correlation_id.get()) is not None:
            document["correlation_id"] = current
        return document


class BadRequest(Problem):
    """The request cannot be understood."""


class Unauthorized(Problem):
    status, code, title = 401, "unauthorized", "Not signed in"


class PaymentRequired(Problem):
    status, code, title = 402, "payment_required", "Not within the plan"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(Problem):
    status, code, title = 404, "not_found", "Not found"


class Conflict(Problem):
    status, code, title = 409, "conflict", "Not possible in the present state"


class PreconditionFailed(Problem):
    status, code, title = 412, "version_conflict", "Changed by someone else meanwhile"


class TooLarge(Problem):
    status, code, title = 413, "too_large", "Too large"


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported_media_type", "Wrong content type"


class Invalid(Problem):
    status, code, title = 422, "validation_error", "Something in the request is not valid"


class TooManyRequests(Problem):
    status, code, title = 429, "too_many_requests", "Too many requests at once"


class Unavailable(Problem, Transient):
    """A service that is needed does not answer. For a consumer: try again later."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"


class InternalError(Problem):
    """A fault of ours."""

    status, code, title = 500, "internal_error", "Internal error"

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. Try again; if it stays, name the correlation id.")


def invalid_field(field: str, message: str, **extra: Any) -> Invalid:
    """One field is wrong; ``field`` as in the request's body, such as ``line_items.0.rate``."""
    return Invalid(f"{field}: {message}", errors=[{"field": field, "message": message}], **extra)


def render(problem: Problem) -> JSONResponse:
    """The answer that tells of ``problem``."""
    return JSONResponse(
        problem.document(), status_code=problem.status, headers=problem.headers or None, media_type=MEDIA_TYPE
    )


Tell = Callable[[Problem], Response]


def answer(scope: Scope, problem: Problem) -> Response:
    """The answer to a request that met ``problem``: a problem document, unless the request is one for a page, which
    has brought its own way of telling."""
    tell: Tell = scope.get("state", {}).get("tell", render)
    return tell(problem)


def from_validation(errors: Sequence[Any]) -> Invalid:
    """Pydantic's errors as one `Invalid`; the values sent are left out, they may be secret."""
    found = [{"field": _field(error["loc"]), "message": _message(error)} for error in errors]
    first = found[0] if found else {"field": "", "message": "not valid"}
    more = f" ({len(found) - 1} more under errors)" if len(found) > 1 else ""
    return Invalid(f"{first['field']}: {first['message']}{more}", errors=found)


def _field(location: Sequence[Any]) -> str:
    parts = [str(part) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:] or parts
    return ".".join(parts)


NOT_A_NUMBER = "must be a number with a point, such as 1.5"
_PLAIN = {
    "decimal_parsing": NOT_A_NUMBER,
    "decimal_type": 'must be a number, such as 1.5 or "1.5"',
    "extra_forbidden": "there is no such field",
    "missing": "is required",
    "string_pattern_mismatch": "is not in the expected form",
    "model_attributes_type": "must be a JSON object, sent with Content-Type: application/json",
}


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] in {"too_long", "string_too_long"} and isinstance(error.get("input"), str):
        return f"must have at most {error['ctx']['max_length']:,} characters"
    if error["type"] == "string_too_short":
        least = error["ctx"]["min_length"]
        return "must not be empty" if least == 1 else f"must have at least {least} characters"
    if error["type"] == "too_long":
        return f"must have at most {error['ctx']['max_length']:,} entries"
    return _PLAIN.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


_OF_THE_FRAMEWORK = {
    404: ("not_found", "there is nothing at this address; /docs lists the addresses there are"),
    405: ("method_not_allowed", "this address does not take this method; Allow, and /docs, say which it takes"),
}


def install(app: FastAPI) -> None:
    """Render every error of the app as a problem document."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        return answer(request.scope, problem)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        if any(fault["type"] == "json_invalid" for fault in errors):
            where = errors[0].get("ctx", {}).get("error", "")
            return render(BadRequest(f"the body is not valid JSON: {where}", code="malformed_json"))
        return answer(request.scope, from_validation(errors))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400 and error.detail == "There was an error parsing the body":
            return render(BadRequest("the body is not JSON in UTF-8, or nested too deeply", code="malformed_json"))
        code, detail = _OF_THE_FRAMEWORK.get(error.status_code, ("http_error", str(error.detail)))
        problem = Problem(detail, code=code, headers=error.headers)
        problem.status, problem.title = error.status_code, str(error.detail)
        return answer(request.scope, problem)


class UnexpectedErrorMiddleware:
    """Answers what nobody foresaw with a problem document that tells nothing of the inside, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            if _in_each_other_s_way(error):
                log.warning("deadlock", path=scope["path"])
                detail = "it was in the way of another request and was not carried out; try again"
                busy = Unavailable(detail, code="busy", headers={"Retry-After": "1"})
                await answer(scope, busy)(scope, receive, send)
                return
            if _database_is_away(error):
                log.warning("database_away", path=scope["path"], error=type(error).__name__)
                await answer(scope, database_away())(scope, receive, send)
                return
            log.error("unexpected_error", path=scope["path"], exc_info=error)
            await answer(scope, InternalError())(scope, receive, send)


def database_away() -> Unavailable:
    """What is said while the database does not answer."""
    return Unavailable("our database does not answer right now; try again in a moment", code="database_away")


def _database_is_away(error: Exception) -> bool:
    """Whether the connection was lost or there was none to be had: PostgreSQL stops, starts, or is too busy."""
    if isinstance(error, PoolTimeout):
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")[:3] in {"57P", "080", "530"}


def _in_each_other_s_way(error: Exception) -> bool:
    """Whether PostgreSQL has ended a deadlock (40P01) or a conflict (40001) by refusing this transaction."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in {"40P01", "40001"}
