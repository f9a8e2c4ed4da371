"""How long the pages of both products take on the demo's data; exits with 1 if one takes longer than it may.

Server time: in this process, from the request's coming to the app until the last byte of its answer, with what other
services are asked for it; without an HTTP server and a client. What counts is the time that this process was at work,
because a busy machine would tell of itself; the time by the clock stands beside it. All pages are asked in turn, so
what disturbs, disturbs all alike; only ratios to the sign-in page compare between two runs.

By itself: ``python -m tests.bench.pages``.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop
from rich.console import Console
from rich.table import Table
from servicekit.service import keep_for_good
from servicekit.telemetry import configure_logging
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.wins import percentile
from tests.servers import SERVICES, Broker
from tests.site_pages import addresses, pages_of
from tests.stack import Stack
from tests.statements import counted

MOST_SECONDS = 0.1
MANY_LINES = 200
LINE = {"description": "24 boxes of 20 bags", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}
PRODUCTS = ("crm", "invoice")
YARDSTICK = "/sign-in"
WORD = "queso"


class DemoFiles:
    """Gives each service its database in the folder that the demo has filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def sqlite(self, service: str) -> str:
        return f"sqlite:///{self._folder / service}.sqlite3"

    async def give_back(self, service: str, url: str) -> None:
        """They stay as they are."""


def load_demo(folder: Path) -> None:
    """Play the demo through in a process of its own: this one is to be as new as a service that was just started."""
    command = [Path(sys.executable).with_name("crm-invoice"), "demo", "--once"]
    place = {"DATA_DIR": str(folder), "BASE_PORT": "0"}
    played = subprocess.run(command, env=os.environ | place, capture_output=True, text=True)
    if played.returncode:
        raise SystemExit(f"The demo could not be loaded:\n{played.stdout}{played.stderr}")


class Timed:
    """An app that notes how long it took for its last request: seconds by the clock, and of this process' work."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.clock = self.work = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, worked = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        self.clock, self.work = time.perf_counter() - started, time.process_time() - worked


@dataclass
class Measured:
    """A page: where it is, how it answered, the seconds of work of its first request and of each later one, and those
    by the clock. ``beyond``: not of the demo's data."""

    product: str
    path: str
    address: str
    beyond: bool = False
    status: int = 0
    statements: int = 0
    first: float = 0.0
    work: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return percentile(sorted(self.work), 50)

    @property
    def title(self) -> str:
        query = self.address.partition("?")[2].partition("=")[0]
        shown = self.path + (f"?{query}=…" if query else "")
        return f"{shown}, {MANY_LINES} lines" if self.beyond else shown

    @property
    def is_late(self) -> bool:
        return max(self.p50, self.first) > MOST_SECONDS


class Asking:
    """Asks the pages of one product, signed in as an administrator; the sign-in page as nobody."""

    def __init__(self, app: ASGIApp, cookies: httpx.Cookies) -> None:
        self._timed = Timed(app)
        transport = httpx.ASGITransport(self._timed)
        self._admin = httpx.AsyncClient(transport=transport, base_url="http://bench.test", cookies=cookies)
        self._nobody = httpx.AsyncClient(transport=transport, base_url="http://bench.test")

    async def ask(self, page: Measured) -> Timed:
        """Ask for the page; gives what took the time."""
        client = self._nobody if page.path == YARDSTICK else self._admin
        page.status = (await client.get(page.address)).status_code
        return self._timed


