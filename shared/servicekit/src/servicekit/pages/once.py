"""A form that is sent twice, by a double click or after going back, is carried out once.

Guarantee: every form that a page shows bears a key of its own. Key and content together are stored in the transaction
of what the form does, with where that led: the same sent again leads there again, and does nothing. Two at once: the
second waits for the first, on both databases. With something else typed into it, it is another form.
"""

import hashlib
from typing import Protocol

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from servicekit.idempotency import claim, idempotency_keys

FIELD = "form_key"
_CARRIED_OUT = 303


class Answer(Protocol):
    """`Page.done` or `Page.go`."""

    def __call__(self, path: str, *, said: str) -> Response: ...


class Once:
    """One form's key, to be taken in ``session``. ``again``: the answer, if this form was carried out before."""

    def __init__(self, session: AsyncSession, scope: str, answer: Answer) -> None:
        self.again: Response | None = None
        self._session = session
        self._scope = scope
        self._answer = answer
        self._key: str | None = None

    async def take(self, sent: FormData) -> None:
        """Take the key of the form that was sent; a form without one is carried out each time."""
        if not sent.get(FIELD):
            return
        content = repr([(name, _known_by(value)) for name, value in sent.multi_items()])
        self._key = hashlib.sha256(content.encode()).hexdigest()
        if (before := await claim(self._session, self._scope, self._key, digest="")) is not None:
            self.again = self._answer(before.location or "/", said=(before.body or b"").decode())

    async def done(self, path: str, *, said: str) -> Response:
        """The answer to the form; kept for the case that it is sent again."""
        if self._key is not None:
            await self._session.execute(
                update(idempotency_keys)
                .where(idempotency_keys.c.scope == self._scope, idempotency_keys.c.key == self._key)
                .values(status=_CARRIED_OUT, location=path, body=said.encode())
            )
        return self._answer(path, said=said)


def _known_by(value: str | UploadFile) -> object:
    return value if isinstance(value, str) else (value.filename, value.size)
