"""Nobody else's page can make a browser act here.

Guarantee: a request that may change something is carried out only if the browser says that a page of ours sent it
(Sec-Fetch-Site, or Origin where that is missing), and if it bears the token that our pages carry, which is bound to the
person. Either alone would do; both are asked for.
"""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

from servicekit.errors import Forbidden

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_FIELDS = 10_000
"""Of one form: more than the longest document has, which has a thousand lines."""


class FromElsewhere(Forbidden):
    """The request was not sent by a page of ours, or by one that is too old."""

    code = "not_from_our_page"


class Signer:
    """Makes tokens that only this service can make."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sign(self, purpose: str, text: str) -> str:
        """The signature of ``text``, good for ``purpose`` alone."""
        return hmac.new(self._secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()

    def verify(self, purpose: str, text: str, signature: str) -> bool:
        """Whether the signature is ours."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())


async def form_of(request: Request) -> FormData:
    """The fields that were sent."""
    return await request.form(max_fields=MAX_FIELDS)


def check_origin(request: Request) -> None:
    """Raise `FromElsewhere` if the browser says that another site, or another port of this host, sent the request."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        ours = fetch_site in {"same-origin", "none"}  # none: the person's own doing, such as loading a page again
    else:
        origin = request.headers.get("origin")
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise FromElsewhere("this was sent by a page of another site, so nothing was done")


async def check_token(request: Request, signer: Signer, bound_to: str) -> None:
    """Raise `FromElsewhere` unless the header or the form bears the token that is bound to this."""
    token = request.headers.get(HEADER)
    if token is None:
        sent = (await form_of(request)).get(FIELD)
        token = sent if isinstance(sent, str) else ""
    if not bound_to or not signer.verify("csrf", bound_to, token):
        raise FromElsewhere("this page was opened by someone else, or before signing in; load it again and repeat it")
