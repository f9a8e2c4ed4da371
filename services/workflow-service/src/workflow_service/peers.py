"""The other services, as far as their answers go.

Guarantee: what is no answer of theirs, the page of a proxy between us perhaps, counts as none: it is tried again later.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import orjson
from servicekit.errors import Unavailable
from servicekit.http import ServiceClient

T = TypeVar("T")


class Peer:
    """Another service, asked by ``request`` as `ServiceClient.request` does."""

    def __init__(self, client: ServiceClient, name: str) -> None:
        self.request = client.request
        self._name = name

    def read(self, answer: httpx.Response, meaning: Callable[[Any], T]) -> T:
        """What the JSON of an answer means; raises `Unavailable` if it is none, or none that we know."""
        try:
            return meaning(orjson.loads(answer.content))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told = f"{self._name} answered with what cannot be its answer; try again later"
            raise Unavailable(told, service=self._name) from error
