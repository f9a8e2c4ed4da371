"""`make bench`: how fast the main job is, beside the ceilings measured in the same run.

Only ratios mean something: absolute figures differ from machine to machine and from minute to minute.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from contracts.accounts import AccountCreated, AccountSnapshot
from contracts.topology import SYNC_RECORDS
from servicekit import outbox
from servicekit.bus import Delivery
from servicekit.db import new_id
from sqlalchemy import func, select

from tests.servers import Broker, Databases, missing_servers
from tests.stack import Stack


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 300) -> None:
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.01)


async def bus_ceiling(stack: Stack, events: int) -> float:
    """Events a second from a backlog in the outbox through relay and bus to a consumer that does nothing."""
    await stack.start("crm")
    service = stack.apps["crm"].state.service
    taken = 0

    async def take(deliveries: Sequence[Delivery]) -> None:
        nonlocal taken
        taken += len(deliveries)
        for delivery in deliveries:
            await delivery.done()

    await service.bus.subscribe(SYNC_RECORDS, take, batch_size=500)
    started = time.perf_counter()
    for _ in range(events // 1000):
        async with service.database.transaction() as session:
            for _ in range(1000):
                snapshot = AccountSnapshot(id=new_id(), version=1, account_name="Alfreds Futterkiste")
                outbox.record(session, AccountCreated(data=snapshot))

    async def all_taken() -> bool:
        return taken >= events

    await until(all_taken)
    return events / (time.perf_counter() - started)


async def connected(stack: Stack) -> httpx.AsyncClient:
    """CRM, Invoice and sync, joined; gives a client of the CRM."""
    await stack.start("crm", "invoice", "sync")
    crm = await stack.person("crm")
    key = (await crm.post("/v1/zsc-keys", json={})).json()["key"]
    sync = await stack.person("sync")
    body = {"email": "admin@crm.test", "zsc_key": key, "auto_update": True}
    (await sync.post("/v1/imports", json=body)).raise_for_status()
    return crm


async def accounts_to_customers(stack: Stack, events: int) -> float:
    """Accounts a second from a CSV file in the CRM to customers in Invoice, all services in this process."""
    crm = await connected(stack)
    rows = "\n".join(f"Company {number},030-{number}" for number in range(events))
    started = time.perf_counter()
    answer = await crm.post(
        "/v1/accounts/import",
        content=f"account_name,phone\n{rows}\n".encode(),
        headers={"Content-Type": "text/csv"},
        timeout=300,
    )
    answer.raise_for_status()
    tables = stack.apps["invoice"].state.service.database

    async def all_there() -> bool:
        from invoice_service.customers.models import Customer

        async with tables.reading() as session:
            return bool((await session.execute(select(func.count()).select_from(Customer))).scalar_one() >= events)

    await until(all_there)
    return events / (time.perf_counter() - started)


async def page_depth(stack: Stack, rows: int) -> tuple[float, float]:
    """Seconds for the first page of a list and for its deepest."""
    await stack.start("crm")
    crm = await stack.person("crm")
    body = "account_name\n" + "\n".join(f"Company {number}" for number in range(rows))
    headers = {"Content-Type": "text/csv"}
    (await crm.post("/v1/accounts/import", content=body.encode(), headers=headers, timeout=300)).raise_for_status()
    cursors: list[str | None] = [None]
    while True:
        params: dict[str, Any] = {"limit": 200} | ({"cursor": cursors[-1]} if cursors[-1] else {})
        cursor = (await crm.get("/v1/accounts", params=params)).json()["next_cursor"]
        if cursor is None:
            break
        cursors.append(cursor)

    async def seconds(cursor: str | None) -> float:
        params: dict[str, Any] = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        times = []
        for _ in range(30):
            started = time.perf_counter()
            await crm.get("/v1/accounts", params=params)
            times.append(time.perf_counter() - started)
        return sorted(times)[len(times) // 2]

    return await seconds(None), await seconds(cursors[-1])


async def main(events: int, kinds: Sequence[str]) -> None:
    table = Table(title=f"{events:,} records, all in one process", title_justify="left")
    table.add_column("Set-up")
    table.add_column("Measured")
    for heading in ("Figure", "Of the bus alone"):
        table.add_column(heading, justify="right")
    console = Console()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress,
    ):
        databases, broker = Databases(Path(folder)), Broker(f"bench_{new_id()[-6:]}_")
        for kind in kinds:

            async def measured(what: str, work: Callable[[Stack], Awaitable[Any]], kind: str = kind) -> Any:
                task = progress.add_task(f"{kind}: {what}", total=None)
                stack = Stack(kind, databases, broker)
                gc.collect()
                try:
                    return await work(stack)
                finally:
                    await stack.close()
                    progress.update(task, total=1, completed=1)

            ceiling = await measured("outbox, relay, bus", lambda stack: bus_ceiling(stack, events))
            rate = await measured("accounts to customers", lambda stack: accounts_to_customers(stack, events))
            first, deep = await measured("pages", lambda stack: page_depth(stack, events))
            table.add_row(kind, "outbox → relay → bus → nothing", f"{ceiling:,.0f} events/s", "100 %")
            table.add_row("", "CSV → account → customer", f"{rate:,.0f} events/s", f"{rate / ceiling:.0%}")
            table.add_row(
                "", "list: page 1 / deepest page", f"{first * 1000:.1f} / {deep * 1000:.1f} ms", "", end_section=True
            )
        await databases.drop_all()
        if "servers" in kinds:
            await broker.bus().delete_everything()
    console.print(table)
    if "servers" not in kinds:
        console.print(f"[dim]{missing_servers() or 'servers left out'}[/]")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=5000)
    arguments.add_argument("--only", choices=["embedded", "servers"])
    given = arguments.parse_args()
    wanted = [given.only] if given.only else ["embedded"] if missing_servers() else ["embedded", "servers"]
    asyncio.run(main(given.records, wanted))
