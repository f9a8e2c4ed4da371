"""A circuit breaker: a service that does not answer is left in peace, and its callers are told at once.

Guarantee: after ``failures`` calls in a row that got no answer, none is made for ``rest`` seconds; then one is let
through to try, and what becomes of it decides for all. Pure: whoever calls says what time it is.
"""

from dataclasses import dataclass


@dataclass
class Breaker:
    """The calls to one service, as one process sees them; times are in seconds of any clock that only goes forward.

    ``reason``: what the last call that failed has failed with.
    """

    failures: int = 5
    rest: float = 5.0
    reason: str = ""
    _in_a_row: int = 0
    _opened_at: float | None = None
    _trying: bool = False

    @property
    def trying(self) -> bool:
        """Whether one call is on its way to try; right after `refuses` has let one through, that one."""
        return self._trying

    def refuses(self, now: float) -> float | None:
        """None if a call may be made, which is then to end in `succeeded`, `failed` or `withdrawn`.

        Otherwise the seconds after which it is worth asking again.
        """
        if self._opened_at is None:
            return None
        left = self._opened_at + self.rest - now
        if left > 0:
            return left
        if self._trying:
            return self.rest
        self._trying = True
        return None

    def succeeded(self) -> None:
        """The service answered, whatever it said."""
        self._in_a_row = 0
        self._opened_at = None
        self._trying = False

    def failed(self, now: float, reason: str, *, trial: bool = False) -> None:
        """The service did not answer. A call from before all others were held back changes nothing more.

        ``trial``: it was the one let through to try.
        """
        self.reason = reason
        self._in_a_row += 1
        if trial or (self._opened_at is None and self._in_a_row >= self.failures):
            self._opened_at = now
            self._trying = False

    def withdrawn(self, *, trial: bool = False) -> None:
        """The call was given up by its caller; nothing was learnt. If it was the ``trial``, the next one may try."""
        if trial:
            self._trying = False
