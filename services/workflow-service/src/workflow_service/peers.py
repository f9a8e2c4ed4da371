"""The other services, as far as their answers go.

Guarantee: what is no answer of theirs, the page of a proxy between us perhaps, counts as none: it is tried again later.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import orjson
from servicekit.errors import Unavailable
from servicekit.http import Refused, ServiceClient

T = TypeVar("T")


class Peer:
    """Another service. Raises `Unavailable` where trying again later may help, `servicekit.http.Refused` (4xx) else."""

    def __init__(self, client: ServiceClient, name: str) -> None:
        self._client = client
        self._name = name

    async def request(self, method: str, path: str, **what: Any) -> httpx.Response:
        """As `ServiceClient.request`; a redirection is no answer."""
        try:
            return await self._client.request(method, path, **what)
        except Refused as refused:
            if refused.status >= 400:
                raise
            raise self._no_answer(f"a redirection ({refused.status})") from refused

    def read(self, answer: httpx.Response, meaning: Callable[[Any], T]) -> T:
        """What the JSON of an answer means; raises `Unavailable` if it is none, or none that we know."""
        try:
            return meaning(orjson.loads(answer.content))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            kind = answer.headers.get("Content-Type", "nothing that says what it is")
            raise self._no_answer(f"what cannot be its answer ({kind})") from error

    def _no_answer(self, what: str) -> Unavailable:
        return Unavailable(f"{self._name} answered with {what}; try again later", service=self._name)
