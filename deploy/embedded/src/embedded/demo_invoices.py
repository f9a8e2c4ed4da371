"""The demo's second act: the workflow's other trigger, and what it does not do (S16-S18).

Guarantee: each step looks at what is there already; killed anywhere and started again, it ends with the same deals.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from embedded.api import Api

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Deal:
    """A deal and how it goes. ``sent``: someone sends its invoice before it is lost. ``outcome``: of its last run."""

    name: str
    moves: tuple[str, ...]
    outcome: str
    with_account: bool = True
    sent: bool = False


DEALS = (
    Deal("Espresso machine, leased", ("won",), "done"),
    Deal("Tea for the winter", ("won", "lost"), "done"),
    Deal("Cheese for the fair", ("won", "lost"), "skipped", sent=True),
    Deal("Nobody knows who asked", ("won",), "skipped", with_account=False),
)


@dataclass(frozen=True)
class Told:
    """What came of a deal: its invoice, if it has one, and its last run."""

    deal: Deal
    invoice: dict[str, Any] | None
    run: dict[str, Any]

    @property
    def fault(self) -> str | None:
        """How it differs from what was to come; None if it does not."""
        status = {"won": "draft", "lost": "sent" if self.deal.sent else "void"}[self.deal.moves[-1]]
        wanted = (self.deal.outcome, status if self.deal.with_account else None)
        found = (self.run["outcome"], self.invoice["status"] if self.invoice else None)
        return None if found == wanted else f"{self.deal.name}: {found}, expected {wanted}"


async def play(api: Api, account_id: str, progress: Progress) -> list[Told]:
    """Play it with the trigger *invoices*, unless it was played before; the trigger is *estimates* again in the end."""
    task = progress.add_task("Trigger: invoices", total=len(DEALS))
    stages: dict[str, str] = {}
    for stage in (await api.call("GET", "crm", "/v1/stages")).json()["items"]:
        stages.setdefault(stage["status"], stage["name"])
    known = {one["potential_name"]: one async for one in api.everything("crm", "/v1/potentials")}
    to_play = any(known.get(deal.name, {}).get("status") != deal.moves[-1] for deal in DEALS)
    if to_play:
        await api.call("PUT", "crm", "/v1/workflow", json={"active": True, "trigger": "invoices"})
    told = []
    for deal in DEALS:
        told.append(await _go(api, deal, known.get(deal.name), account_id, stages))
        progress.update(task, advance=1)
    if to_play:
        await api.call("PUT", "crm", "/v1/workflow", json={"active": True, "trigger": "estimates"})
    return told


async def _go(api: Api, deal: Deal, potential: dict[str, Any] | None, account_id: str, stages: dict[str, str]) -> Told:
    if potential is None:
        body = {"potential_name": deal.name, "amount": "1200.00", "currency_code": "USD"}
        body |= {"stage": stages[deal.moves[0]], **({"account_id": account_id} if deal.with_account else {})}
        potential = (await api.call("POST", "crm", "/v1/potentials", json=body)).json()
    run = await _followed(api, potential)
    invoice = await _invoice(api, potential)
    if potential["status"] == "won" and "lost" in deal.moves:
        if deal.sent and invoice and invoice["status"] == "draft":
            await api.call("POST", "invoice", f"/v1/invoices/{invoice['id']}/status/sent")
        path, body = f"/v1/potentials/{potential['id']}", {"stage": stages["lost"]}
        potential = (await api.call("PATCH", "crm", path, json=body)).json()
        run = await _followed(api, potential)
        invoice = await _invoice(api, potential)
    return Told(deal, invoice, run)


async def _followed(api: Api, potential: dict[str, Any]) -> dict[str, Any]:
    """The run of the potential's newest version, when it has ended."""
    path = f"/v1/potentials/{potential['id']}/workflow-runs"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            runs: list[dict[str, Any]] = (await api.call("GET", "crm", path)).json()["items"]
            for run in runs:
                if run["potential_version"] == potential["version"] and run["outcome"] != "waiting":
                    return run
            await asyncio.sleep(0.1)


async def _invoice(api: Api, potential: dict[str, Any]) -> dict[str, Any] | None:
    params = {"crm_potential_id": potential["id"]}
    items: list[dict[str, Any]] = (await api.call("GET", "invoice", "/v1/invoices", params=params)).json()["items"]
    return items[0] if items else None


def table(told: list[Told]) -> Table:
    """The deals, their invoices, and what the workflow says of its last run."""
    shown = Table(box=box.SIMPLE_HEAD, title="With the trigger invoices", title_justify="left")
    for heading in ("Deal", "Went", "Invoice", "Last run", "Why"):
        shown.add_column(heading, overflow="fold")
    for one in told:
        went = ", then ".join(one.deal.moves)
        invoice = f"{one.invoice['invoice_number']} {one.invoice['status']}" if one.invoice else "none"
        shown.add_row(one.deal.name, went, invoice, one.run["outcome"], Text(one.run["reason"] or ""))
    return shown
