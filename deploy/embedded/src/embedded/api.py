"""A person's client of the running services, as a front end would have: over HTTP, with a bearer token."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx


class ApiError(Exception):
    """A service refused; the message is its problem document's."""


class Api:
    """The four services, called with the tokens of one person. ``urls``: service → address."""

    def __init__(self, http: httpx.AsyncClient, urls: Mapping[str, str]) -> None:
        self._http = http
        self._urls = urls
        self._tokens: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in to CRM and Invoice; sync and workflow take the CRM's token."""
        for service in ("crm", "invoice"):
            answer = await self.call("POST", service, "/v1/tokens", json={"email": email, "password": password})
            self._tokens[service] = answer.json()["access_token"]
        self._tokens["sync"] = self._tokens["workflow"] = self._tokens["crm"]

    async def call(self, method: str, service: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and give its answer, whatever its status below 500 except an unexpected refusal.

        ``accept``: statuses of refusals that the caller expects. Raises `ApiError` for the others.
        """
        accept: Sequence[int] = options.pop("accept", ())
        headers = dict(options.pop("headers", {}))
        if service in self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens[service]}"
        answer = await self._http.request(method, self._urls[service] + path, headers=headers, **options)
        if answer.is_success or answer.status_code in accept:
            return answer
        raise ApiError(f"{method} {service} {path}: {answer.status_code} {answer.text}")

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
