"""`crm-invoice import`: the import from the command line (S21, S30)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx
import typer
from rich.markup import escape

from embedded.addresses import CannotReach, signed_in
from embedded.api import Api, ApiError
from embedded.import_runs import bars, counts_table, follow, tell_changes, tell_failures
from embedded.terminal import console


def command(
    email: Annotated[
        str | None, typer.Option(help="Connect with this CRM user's ZSC key (ZSC_KEY, or asked for); else import again")
    ] = None,
    auto_update: Annotated[bool, typer.Option(help="With --email: keep the customers up to date from now on")] = False,
    organization: Annotated[
        str | None,
        typer.Option(help="With --email: the id of the organization in Invoice; the default one if left out"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what an import would do; change nothing")] = False,
    retry: Annotated[str | None, typer.Option(help="Try the failed records of this import (its id) again")] = None,
    zsc_key: Annotated[str | None, typer.Option(envvar="ZSC_KEY", hidden=True)] = None,
) -> None:
    """Import the CRM's accounts and contacts into Invoice, and follow it to its end."""
    if retry is not None and (email is not None or dry_run):
        raise typer.BadParameter("--retry goes alone")
    body: dict[str, Any] = {}
    if email is not None:
        key = zsc_key or typer.prompt("ZSC key", hide_input=True)
        body = {"email": email, "zsc_key": key, "auto_update": auto_update}

    async def work(api: Api) -> int:
        path = f"/v1/imports/{retry}/retry" if retry else "/v1/imports"
        headers = {"X-Organization-Id": organization} if organization else {}
        params = {"dry_run": "true"} if dry_run else {}
        run = (await api.call("POST", "sync", path, json=body, params=params, headers=headers)).json()
        with bars(console) as progress:
            run = await follow(api, run, progress, "Dry run" if dry_run else "Import")
        console.print(counts_table("What an import would do" if dry_run else "What the import did", records=run))
        if dry_run:
            await tell_changes(api, run, console, title="Record by record")
        await tell_failures(api, run, console)
        if run["status"] == "failed":
            console.print(f"[red]It stopped before its end:[/] {escape(run['reason'])}", highlight=False)
        return 0 if run["status"] == "completed" and not run["counts"]["failed"] else 1

    carry_out(work)


def carry_out(work: Callable[[Api], Awaitable[int]]) -> None:
    """Do ``work`` with the services, and exit with the status it gives; whatever stands in its way is said."""

    async def main() -> int:
        async with signed_in() as api:
            return await work(api)

    try:
        status = asyncio.run(main())
    except (CannotReach, ApiError) as error:
        console.print(f"[red]Not done:[/] {escape(str(error))}", highlight=False)
        status = 1
    except httpx.TransportError as error:
        console.print(f"[red]Not done:[/] a service does not answer any more ({type(error).__name__})", highlight=False)
        status = 1
    raise typer.Exit(status)
