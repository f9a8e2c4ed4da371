"""`make demo`: the main job on real data, and a table that says what came of it."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from servicekit.outbox import outbox
from sqlalchemy import func, select

from embedded import demo_invoices, loading
from embedded.api import Api
from embedded.import_runs import bars, counts_table
from embedded.northwind_data import Northwind, load
from embedded.runner import Running

STALLED_SECONDS = 60

STATUSES = ("accepted", "declined", "draft", "sent", "expired", "invoiced")

EXPECTED_ESTIMATE = {"won": "accepted", "lost": "declined", "open": "draft"}
"""Potential's status → its estimate's (S15)."""


@dataclass
class Tally:
    """What the APIs say is there."""

    accounts: int = 0
    contacts: int = 0
    customers: int = 0
    contact_persons: int = 0
    potentials: Counter[str] = field(default_factory=Counter)
    estimates: Counter[str] = field(default_factory=Counter)
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def faults(self, data: Northwind) -> list[str]:
        """Where it differs from what the data asks for; empty if all adds up."""
        companies = len(data.companies)
        counts, amounts = data.orders_by_status(), data.amounts_by_status()
        checks: list[tuple[str, Any, Any]] = [
            ("accounts", self.accounts, companies),
            ("contacts", self.contacts, companies),
            ("customers", self.customers, companies),
            ("contact persons", self.contact_persons, companies),
            ("potentials", dict(self.potentials), dict(counts)),
            ("estimates", dict(self.estimates), {EXPECTED_ESTIMATE[name]: count for name, count in counts.items()}),
            ("sums of estimates", dict(self.sums), {EXPECTED_ESTIMATE[name]: sum_ for name, sum_ in amounts.items()}),
        ]
        return [f"{name}: {found}, expected {wanted}" for name, found, wanted in checks if found != wanted]


async def run(services: Running, email: str, orders: int, console: Console) -> bool:
    """Load the data with so many orders, wait until all is handled, print the table; whether the numbers add up."""
    data = load(orders)
    started = time.perf_counter()
    before = await _published(services)
    async with httpx.AsyncClient(timeout=120, trust_env=False) as http:
        api = Api(http, services.urls)
        await api.sign_in(email, services.secrets.admin_password or "")
        with bars(console) as progress:
            people = await loading.load_companies(api, data, progress)
            first, again = await loading.import_companies(api, email, progress)
            await loading.activate_workflow(api)
            await loading.load_orders(api, data, people, progress)
            await _until_handled(services, progress)
            told = await demo_invoices.play(api, next(iter(people.values()))["account_id"], progress)
        seconds = time.perf_counter() - started
        events = await _published(services) - before
        tally = await _count(api, data)
    console.print()
    console.print(counts_table("Accounts and contacts, imported into Invoice", first_import=first, once_more=again))
    console.print(_table(tally, seconds, events))
    console.print(demo_invoices.table(told))
    faults = [*tally.faults(data), *(one.fault for one in told if one.fault)]
    if again["status"] != "completed" or again["counts"]["unchanged"] != again["counts"]["read"]:
        faults.append(f"the second import: {again['status']}, {again['counts']}, expected all unchanged")
    for fault in faults:
        console.print(f"[yellow]Not as it was loaded:[/] {fault}", highlight=False)
    return not faults


async def _published(services: Running) -> float:
    return sum(float(app.state.service.metrics.published._value.get()) for app in services.apps.values())


async def _until_handled(services: Running, progress: Progress) -> None:
    """Wait until every recorded event has been handled by all who subscribe to it."""
    task = progress.add_task("Waiting events", total=None)
    most = least = await _backlog(services)
    moved = time.monotonic()
    while (left := await _backlog(services)) > 0:
        if left != least:
            least, moved = left, time.monotonic()
        most = max(most, left)
        progress.update(task, total=most, completed=most - left)
        if time.monotonic() - moved > STALLED_SECONDS:
            progress.console.print(f"[red]Nothing was handled for {STALLED_SECONDS} s; {left} events are left.[/]")
            return
        await asyncio.sleep(0.1)
    progress.update(task, total=max(most, 1), completed=max(most, 1))


async def _backlog(services: Running) -> int:
    left = 0
    for name in ("crm", "invoice"):
        async with services.database(name).reading() as session:
            left += (await session.execute(select(func.count()).select_from(outbox))).scalar_one()
    return left


async def _count(api: Api, data: Northwind) -> Tally:
    """Count what came of the Northwind data; what people have added meanwhile is left out."""
    tally = Tally()
    names = {company.account["account_name"] for company in data.companies}
    accounts = {
        item["id"]: item["account_name"]
        async for item in api.everything("crm", "/v1/accounts")
        if item["account_name"] in names
    }
    tally.accounts = len(accounts)
    async for contact in api.everything("crm", "/v1/contacts"):
        tally.contacts += contact["account_id"] in accounts
    async for customer in api.everything("invoice", "/v1/customers"):
        if any(link["record_id"] in accounts for link in customer["crm_links"]):
            tally.customers += 1
            tally.contact_persons += len(customer["contact_persons"])
    orders = {order.name for order in data.orders}
    potentials = set()
    async for potential in api.everything("crm", "/v1/potentials"):
        if potential["potential_name"] in orders:
            potentials.add(potential["id"])
            tally.potentials[potential["status"]] += 1
    async for estimate in api.everything("invoice", "/v1/estimates"):
        if estimate["crm_potential_id"] in potentials:
            tally.estimates[estimate["status"]] += 1
            tally.sums[estimate["status"]] += Decimal(estimate["total"])
    return tally


def _table(tally: Tally, seconds: float, events: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Northwind: from accounts to estimates", title_justify="left")
    table.add_column("")
    table.add_column("Count", justify="right")
    table.add_column("Sum (USD)", justify="right")
    table.add_row("Accounts in the CRM", f"{tally.accounts:,}")
    table.add_row("Contacts in the CRM", f"{tally.contacts:,}")
    table.add_row("Customers in Invoice", f"{tally.customers:,}")
    table.add_row("Contact persons in Invoice", f"{tally.contact_persons:,}", end_section=True)
    for status in ("won", "lost", "open"):
        table.add_row(f"Potentials {status}", f"{tally.potentials[status]:,}")
    table.add_row("Potentials", f"{tally.potentials.total():,}", end_section=True)
    for status in sorted(tally.estimates, key=STATUSES.index):
        table.add_row(f"Estimates {status}", f"{tally.estimates[status]:,}", f"{tally.sums[status]:,.2f}")
    total = sum(tally.sums.values(), Decimal(0))
    table.add_row("Estimates", f"{tally.estimates.total():,}", f"{total:,.2f}", end_section=True)
    table.add_row("Time", f"{seconds:,.1f} s")
    table.add_row("Events published", f"{events:,.0f}")
    table.add_row("Events a second", f"{events / seconds:,.0f}")
    return table
