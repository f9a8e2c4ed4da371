"""`crm-invoice doctor`: is everything well, and do CRM and Invoice say the same?"""

from typing import Annotated, Any

import httpx
import typer
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from embedded.api import Api
from embedded.import_runs import bars, counts_table, follow, tell_changes, tell_failures
from embedded.importing import carry_out
from embedded.terminal import console

doctor = typer.Typer(invoke_without_command=True, help="Is everything well? `doctor sync` compares CRM and Invoice.")


@doctor.callback()
def health(context: typer.Context) -> None:
    """Ask each service how it is; exit 1 if one is not well."""
    if context.invoked_subcommand is None:
        carry_out(_health)


async def _health(api: Api) -> int:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Service", "State", "Database", "Bus", "Events waiting since"):
        table.add_column(heading, overflow="fold")
    well = True
    for name in api.services:
        try:
            found: dict[str, Any] = (await api.call("GET", name, "/health/ready", accept=[503])).json()
        except httpx.TransportError as error:
            found = {"status": f"does not answer ({type(error).__name__})", "checks": {}}
        checks = found["checks"]
        lag = checks.get("relay_lag_seconds")
        well = well and found["status"] == "ok"
        state = "[green]ok[/]" if found["status"] == "ok" else f"[red]{escape(found['status'])}[/]"
        waiting = "" if lag is None else f"{lag:,.1f} s" if lag else "none waits"
        table.add_row(name, state, Text(checks.get("database", "?")), Text(checks.get("bus", "?")), waiting)
    console.print(table)
    return 0 if well else 1


@doctor.command("sync")
def sync(
    mend: Annotated[bool, typer.Option("--mend", help="Bring Invoice to what the CRM says, where they differ")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --mend: do not ask first")] = False,
) -> None:
    """Compare CRM and Invoice record by record: what differs, and why. Exit 0 if nothing does, or all was mended."""

    async def work(api: Api) -> int:
        run = await _check(api, mend=False)
        different = run["counts"]["read"] - run["counts"]["unchanged"]
        if run["status"] == "failed" or not different or not mend:
            return 1 if different or run["status"] == "failed" else 0
        if not yes and not typer.confirm("Bring Invoice to what the CRM says?"):
            return 1
        run = await _check(api, mend=True)
        return 0 if run["status"] == "completed" and not run["counts"]["failed"] else 1

    carry_out(work)


async def _check(api: Api, *, mend: bool) -> dict[str, Any]:
    run = (await api.call("POST", "sync", "/v1/checks", json={"mend": mend})).json()
    with bars(console) as progress:
        run = await follow(api, run, progress, "Mending" if mend else "Comparing")
    if run["status"] == "failed":
        console.print(f"[red]It stopped before its end:[/] {escape(run['reason'])}", highlight=False)
    elif run["counts"]["read"] == run["counts"]["unchanged"]:
        console.print(
            f"[green]CRM and Invoice say the same[/] of all {run['counts']['read']:,} records.", highlight=False
        )
    else:
        console.print(counts_table("What was mended" if mend else "What mending would do", records=run))
        await tell_changes(api, run, console, title="Mended" if mend else "Where they differ")
        await tell_failures(api, run, console)
        if not mend:
            console.print("To bring Invoice to what the CRM says: crm-invoice doctor sync --mend", highlight=False)
    return run
