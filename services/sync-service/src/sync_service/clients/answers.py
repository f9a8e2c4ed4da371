"""Answers of other services that are not what they should be."""

from collections.abc import Iterator
from contextlib import contextmanager

from servicekit.errors import Unavailable


@contextmanager
def understood(service: str, what: str) -> Iterator[None]:
    """Read an answer of ``service``; one that is not ``what`` is like none: raises `Unavailable`.

    A proxy's error page, another version that is just being rolled out: both may be over in a while.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(
            f"{service} answered with something that is not {what}; see whether {service.upper()}_URL leads to it",
            service=service,
        ) from error
