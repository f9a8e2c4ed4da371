"""A person's client of the running services, as a front end would have: over HTTP, with a bearer token."""

import contextlib
import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import httpx


class ApiError(Exception):
    """A service refused; the message is what its problem document says. ``code``: the problem's."""

    def __init__(self, asked: str, answer: httpx.Response) -> None:
        problem = _problem(answer)
        self.code = str(problem.get("code", "unknown"))
        super().__init__(str(problem.get("detail") or f"{asked}: {answer.status_code} {answer.text}"))


class Api:
    """The four services, called with the tokens of one person. ``urls``: service → address."""

    def __init__(self, http: httpx.AsyncClient, urls: Mapping[str, str]) -> None:
        self._http = http
        self._urls = urls
        self._tokens: dict[str, str] = {}
        self._sign_in_again: Callable[[], Awaitable[None]] | None = None

    @property
    def services(self) -> list[str]:
        """The services whose address is known."""
        return list(self._urls)

    async def sign_in(self, email: str, password: str, *, to: Sequence[str] = ("crm", "invoice")) -> None:
        """Sign in to the CRM, and to Invoice unless ``to`` leaves it out; sync and workflow take the CRM's token."""
        for service in to:
            answer = await self.call("POST", service, "/v1/tokens", json={"email": email, "password": password})
            self._tokens[service] = answer.json()["access_token"]
        self._tokens["sync"] = self._tokens["workflow"] = self._tokens["crm"]
        # A token lasts an hour, and what is followed may take longer.
        self._sign_in_again = partial(self.sign_in, email, password, to=to)

    async def call(self, method: str, service: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and give its answer, whatever its status below 500 except an unexpected refusal.

        ``accept``: statuses of refusals that the caller expects. Raises `ApiError` for the others.
        """
        accept: Sequence[int] = options.pop("accept", ())
        headers = options.pop("headers", {})

        async def send() -> httpx.Response:
            sent = {**headers, **self._signed(service)}
            return await self._http.request(method, self._urls[service] + path, headers=sent, **options)

        answer = await send()
        if answer.status_code == 401 and await self._signed_in_again():
            answer = await send()
        if answer.is_success or answer.status_code in accept:
            return answer
        raise ApiError(f"{method} {service} {path}", answer)

    async def events(self, service: str, path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Server-sent events as (name, data), until the service ends the stream or the connection breaks.

        None at all if someone had to sign in again first: then ask once more.
        """
        with contextlib.suppress(httpx.TransportError):
            url, patience = self._urls[service] + path, httpx.Timeout(60, connect=5)
            async with self._http.stream("GET", url, headers=self._signed(service), timeout=patience) as answer:
                if answer.status_code == 401 and await self._signed_in_again():
                    return
                if not answer.is_success:
                    await answer.aread()
                    raise ApiError(f"GET {service} {path}", answer)
                name = "message"
                async for line in answer.aiter_lines():
                    field, _, value = line.partition(":")
                    if field == "event":
                        name = value.strip()
                    elif field == "data":
                        yield name, json.loads(value)

    async def _signed_in_again(self) -> bool:
        """Whether there was someone to sign in again; not twice in a row."""
        if (again := self._sign_in_again) is None:
            return False
        self._sign_in_again = None
        await again()
        return True

    def _signed(self, service: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[service]}"} if service in self._tokens else {}

    async def everything(self, service: str, path: str, **params: str) -> AsyncIterator[dict[str, Any]]:
        """Each record of a list, page by page."""
        cursor: str | None = None
        while True:
            query = {**params, "limit": "200", **({"cursor": cursor} if cursor else {})}
            page = (await self.call("GET", service, path, params=query)).json()
            for item in page["items"]:
                yield item
            if (cursor := page["next_cursor"]) is None:
                return

    async def import_csv(self, path: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Import rows into the CRM: all of them or, with `ApiError`, none."""
        if not rows:
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        await self.call("POST", "crm", path, content=text.getvalue().encode(), headers={"Content-Type": "text/csv"})


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
