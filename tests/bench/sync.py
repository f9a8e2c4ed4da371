"""How fast accounts become customers, imported and live: PostgreSQL and RabbitMQ, each service a process of its own.

Beside it the ceiling, measured in the same run: what aio-pika and PostgreSQL do with the same events when there is no
service in between. And sync's memory, which must not grow with the number of records.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import httpx
import orjson
from aio_pika.abc import AbstractIncomingMessage
from contracts.accounts import AccountCreated, AccountSnapshot
from contracts.event import BATCH_CONTENT_TYPE, encode, join
from servicekit.db import new_id

from tests.processes import Processes, free_port
from tests.servers import AMQP_URL, Databases

PACKED = 100
"""Events in a message, as our relay packs a backlog."""
BATCH = 500
UPSERT = """
    INSERT INTO ceiling (id, version, account_name, phone)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[])
    ON CONFLICT (id) DO UPDATE
    SET version = excluded.version, account_name = excluded.account_name, phone = excluded.phone
    WHERE ceiling.version < excluded.version
"""


async def ceiling(databases: Databases, events: int) -> float:
    """Events a second from a full queue into a table: decode, `unnest()`, acknowledge; no service, no outbox."""
    database = await asyncpg.connect(await databases.empty_postgres("ceiling"))
    await database.execute("CREATE TABLE ceiling (id text PRIMARY KEY, version int, account_name text, phone text)")
    async with await aio_pika.connect(AMQP_URL) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1000)
        queue = await channel.declare_queue(
            f"bench_{new_id()}", durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 1000}
        )
        for _ in range(events // PACKED):
            body = join(encode(_created(number), event_id=new_id(), source="/crm") for number in range(PACKED))
            message = aio_pika.Message(
                body, content_type=BATCH_CONTENT_TYPE, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
            )
            await channel.default_exchange.publish(message, queue.name)
        try:
            return await _consume(queue, database, events)
        finally:
            await queue.delete(if_unused=False, if_empty=False)
            await database.close()


def _created(number: int) -> AccountCreated:
    return AccountCreated(data=AccountSnapshot(id=new_id(), version=1, account_name=f"Company {number}", phone="030-1"))


async def _consume(queue: aio_pika.abc.AbstractQueue, database: asyncpg.Connection, events: int) -> float:
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    started = time.perf_counter()
    consuming = await queue.consume(arrived.put)
    left = events
    while left > 0:
        messages = [await arrived.get()]
        while len(messages) < BATCH // PACKED and not arrived.empty():
            messages.append(arrived.get_nowait())
        found = [event["data"] for message in messages for event in orjson.loads(message.body)]
        columns = zip(*((one["id"], one["version"], one["account_name"], one["phone"]) for one in found), strict=True)
        await database.execute(UPSERT, *map(list, columns))
        await messages[-1].ack(multiple=True)
        left -= len(found)
    seconds = time.perf_counter() - started
    await queue.cancel(consuming)
    return events / seconds


async def rates(databases: Databases, folder: Path, records: int) -> dict[str, float]:
    """Records a second: imported, imported again without changes, and live from a backlog of events."""
    urls = {name: await databases.empty_postgres(name) for name in ("crm", "invoice", "sync", "workflow")}
    folder.mkdir(exist_ok=True)
    namespace = f"bench_{new_id()}_"
    processes = Processes(folder, urls, AMQP_URL, namespace, LOG_LEVEL="warning")
    invoice = await asyncpg.connect(urls["invoice"])

    async def customers(count: int) -> None:
        while await invoice.fetchval("SELECT count(*) FROM customers") < count:
            await asyncio.sleep(0.02)

    try:
        await asyncio.to_thread(processes.start, "crm", "invoice", "sync")
        processes.sign_in()
        _load(processes, "Imported", records)
        key = processes.call("POST", "crm", "/v1/zsc-keys", json={})["key"]
        body = {"email": "admin@example.com", "zsc_key": key, "auto_update": True}
        imported = await _seconds(processes, body)
        again = await _seconds(processes, {})
        _load(processes, "Live", records)  # answered when the events are in the outbox
        started = time.perf_counter()
        already = await invoice.fetchval("SELECT count(*) FROM customers") - records
        await customers(2 * records)
        live = (records - already) / (time.perf_counter() - started)
    finally:
        await invoice.close()
        await asyncio.to_thread(processes.stop)
        await _forget(namespace)
    return {"import": records / imported, "import again, nothing changed": records / again, "live": live}


def _load(processes: Processes, name: str, records: int) -> None:
    rows = "\n".join(f"{name} company {number} of the bench,030-{number}" for number in range(records))
    answer = httpx.post(
        f"{processes.urls['crm']}/v1/accounts/import",
        content=f"account_name,phone\n{rows}\n".encode(),
        headers={**processes.headers["crm"], "Content-Type": "text/csv"},
        timeout=600,
    )
    answer.raise_for_status()


async def _seconds(processes: Processes, body: dict[str, Any]) -> float:
    run = await asyncio.to_thread(_finished, processes, body)
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _finished(processes: Processes, body: dict[str, Any]) -> dict[str, Any]:
    run = processes.call("POST", "sync", "/v1/imports", json=body)
    while run["status"] not in ("completed", "failed"):
        time.sleep(0.1)
        run = processes.call("GET", "sync", f"/v1/imports/{run['id']}")
    assert run["status"] == "completed", run
    return run


async def _forget(namespace: str) -> None:
    from servicekit.bus.amqp import AmqpBus

    await AmqpBus(AMQP_URL, namespace=namespace, delays=(0.2, 0.5, 1)).delete_everything()


async def memory(databases: Databases, folder: Path, records: int) -> tuple[float, float]:
    """Sync's highest resident memory in MB, before and after an import of so many records from a CRM that makes them
    up, into an Invoice that only counts them."""
    folder.mkdir(exist_ok=True)
    urls = {name: await databases.empty_postgres(name) for name in ("crm", "invoice", "sync", "workflow")}
    namespace, port = f"bench_{new_id()}_", free_port()
    others = subprocess.Popen([sys.executable, "-m", "tests.bench.others", str(port), str(records)], cwd=os.getcwd())
    address = f"http://127.0.0.1:{port}"
    processes = Processes(folder, urls, AMQP_URL, namespace, LOG_LEVEL="warning", CRM_URL=address, INVOICE_URL=address)
    try:
        await asyncio.to_thread(processes.start, "sync")
        processes.headers["sync"] = {"Authorization": f"Bearer {_admin()}"}
        before = _peak(processes)
        body = {"email": "ada@crm.test", "zsc_key": "zsc_any", "auto_update": False}
        await asyncio.to_thread(_finished, processes, body)
        return before, _peak(processes)
    finally:
        await asyncio.to_thread(processes.stop)
        others.terminate()
        others.wait()
        await _forget(namespace)


def _admin() -> str:
    from servicekit.auth import Tokens

    return Tokens("s" * 40, "crm").for_person(user_id="someone", email="ada@crm.test", role="admin")


def _peak(processes: Processes) -> float:
    status = Path(f"/proc/{processes.process_id('sync')}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


Row = tuple[str, ...]


async def measure(
    databases: Databases, folder: Path, records: int, most: int, tell: Callable[[str], None]
) -> tuple[list[Row], list[Row]]:
    """Rows for two tables: rates beside the ceiling, and memory for 10,000 and for ``most`` records."""
    folder.mkdir()
    tell("the ceiling")
    highest = await ceiling(databases, max(records, 10 * BATCH))
    table: list[Row] = [("queue → unnest() upsert, no service", f"{highest:,.0f} events/s", "100 %")]
    tell("import and live")
    for what, rate in (await rates(databases, folder / "rates", records)).items():
        table.append((what, f"{rate:,.0f} records/s", f"{rate / highest:.0%}"))
    used: list[Row] = []
    for count in _sizes(most):
        tell(f"memory, {count:,} records")
        before, after = await memory(databases, folder / f"memory-{count}", count)
        used.append((f"{count:,}", f"{before:,.0f} MB", f"{after:,.0f} MB"))
    return table, used


def _sizes(most: int) -> Sequence[int]:
    return [count for count in (10_000, most) if count <= most]
