"""The cookies of pages: never readable by scripts, never sent along by other sites' forms, only by TLS where there is.

CRM and Invoice may be on one host, and cookies know no ports: the names differ by product.
"""

from starlette.requests import Request
from starlette.responses import Response


class Cookies:
    """The cookies of one request."""

    def __init__(self, request: Request, product: str, always_secure: bool) -> None:
        self._request = request
        self._product = product
        self.visit: str | None = None
        """What names a browser from now on that had no name yet."""
        proto = request.headers.get("x-forwarded-proto", request.url.scheme)
        self._secure = always_secure or proto.partition(",")[0].strip() == "https"

    def __getitem__(self, name: str) -> str | None:
        return self._request.cookies.get(self._name(name))

    def keep(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Have the browser keep a cookie: so long, or until it is closed."""
        response.set_cookie(
            self._name(name), value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        response.delete_cookie(self._name(name), path="/", secure=self._secure, httponly=True, samesite="lax")

    def _name(self, name: str) -> str:
        return f"{self._product}_{name}"
