"""`make bench`: how fast the main job is, beside the ceilings measured in the same run.

Only ratios mean something: absolute figures differ from machine to machine and from minute to minute.
"""

import argparse
import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from contracts.accounts import AccountCreated, AccountSnapshot
from contracts.topology import SYNC_RECORDS
from invoice_service.invoices.models import Invoice
from servicekit import outbox
from servicekit.bus import Delivery
from servicekit.db import new_id
from servicekit.pagination import encode_cursor
from servicekit.telemetry import configure_logging
from sqlalchemy import event, func, select, text

from tests.bench import pdf, sync, wins
from tests.servers import Broker, Databases, missing_servers
from tests.stack import Stack

PAGE = 50
MOST_LINES = 500
LINE = {"name": "Order 10248", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}
OLD_ID = "01900000-0000-7000-8000-"
"""The beginning of ids made in the middle of 2024."""


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


async def page_depth(stack: Stack, invoices: int) -> tuple[float, float]:
    """Seconds for the first page of a list of so many invoices, and for the page in their midst."""
    await stack.start("invoice")
    client = await stack.person("invoice")
    database = stack.database("invoice")
    made = await client.post("/v1/invoices", json={"customer_id": await customer(client), "line_items": [LINE]})
    made.raise_for_status()
    columns = {column.name: column.name for column in Invoice.__table__.columns} | {
        "id": f"'{OLD_ID}' || {'printf(%s, n)' if database.is_sqlite else 'lpad(to_hex(n), 12, %s)'}",
        "number": "number + n",
        "invoice_number": "'OLD-' || n",
    }
    columns["id"] %= "'%012x'" if database.is_sqlite else "'0'"
    async with database.transaction() as session:
        await session.execute(
            text(
                f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {invoices}) "
                f"INSERT INTO invoices ({', '.join(columns)}) "
                f"SELECT {', '.join(columns.values())} FROM counted, invoices"
            )
        )
        await session.execute(text("ANALYZE invoices"))
    middle = encode_cursor([f"{OLD_ID}{invoices // 2:012x}"])

    async def seconds(cursor: str | None) -> float:
        params: dict[str, Any] = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        started = time.perf_counter()
        answer = (await client.get("/v1/invoices", params=params)).json()
        took = time.perf_counter() - started
        assert len(answer["items"]) == PAGE, answer
        return took

    taken = [(await seconds(None), await seconds(middle)) for _ in range(60)]  # in turn: what disturbs, disturbs both
    if not database.is_sqlite:
        async with database.transaction() as session:
            await session.execute(text("TRUNCATE invoices CASCADE"))  # the next one's database is emptied row by row
    first, deep = (sorted(times)[len(taken) // 2] for times in zip(*taken, strict=True))
    return first, deep


async def customer(client: httpx.AsyncClient) -> str:
    """The id of a new customer."""
    answer = await client.post("/v1/customers", json={"customer_name": "Alfreds Futterkiste"})
    answer.raise_for_status()
    made: str = answer.json()["id"]
    return made


async def statements(stack: Stack) -> dict[str, int]:
    """How many SQL statements the requests for invoices take."""
    await stack.start("invoice")
    await stack.apps["invoice"].state.service.relay.stop()
    client = await stack.person("invoice")
    whose = {"customer_id": await customer(client)}
    sent = 0

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        nonlocal sent
        sent += not statement.startswith("BEGIN")

    engine = stack.database("invoice").engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    found: dict[str, int] = {}

    async def count(what: str, method: str, path: str, **options: Any) -> Any:
        nonlocal sent
        sent = 0
        answer = await client.request(method, path, **options)
        answer.raise_for_status()
        found[what] = sent
        return answer.json()

    for lines in (1, MOST_LINES):
        body = whose | {"line_items": [LINE] * lines}
        made = await count(f"create, {lines} {'line' if lines == 1 else 'lines'}", "POST", "/v1/invoices", json=body)
    await count(f"read, {MOST_LINES} lines", "GET", f"/v1/invoices/{made['id']}")
    for _ in range(PAGE):
        (await client.post("/v1/invoices", json=whose | {"line_items": [LINE]})).raise_for_status()
    await count(f"list, {PAGE} invoices", "GET", "/v1/invoices", params={"limit": PAGE})
    event.remove(engine, "before_cursor_execute", note)
    return found


async def won_on(kind: str, stack: Stack, databases: Databases, won: int) -> list[float]:
    """The seconds of so many wins on one set-up."""
    setup = wins.embedded(stack) if kind == "embedded" else wins.servers(databases, databases.folder)
    async with setup as running:
        return await wins.measure(running, won)


async def main(events: int, invoices: int, most: int, won: int, kinds: Sequence[str]) -> None:
    table = Table(title=f"{events:,} records, all in one process", title_justify="left")
    table.add_column("Set-up")
    table.add_column("Measured")
    for heading in ("Figure", "Of the bus alone"):
        table.add_column(heading, justify="right")
    lists = Table(title=f"A list of {invoices:,} invoices", title_justify="left")
    for heading in ("Set-up", "Measured", "Figure", "Deeper costs (20 % at most)"):
        lists.add_column(heading)
    won_table = Table(title=f"From a potential won to its estimate accepted in the CRM's list, {wins.RATE} wins/s")
    for heading in ("Set-up", "p50", "p99", "Worst"):
        won_table.add_column(heading)
    counts: dict[str, dict[str, int]] = {}
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
            table.add_row(kind, "outbox → relay → bus → nothing", f"{ceiling:,.0f} events/s", "100 %")
            table.add_row("", "CSV → account → customer", f"{rate:,.0f} events/s", f"{rate / ceiling:.0%}")
            counts[kind] = await measured("SQL statements", statements)
            if won:
                times_taken = await measured("wins", lambda stack, kind=kind: won_on(kind, stack, databases, won))
                figures = [wins.percentile(times_taken, percent) for percent in (50, 99, 100)]
                won_table.add_row(kind, *(f"{seconds * 1000:.0f} ms" for seconds in figures))
            if invoices:
                first, deep = await measured("pages", lambda stack: page_depth(stack, invoices))
                times = f"{first * 1000:.1f} / {deep * 1000:.1f} ms"
                page = f"{invoices // 2 // PAGE:,}"
                lists.add_row(kind, f"page 1 / page {page}", times, f"{deep / first - 1:+.0%}")
        if "servers" in kinds:
            task = progress.add_task("sync", total=None)
            tell = partial(progress.update, task)
            rates, used = await sync.measure(
                databases, Path(folder) / "sync", events, most, lambda what: tell(description=f"sync: {what}")
            )
            tell(total=1, completed=1)
        await databases.drop_all()
        if "servers" in kinds:
            await broker.bus().delete_everything()
    console.print(table)
    if "servers" in kinds:
        heading = f"sync, a process for each service, {events:,} records"
        console.print(_rows(heading, ("Measured", "Figure", "Of the ceiling"), rates))
        console.print(_rows("Memory of sync, at most", ("Records imported", "Before", "After"), used))
    if won:
        console.print(won_table)
    if invoices:
        console.print(lists)
    console.print(_counted(counts))
    console.print(_printed(pdf.run()))
    if "servers" not in kinds:
        console.print(f"[dim]{missing_servers() or 'servers left out'}[/]")


def _counted(counts: dict[str, dict[str, int]]) -> Table:
    table = Table(title="SQL statements of one request", title_justify="left")
    table.add_column("")
    for kind in counts:
        table.add_column(kind, justify="right")
    for what in next(iter(counts.values())):
        table.add_row(what, *(str(found[what]) for found in counts.values()))
    return table


def _rows(title: str, headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == headings[0] else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _printed(rows: list[tuple[str, str]]) -> Table:
    table = Table(title="PDFs", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for row in rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=5000)
    arguments.add_argument("--invoices", type=int, default=1_000_000, help="in the list; 0 leaves it out")
    arguments.add_argument("--most", type=int, default=100_000, help="records imported to see sync's memory; 0: none")
    arguments.add_argument("--wins", type=int, default=400, help="potentials won; 0 leaves it out")
    arguments.add_argument("--rounds", type=int, default=50, help="how often each page is asked; 0 leaves them out")
    arguments.add_argument("--only", choices=["embedded", "servers"])
    given = arguments.parse_args()
    configure_logging("warning", "console")
    wanted = [given.only] if given.only else ["embedded"] if missing_servers() else ["embedded", "servers"]
    asyncio.run(main(given.records, given.invoices, given.most, given.wins, wanted))
    if given.rounds:  # in a process of its own: what a page takes first is one of the figures
        pages = [sys.executable, "-m", "tests.bench.pages", "--rounds", str(given.rounds)]
        sys.exit(subprocess.run(pages, cwd=Path(__file__).parents[2]).returncode)
