"""From a potential won over HTTP to its estimate accepted in the CRM's list, at a steady rate.

On either set-up as it is run: embedded all in one process, on servers a process for each service.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from crm_service.documents.models import Document
from servicekit.bus.amqp import AmqpBus
from servicekit.db import Database, new_id
from sqlalchemy import select

from tests.processes import Processes
from tests.servers import AMQP_URL, SERVICES, Databases
from tests.stack import Stack

RATE = 20
"""Wins a second."""
PAUSE = 0.005
"""Seconds between two looks at what the lists are made from."""


@dataclass(frozen=True)
class Running:
    """An administrator's clients of the CRM and of sync, and the CRM's database to look into."""

    crm: httpx.AsyncClient
    sync: httpx.AsyncClient
    database: Database


@contextlib.asynccontextmanager
async def embedded(stack: Stack) -> AsyncIterator[Running]:
    """All four services in this process."""
    await stack.start(*SERVICES)
    yield Running(await stack.person("crm"), await stack.person("sync"), stack.database("crm"))


@contextlib.asynccontextmanager
async def servers(databases: Databases, folder: Path) -> AsyncIterator[Running]:
    """Each service in a process of its own."""
    urls = {name: await databases.empty_postgres(name) for name in SERVICES}
    namespace = f"wins_{new_id()[-6:]}_"
    processes = Processes(folder, urls, AMQP_URL, namespace, LOG_LEVEL="warning")
    database = Database(urls["crm"])
    async with contextlib.AsyncExitStack() as exits:
        exits.push_async_callback(AmqpBus(AMQP_URL, namespace=namespace, delays=(0.2, 0.5, 1)).delete_everything)
        exits.push_async_callback(database.close)
        exits.callback(processes.stop)
        await asyncio.to_thread(processes.start, *SERVICES)
        await asyncio.to_thread(processes.sign_in)
        crm, sync = [
            await exits.enter_async_context(
                httpx.AsyncClient(base_url=processes.urls[name], headers=processes.headers[name], timeout=60)
            )
            for name in ("crm", "sync")
        ]
        yield Running(crm, sync, database)


async def measure(running: Running, wins: int) -> list[float]:
    """The seconds that each of so many wins took, smallest first."""
    crm = running.crm
    await _join(running)
    account = await _made(crm, "accounts", account_name="Alfreds Futterkiste")
    potentials = [
        await _made(crm, "potentials", potential_name=f"Order {number}", account_id=account, amount="440.00")
        for number in range(wins)
    ]
    looking = _Looking(running.database, wins)
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
    await looking.end()
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

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _join(running: Running) -> None:
    """Connect Invoice to the CRM, and activate the workflow."""
    key = (await running.crm.post("/v1/zsc-keys", json={})).json()
    body = {"email": key["email"], "zsc_key": key["key"], "auto_update": True}
    (await running.sync.post("/v1/imports", json=body)).raise_for_status()
    (await running.crm.put("/v1/workflow", json={"active": True, "trigger": "estimates"})).raise_for_status()


async def _made(crm: httpx.AsyncClient, path: str, **fields: Any) -> str:
    answer = await crm.post(f"/v1/{path}", json=fields)
    answer.raise_for_status()
    made: str = answer.json()["id"]
    return made


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many percent do not exceed; ``times`` are sorted."""
    return times[min(len(times) - 1, len(times) * percent // 100)]
