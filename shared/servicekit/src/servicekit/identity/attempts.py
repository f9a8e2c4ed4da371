"""How often one may try to sign in: who guesses passwords is made to wait, who merely mistyped theirs is not.

Guarantee: within `WINDOW`, no more than a few wrong passwords are checked for one e-mail address from one place, and
not many more for one e-mail address from everywhere, or from one place for all e-mail addresses. A place that fails
for an e-mail address does not keep its owner out elsewhere, before very many places do.

Kept in the process, within bounds: with several processes the limits are as many times higher.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from servicekit.errors import TooManyRequests

WINDOW = 900.0
"""Seconds for which a failure counts."""
AT_MOST = {"both": 5, "address": 50, "email": 100}
MOST_KEYS = 20_000


def address_of(connection: HTTPConnection) -> str:
    """The network address that a request comes from; behind a proxy, what the server takes from its headers."""
    return connection.client.host if connection.client else "unknown"


class Attempts:
    """Remembers what failed lately. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str, str], deque[float]] = OrderedDict()

    def begin(self, email: str, address: str) -> None:
        """Count an attempt as failed until it is known not to be: of many at once, no more get through than one after
        another. Raises `TooManyRequests`, saying when one may try again, if too many have failed."""
        now = self._clock()
        waits = [WINDOW - (now - self._recent(key, now)[0]) for key in _keys(email, address) if self._is_full(key, now)]
        if waits:
            seconds = math.ceil(max(waits))
            raise TooManyRequests(
                f"too many attempts to sign in have failed; try again in {_minutes(seconds)}",
                code="too_many_sign_ins",
                headers={"Retry-After": str(seconds)},
            )
        for key in _keys(email, address):
            self._failures.setdefault(key, deque(maxlen=AT_MOST[key[0]])).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, email: str, address: str) -> None:
        """Forget the mistakes that this person made here."""
        self.take_back(email, address)
        self._failures.pop(("both", email, address), None)

    def take_back(self, email: str, address: str) -> None:
        """An attempt that was begun was no failure."""
        for key in _keys(email, address):
            if found := self._failures.get(key):
                found.pop()

    def _is_full(self, key: tuple[str, str, str], now: float) -> bool:
        return len(self._recent(key, now)) >= AT_MOST[key[0]]

    def _recent(self, key: tuple[str, str, str], now: float) -> deque[float]:
        found = self._failures.get(key, deque())
        while found and now - found[0] >= WINDOW:
            found.popleft()
        return found


def _keys(email: str, address: str) -> Iterator[tuple[str, str, str]]:
    yield "both", email, address
    yield "address", "", address
    yield "email", email, ""


def _minutes(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


async def _attempts(request: Request) -> Attempts:
    attempts: Attempts = request.app.state.attempts
    return attempts


ServiceAttempts = Annotated[Attempts, Depends(_attempts)]
"""Those at the service that the request came to."""
