"""Passwords: argon2, in threads of their own, at most two at once (each takes 160 to 460 ms of a core and 64 MiB)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash

from servicekit.errors import TooManyRequests

MOST_WAITING = 16


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="argon2")


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


class _Waiting:
    """How many sign-ins are being checked or wait for it."""

    count = 0


@cache
def _waiting() -> _Waiting:
    return _Waiting()


async def hash_password(password: str) -> str:
    """The hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), _hasher().hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. Without a hash (no such user) it takes as long, and is False.

    Raises `TooManyRequests` where too many wait already: who guesses passwords must not keep others from signing in
    for longer than a few seconds.
    """
    waiting = _waiting()
    if waiting.count >= MOST_WAITING:
        raise TooManyRequests("too many sign-ins at once; try again in some seconds", headers={"Retry-After": "5"})
    waiting.count += 1
    try:
        if password_hash is None:
            await hash_password(password)
            return False
        return await asyncio.get_running_loop().run_in_executor(_threads(), _hasher().verify, password, password_hash)
    finally:
        waiting.count -= 1
