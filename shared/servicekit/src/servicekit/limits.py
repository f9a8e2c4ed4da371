"""What a request may be at all: a body past the limit is refused before it fills the memory."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.errors import BadRequest, TooLarge, answer

MEBIBYTE = 1024 * 1024
DEFAULT = 4 * MEBIBYTE
BY_LAST_WORD: Mapping[str, int] = {"import": 64 * MEBIBYTE, "tokens": MEBIBYTE // 16, "plan": 16 * MEBIBYTE}
"""By the last part of the path: CSV files may be large, and what plans take into account; what anyone may send without
being known may not."""


class BodyLimitMiddleware:
    """Answers 413 to a request whose body is larger than its route takes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
            # No database can look for it, and nothing of ours has it in its name.
            nul = BadRequest("the address has a NUL character (%00); leave it out")
            await answer(scope, nul)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = BY_LAST_WORD.get(scope["path"].rpartition("/")[2], DEFAULT)
        problem = TooLarge(f"the body may have at most {limit:,} bytes; send it in parts", limit_bytes=limit)
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await answer(scope, problem)(scope, receive, send)
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
            await answer(scope, problem)(scope, receive, send)
