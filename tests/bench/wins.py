"""From a potential won over HTTP to its estimate accepted in the CRM's list, at a steady rate, all in one process."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx
from crm_service.documents.models import Document
from servicekit.db import Database
from sqlalchemy import select

from tests.stack import Stack

RATE = 20
"""Wins a second."""
PAUSE = 0.005
"""Seconds between two looks at what the lists are made from."""


async def run(stack: Stack, wins: int) -> list[float]:
    """The seconds that each of so many wins took, smallest first."""
    crm = await _ready(stack)
    account = await _made(crm, "accounts", account_name="Alfreds Futterkiste")
    potentials = [
        await _made(crm, "potentials", potential_name=f"Order {number}", account_id=account, amount="440.00")
        for number in range(wins)
    ]
    looking = _Looking(stack.database("crm"), wins)
    await looking.until(potentials, "draft")
    began = time.perf_counter()

    async def win(number: int, potential: str) -> float:
        await asyncio.sleep(began + number / RATE - time.perf_counter())
        started = time.perf_counter()
        (await crm.patch(f"/v1/potentials/{potential}", json={"stage": "Closed Won"})).raise_for_status()
        await looking.until([potential], "accepted")
        [estimate] = (await crm.get(f"/v1/potentials/{potential}/documents")).json()["estimates"]
        assert estimate["status"] == "accepted"
        return time.perf_counter() - started

    taken = sorted(await asyncio.gather(*(win(*each) for each in enumerate(potentials))))
    looking.end()
    return taken


class _Looking:
    """One look, again and again, for all who wait: each with looks of its own would slow down what they wait for."""

    def __init__(self, database: Database, wins: int) -> None:
        self._database = database
        self._statuses: dict[str | None, str] = {}
        self._looked = asyncio.Condition()
        self._task = asyncio.create_task(self._look(wins))

    async def _look(self, wins: int) -> None:
        statement = select(Document.crm_potential_id, Document.status).order_by(Document.id.desc()).limit(wins)
        while True:
            async with self._database.reading() as session:
                self._statuses = {row.crm_potential_id: row.status for row in await session.execute(statement)}
            async with self._looked:
                self._looked.notify_all()
            await asyncio.sleep(PAUSE)

    async def until(self, potentials: Sequence[str], status: str) -> None:
        """Wait until the document of each has this status."""
        async with asyncio.timeout(120), self._looked:
            await self._looked.wait_for(lambda: all(self._statuses.get(one) == status for one in potentials))

    def end(self) -> None:
        self._task.cancel()


async def _ready(stack: Stack) -> httpx.AsyncClient:
    """All four services, joined, with the workflow active; gives a client of the CRM."""
    await stack.start("crm", "invoice", "sync", "workflow")
    crm = await stack.person("crm")
    key = (await crm.post("/v1/zsc-keys", json={})).json()["key"]
    body = {"email": "admin@crm.test", "zsc_key": key, "auto_update": True}
    (await (await stack.person("sync")).post("/v1/imports", json=body)).raise_for_status()
    (await crm.put("/v1/workflow", json={"active": True, "trigger": "estimates"})).raise_for_status()
    return crm


async def _made(crm: httpx.AsyncClient, path: str, **fields: Any) -> str:
    answer = await crm.post(f"/v1/{path}", json=fields)
    answer.raise_for_status()
    made: str = answer.json()["id"]
    return made


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many percent do not exceed; ``times`` are sorted."""
    return times[min(len(times) - 1, len(times) * percent // 100)]