class Demo:
    """The records of the demo that have most to show, and documents with many lines, which are made besides."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def records(self) -> dict[str, dict[str, str]]:
        """Product → kind → id, as `site_pages.addresses` takes them."""
        customer = await self._busiest("invoice", "estimates", "customer_id")
        invoice = await self._stack.person("invoice")
        item = await invoice.post("/v1/items", json={"name": "Chai", "rate": "18"})
        both = {
            "word": WORD,
            "accounts": await self._busiest("crm", "potentials", "account_id"),
            "contacts": await self._busiest("crm", "potentials", "contact_id"),
            "potentials": await self._busiest("workflow", "workflow_runs", "potential_id"),
            "customers": customer,
            "duplicates": await self._first("invoice", f"SELECT id FROM customers WHERE id <> '{customer}'"),
            "persons": await self._first("invoice", f"SELECT id FROM contact_persons WHERE customer_id = '{customer}'"),
            "imports": await self._first("sync", "SELECT id FROM import_runs ORDER BY id"),
            "items": item.raise_for_status().json()["id"],
            "estimates": await self._first("invoice", "SELECT id FROM estimates WHERE status = 'draft' ORDER BY id"),
            "invoices": await self._first("invoice", "SELECT id FROM invoices WHERE status = 'sent' ORDER BY id"),
        }
        return {
            product: both | {"users": await self._first(product, "SELECT id FROM users ORDER BY id")}
            for product in PRODUCTS
        }

    async def long_documents(self, customer_id: str) -> dict[str, str]:
        """Kind → the id of one with many lines, when both products have it."""
        invoice = await self._stack.person("invoice")
        lines = [LINE | {"name": f"Article {number}"} for number in range(MANY_LINES)]
        made = {}
        for kind in ("estimates", "invoices"):
            answer = await invoice.post(f"/v1/{kind}", json={"customer_id": customer_id, "line_items": lines})
            made[kind] = str(answer.raise_for_status().json()["id"])
        (await invoice.post(f"/v1/invoices/{made['invoices']}/status/sent")).raise_for_status()

        async def come() -> bool:
            wanted = "', '".join(made.values())
            return await self._first("crm", f"SELECT count(*) FROM documents WHERE id IN ('{wanted}')") == "2"

        await self._stack.eventually(come)
        return made

    async def _busiest(self, service: str, table: str, column: str) -> str:
        grouped = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}"
        return await self._first(service, f"{grouped} ORDER BY count(*) DESC, {column}")

    async def _first(self, service: str, statement: str) -> str:
        async with self._stack.database(service).reading() as session:
            return str((await session.execute(text(f"{statement} LIMIT 1"))).scalar_one())


async def measure(folder: Path, rounds: int) -> list[Measured]:
    """Ask for every page so often; the databases in ``folder`` are those of the demo."""
    stack = Stack("embedded", DemoFiles(folder), Broker("unused"))  # type: ignore[arg-type]
    await stack.start("crm", "sync", "workflow")
    await stack.start("invoice", mail_dir=folder / "mail")
    keep_for_good()
    try:
        demo = Demo(stack)
        records = await demo.records()
        long = await demo.long_documents(records["invoice"]["customers"])
        pages: list[Measured] = []
        for product in PRODUCTS:
            usual = {address: path for path, address in _found(stack, product, records[product])}
            more = {address: path for path, address in _found(stack, product, records[product] | long)}
            pages += [Measured(product, path, address) for address, path in usual.items()]
            pages += [Measured(product, more[address], address, beyond=True) for address in more.keys() - usual.keys()]
        pages.sort(key=lambda page: (page.product, page.path, page.beyond, page.address))
        asking = {
            product: Asking(stack.apps[product], (await stack.visitor(product)).client.cookies) for product in PRODUCTS
        }
        databases = [stack.database(service) for service in SERVICES]
        for page in pages:
            with counted(*databases) as statements:
                page.first = (await asking[page.product].ask(page)).work
            page.statements = len(statements)
        for _ in range(rounds):
            for page in pages:
                timed = await asking[page.product].ask(page)
                page.work.append(timed.work)
                page.clock.append(timed.clock)
    finally:
        await stack.close()
    return pages


def _found(stack: Stack, product: str, records: dict[str, str]) -> Iterator[tuple[str, str]]:
    for path in pages_of(stack.apps[product]):
        for address in addresses(path, records):
            yield path, address


def table_of(pages: Sequence[Measured]) -> Table:
    """The figures, in milliseconds, and the median beside that of the product's sign-in page."""
    table = Table(title="Pages on the demo's data: server time in ms", title_justify="left")
    for heading in ("Page", "First", "p50", "p99", "Clock", "× sign-in", "SQL"):
        table.add_column(heading, justify="left" if heading == "Page" else "right")
    for product in PRODUCTS:
        own = [page for page in pages if page.product == product]
        unit = next(page.p50 for page in own if page.path == YARDSTICK)
        table.add_section()
        for page in own:
            told = f"{product} {page.title}" + (f" ({page.status})" if page.status != 200 else "")
            figures = [page.first, page.p50, percentile(sorted(page.work), 99), percentile(sorted(page.clock), 50)]
            shown = [f"{seconds * 1000:.1f}" for seconds in figures]
            style = "red" if page.is_late else None
            table.add_row(told, *shown, f"{page.p50 / unit:.1f}", str(page.statements), style=style)
    return table


def main(rounds: int, data: Path | None) -> int:
    configure_logging("warning", "console")
    with tempfile.TemporaryDirectory() as made:
        folder = data or Path(made)
        if data is None:
            load_demo(folder)
        pages = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(measure(folder, rounds))
    console = Console()
    console.print(table_of(pages))
    late = [page for page in pages if page.is_late and not page.beyond]
    for page in late:
        console.print(f"[red]Over {MOST_SECONDS * 1000:.0f} ms:[/] {page.product} {page.title}", highlight=False)
    return 1 if late else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=50, help="how often each page is asked")
    arguments.add_argument(
        "--data", type=Path, help="a data directory that `make demo` has filled; made anew otherwise"
    )
    given = arguments.parse_args()
    sys.exit(main(given.rounds, given.data))
