"""A form that is sent twice, by a double click or after going back, is carried out once.

Guarantee: every form that a page shows bears a key of its own. Key and content together are stored in the transaction
of what the form does, with where that led: the same sent again leads there again, and does nothing. Two at once: the
second waits for the first, on both databases. With something else typed into it, it is another form.
"""

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from servicekit.idempotency import claim, idempotency_keys

if TYPE_CHECKING:
    from servicekit.pages.page import Page

FIELD = "form_key"
_CARRIED_OUT = 303


class Once:
    """One form's key, taken in ``session``. ``again``: the answer, if this form was carried out before."""

    def __init__(
        self, page: "Page", session: AsyncSession, scope: str, key: str | None, again: Response | None
    ) -> None:
        self._page = page
        self._session = session
        self._scope = scope
        self._key = key
        self.again = again

    async def done(self, path: str, *, said: str) -> Response:
        """The answer to the form, as `Page.done` gives it; kept for the case that it is sent again."""
        if self._key is not None:
            await self._session.execute(
                update(idempotency_keys)
                .where(idempotency_keys.c.scope == self._scope, idempotency_keys.c.key == self._key)
                .values(status=_CARRIED_OUT, location=path, body=said.encode())
            )
        return self._page.done(path, said=said)


async def take(page: "Page", session: AsyncSession, sent: FormData) -> Once:
    """Take the key of the form that ``page`` was sent; a form without one is carried out each time."""
    scope = hashlib.sha256(f"form\n{page.principal.id}\n{page.path}".encode()).hexdigest()
    if not sent.get(FIELD):
        return Once(page, session, scope, None, None)
    key = hashlib.sha256(repr([(name, _known_by(value)) for name, value in sent.multi_items()]).encode()).hexdigest()
    before = await claim(session, scope, key, digest="")
    again = None if before is None else page.done(before.location or page.site.home, said=(before.body or b"").decode())
    return Once(page, session, scope, key, again)


def _known_by(value: str | UploadFile) -> object:
    return value if isinstance(value, str) else (value.filename, value.size)
