"""`crm-invoice run` and `demo`: all four services in this process, until it is told to stop."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop
from rich.table import Table
from servicekit.identity.passwords import verify_password
from servicekit.identity.service import find_user
from servicekit.settings import load
from servicekit.telemetry import configure_logging

from embedded import demo as demo_run
from embedded.runner import Running, running, until_told_to_stop
from embedded.settings import CannotStart, EmbeddedSettings
from embedded.terminal import console


def run() -> None:
    """Start the services."""
    settings = _settings()
    _go(_serve(settings))


def demo(*, once: bool, orders: int) -> None:
    """Start the services, load the data with so many of its orders, tell what came of it; ``once``: and end."""
    settings = _settings()
    _go(_demo(settings, once=once, orders=orders))


def _settings() -> EmbeddedSettings:
    settings = load(EmbeddedSettings)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _go(main: Coroutine[Any, Any, int]) -> None:
    try:
        status = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main)
    except CannotStart as error:
        console.print(f"[red]Cannot start:[/] {error}", highlight=False)
        status = 1
    sys.exit(status)


async def _serve(settings: EmbeddedSettings) -> int:
    async with running(settings) as services:
        await _announce(services, settings)
        await until_told_to_stop()
    console.print("Stopped.")
    return 0


async def _demo(settings: EmbeddedSettings, *, once: bool, orders: int) -> int:
    async with running(settings) as services:
        console.print("[bold]CRM and Invoice[/]: four services in one process, loading the Northwind data\n")
        if not await _password_fits(services, settings):
            raise CannotStart(
                f"{settings.admin_email} was made at an earlier start with another password than the one known now; "
                "set ADMIN_EMAIL and ADMIN_PASSWORD as they were then, or DATA_DIR to a new directory"
            )
        work = asyncio.create_task(demo_run.run(services, settings.admin_email, orders, console))
        told = asyncio.create_task(until_told_to_stop())
        await asyncio.wait([work, told], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            console.print("Stopped before the end; start again, and it goes on from here.")
            return 1 if once else 0
        adds_up = work.result()
        if once:
            told.cancel()
            await _tell_how_to_open(services, settings)
            return 0 if adds_up else 1
        console.print()
        await _announce(services, settings)
        await told
    console.print("Stopped.")
    return 0


async def _password_fits(services: Running, settings: EmbeddedSettings) -> bool:
    password = services.secrets.admin_password
    async with services.database("crm").reading() as session:
        user = await find_user(session, settings.admin_email)
    return password is not None and user is not None and await verify_password(password, user.password_hash)


async def _announce(services: Running, settings: EmbeddedSettings) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, url in services.urls.items():
        table.add_row(f"[bold]{name.title() if name != 'crm' else 'CRM'}[/]", url, "[dim]/docs to try its API[/]")
    table.add_row("Sign in as", settings.admin_email)
    table.add_row("Password", await _where_the_password_is(services, settings))
    console.print(table)
    console.print("\nCtrl-C stops it; starting again finds everything as it was.")


async def _tell_how_to_open(services: Running, settings: EmbeddedSettings) -> None:
    console.print(f"The data is in {settings.data_dir}. `make run` opens it:")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    if settings.base_port:  # otherwise they are elsewhere at each start
        table.add_row("[bold]CRM[/]", services.urls["crm"])
        table.add_row("[bold]Invoice[/]", services.urls["invoice"])
    table.add_row("Sign in as", settings.admin_email)
    table.add_row("Password", await _where_the_password_is(services, settings))
    console.print(table)


async def _where_the_password_is(services: Running, settings: EmbeddedSettings) -> str:
    if not await _password_fits(services, settings):
        return "the one given at the first start; what is set now has no effect"
    kept = services.secrets.admin_password_file
    return f"in {kept}" if kept else "as set in ADMIN_PASSWORD"
