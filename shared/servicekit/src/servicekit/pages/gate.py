"""The gate to the pages: who is not signed in is led to the sign-in, and afterwards back to where they were.

Guarantee: pages know a person by their cookie alone, and ``/v1`` by a bearer token alone. Every answer bears the
headers that keep a browser from running, loading or framing anything that is not ours.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import DBAPIError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.errors import Problem, database_away
from servicekit.pages.csrf import SAFE
from servicekit.pages.live import OVER
from servicekit.pages.page import Page
from servicekit.pages.problems import problem_page
from servicekit.pages.site import OPEN_PAGES, is_page
from servicekit.telemetry import log

if TYPE_CHECKING:
    from servicekit.identity.sign_ins import Visitor

Recognise = Callable[[str], Awaitable["Visitor | None"]]
"""Takes the secret of a cookie, gives who is signed in with it."""

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """Stands before the pages of a service; everything else passes by."""

    def __init__(self, app: ASGIApp, *, recognise: Recognise) -> None:
        self.app = app
        self.recognise = recognise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        def tell(problem: Problem) -> Response:
            return problem_page(Page(request), problem)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message))
            await send(message)

        scope.setdefault("state", {}).update(admitted=True, tell=tell, visitor=None)
        answer = await self._turned_away(request)
        await (self.app if answer is None else answer)(scope, receive, guarded)

    async def _turned_away(self, request: Request) -> Response | None:
        """The answer, if the request may not pass; who passes stands in its state."""
        page = Page(request)
        try:
            if (secret := page.cookies["session"]) is not None:
                request.state.visitor = await self.recognise(secret)
        except (DBAPIError, OSError) as error:
            log.warning("pages_without_database", error=type(error).__name__)
            return problem_page(page, database_away())
        if request.state.visitor is not None:
            request.state.principal = request.state.visitor.principal
            return None
        return None if request.url.path in OPEN_PAGES else _to_sign_in(page)


def _to_sign_in(page: Page) -> Response:
    request = page.request
    if page.path == "/live":
        return Response(OVER, media_type="text/event-stream")
    back = page.url if request.method in SAFE and not page.by_htmx else _came_from(request)
    path = "/sign-in" if back == "/" else f"/sign-in?next={quote(back, safe='/')}"
    if page.by_htmx:
        return Response(status_code=401, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def _came_from(request: Request) -> str:
    """The path of the page that sent the request."""
    parts = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host"):
        return "/"
    return own_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def own_path(path: str) -> str:
    """``path`` if it can only lead to a page of ours; otherwise ``/``."""
    leads_away = not path.startswith("/") or path[1:2] in {"/", "\\"} or not path.isprintable() or len(path) > 2000
    return "/" if leads_away or not is_page(urlsplit(path).path) else path


def _add_headers(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if headers.get("content-type", "").startswith("text/html"):
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        headers.setdefault("Cache-Control", "no-store")
    else:
        headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        headers.setdefault("Cache-Control", "private, no-cache")
