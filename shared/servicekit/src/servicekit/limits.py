"""How large a request may be: a body past the limit is refused before it fills the memory."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.errors import TooLarge, render

MEBIBYTE = 1024 * 1024
DEFAULT = 4 * MEBIBYTE
BY_CONTENT_TYPE: Mapping[str, int] = {"text/csv": 64 * MEBIBYTE}


class BodyLimitMiddleware:
    """Answers 413 to a request whose body is larger than its content type may be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        limit = BY_CONTENT_TYPE.get(content_type, DEFAULT)
        problem = TooLarge(f"the body may have at most {limit // MEBIBYTE} MiB; send it in parts", limit_bytes=limit)
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await render(problem)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise problem
            return message

        async def unless_too_large(message: Message) -> None:
            # The framework takes any error while reading a body for a malformed one: its answer is not the one to give.
            if seen <= limit:
                await send(message)

        try:
            await self.app(scope, counted, unless_too_large)
        except TooLarge:
            if seen <= limit:
                raise
        if seen > limit:
            await render(problem)(scope, receive, send)
