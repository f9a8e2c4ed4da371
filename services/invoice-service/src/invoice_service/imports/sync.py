"""What the pages ask of sync, in the name of whoever is looking.

Raises `Unavailable` where trying again later may help, and what sync refuses as our own `Problem`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
from contracts.customers import FieldChange
from pydantic import BaseModel
from servicekit.auth import Principal
from servicekit.db import new_id
from servicekit.http import Refused, ServiceClient
from servicekit.pagination import PageRequest, encode_cursor

T = TypeVar("T")


class Counts(BaseModel):
    """Records by what became of them, or would."""

    read: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    made_inactive: int
    failed: int


class Failure(BaseModel):
    """A record that was not imported, and why."""

    record_type: str
    record_id: str
    name: str
    reason: str


class Run(BaseModel):
    """An import, a preview (``dry_run``), another try, a check or a mending; ``total``: None while unknown."""

    id: str
    kind: str
    retry_of: str | None
    status: str
    reason: str | None
    total: int | None
    counts: Counts
    changes: int
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    failures: Sequence[Failure] = ()

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("queued", "running")

    @property
    def only_tells(self) -> bool:
        """Whether it changes nothing, and tells what would be changed."""
        return self.kind in ("dry_run", "check")

    @property
    def can_be_tried_again(self) -> bool:
        """Whether it failed at records that can be tried again."""
        return not self.under_way and not self.only_tells and self.counts.failed > 0


class Change(BaseModel):
    """A record that a run changed, or would change; ``why``: what made a check list it."""

    record_type: str
    name: str
    outcome: str
    customer_name: str | None
    changes: Sequence[FieldChange]
    why: str | None


class Connection(BaseModel):
    """Which organization is connected, and how it is kept up to date."""

    organization_name: str
    email: str
    auto_update: bool
    interval_hours: int
    connected_at: datetime
    version: int
    next_run_at: datetime | None
    next_check_at: datetime | None
    last_import: Run | None
    last_check: Run | None


class Listed(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None


class Sync:
    """sync, asked by ``principal``, whose role decides what they may do there."""

    def __init__(self, client: ServiceClient, principal: Principal, organization_id: str | None) -> None:
        self._client = client
        self._principal = principal
        self._organization = {} if organization_id is None else {"X-Organization-Id": organization_id}

    async def connection(self) -> Connection | None:
        """The connection, if there is one."""
        try:
            answer = await self._client.request("GET", "/v1/connection", on_behalf_of=self._principal)
        except Refused as refused:
            if refused.code == "not_connected":
                return None
            raise refused.as_problem() from refused
        return Connection.model_validate_json(answer.content)

    async def keep(self, version: int | None, **changes: Any) -> None:
        """Change how the connection is kept up to date."""
        await self._ask("PATCH", "/v1/connection", json=changes, version=version)

    async def disconnect(self, version: int | None) -> None:
        """End the connection; what was imported stays."""
        await self._ask("DELETE", "/v1/connection", version=version)

    async def start(self, body: Mapping[str, Any], *, dry_run: bool) -> str:
        """Begin an import or a preview, and give its id."""
        return await self._begin("/v1/imports", body, params={"dry_run": "true"} if dry_run else None)

    async def retry(self, run_id: str) -> str:
        """Try again what a run failed at; the id of the new one."""
        return await self._begin(f"/v1/imports/{run_id}/retry", None)

    async def check(self, *, mend: bool) -> str:
        """Compare CRM and Invoice, and perhaps mend; the id of the run."""
        return await self._begin("/v1/checks", {"mend": mend})

    async def run(self, run_id: str) -> Run:
        """One run, with its first failures."""
        return Run.model_validate_json((await self._ask("GET", f"/v1/imports/{run_id}")).content)

    async def runs(self, page: PageRequest) -> Listed[Run]:
        """A page of the runs, newest first."""
        answer = await self._ask("GET", "/v1/imports", params=_page(page))
        return Listed[Run].model_validate_json(answer.content)

    async def failures(self, run_id: str, page: PageRequest) -> Listed[Failure]:
        """A page of the records that a run failed at, or would fail at."""
        answer = await self._ask("GET", f"/v1/imports/{run_id}/failures", params=_page(page))
        return Listed[Failure].model_validate_json(answer.content)

    async def changes(self, run_id: str, page: PageRequest) -> Listed[Change]:
        """A page of what a run changed, or would change."""
        answer = await self._ask("GET", f"/v1/imports/{run_id}/changes", params=_page(page))
        return Listed[Change].model_validate_json(answer.content)

    async def _begin(self, path: str, body: Any, params: Mapping[str, str] | None = None) -> str:
        answer = await self._ask("POST", path, json=body, params=params, headers={"Idempotency-Key": new_id()})
        return Run.model_validate_json(answer.content).id

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> httpx.Response:
        sent = self._organization | dict(headers or {}) | ({"If-Match": f'"{version}"'} if version is not None else {})
        try:
            return await self._client.request(
                method, path, json=json, params=params, headers=sent, on_behalf_of=self._principal
            )
        except Refused as refused:
            raise refused.as_problem() from refused


def _page(page: PageRequest) -> dict[str, str | int]:
    after = {} if page.after is None else {"cursor": encode_cursor(page.after)}
    return {"limit": page.limit, **after}
