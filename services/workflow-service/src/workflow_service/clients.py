"""What this service asks of sync: which organization is connected, and to import one record of the CRM now (S6).

Raises `servicekit.errors.Unavailable` where trying again later may help, `servicekit.http.Refused` where it does not.
"""

import time
from typing import Literal

from servicekit.errors import Transient, Unavailable
from servicekit.http import Refused

from workflow_service.peers import Peer

RecordType = Literal["account", "contact"]


class NotImported(Transient):
    """Invoice does not know the potential's account or contact yet; ``record_id`` is the one that is missing."""

    def __init__(self, reason: str, *, record_id: str | None = None) -> None:
        super().__init__(f"waits for the customer: {reason}")
        self.record_id = record_id


class NotConnected(Transient):
    """There is no organization in Invoice to make a document in."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"waits for the connection: {reason}")


class RecordGone(Exception):
    """The CRM has no such account or contact any more: there is nobody to make a document for."""


class Connected:
    """Which organization the CRM is connected to: asked of sync, and believed for ``seconds`` if there is one."""

    def __init__(self, sync: Peer, *, seconds: float = 5.0) -> None:
        self._sync = sync
        self._seconds = seconds
        self._known: str | None = None
        self._asked_at = 0.0

    async def organization_id(self) -> str | None:
        """The organization's id; None if none is connected.

        While sync does not answer, the one it named last holds; raises `Unavailable` if it named none.
        """
        if self._known is None or time.monotonic() - self._asked_at > self._seconds:
            try:
                self._known = await self._ask()
                self._asked_at = time.monotonic()
            except Unavailable:
                if self._known is None:
                    raise
        return self._known

    async def _ask(self) -> str | None:
        try:
            answer = await self._sync.request("GET", "/v1/connection")
        except Refused as refused:
            if refused.code != "not_connected":
                raise
            return None
        return self._sync.read(answer, lambda found: str(found["organization_id"]))


class Customers:
    """Makes a record of the CRM a customer, by sync's own mapping."""

    def __init__(self, sync: Peer) -> None:
        self._sync = sync

    async def import_record(self, record_type: RecordType, record_id: str) -> str:
        """Import this record alone; gives the customer's id.

        Raises `NotImported` where it has to wait for a connection, and `RecordGone`.
        """
        body = {"record_type": record_type, "record_id": record_id}
        try:
            answer = await self._sync.request("POST", "/v1/records/import", json=body)
        except Refused as refused:
            detail = str(refused.problem.get("detail") or refused)
            match refused.code:
                case "not_connected":
                    named = f"the {record_type} is not imported, and cannot be: {detail}"
                    raise NotImported(named, record_id=record_id) from refused
                case "record_not_found":
                    raise RecordGone(
                        f"the {record_type} of the potential is not in the CRM any more ({detail}): "
                        "there is nobody to make a document for"
                    ) from refused
            raise
        return self._sync.read(answer, lambda done: str(done["customer_id"]))
