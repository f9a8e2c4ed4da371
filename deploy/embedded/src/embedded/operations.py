"""What operators need: dead letters, users, migrations.

Each command works on one service's database: the one in DATABASE_URL, or else the SQLite file in the data directory.
A running service need not be stopped.
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar, cast

import typer
from servicekit.auth import Role
from servicekit.bus.dead_letters import DeadLetter, DeadLetters
from servicekit.db import Database
from servicekit.errors import Problem
from servicekit.identity import service as identity
from servicekit.migrations import generate
from servicekit.migrations import migrate as migrate_database
from servicekit.settings import load

from embedded.settings import SERVICES, EmbeddedSettings
from embedded.terminal import console

dead_letters = typer.Typer(no_args_is_help=True, help="Events that a service gave up on: look, replay, discard.")

Service = Annotated[str, typer.Option(help=f"Whose database: {', '.join(SERVICES)}")]
Letter = Annotated[str, typer.Argument(help="The dead letter's id, as `list` shows it")]

T = TypeVar("T")


def _with_database(service: str, work: Callable[[Database], Awaitable[T]]) -> T:
    if service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service}; there are {', '.join(SERVICES)}")

    url = os.environ.get("DATABASE_URL")
    if not url:
        settings = load(EmbeddedSettings)
        url = settings.database_url(service)
        file = settings.data_dir / f"{service}.sqlite3"
        if not file.exists():
            raise typer.BadParameter(f"there is no {file}; set DATA_DIR or DATABASE_URL to where the data is")

    async def run() -> T:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@dead_letters.command("list")
def list_letters(
    service: Service = "sync",
    queue: Annotated[str | None, typer.Option(help="Only this queue's")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Show the dead letters, newest first."""
    letters = _with_database(service, lambda db: DeadLetters(db).page(queue=queue, limit=limit))
    if not letters:
        console.print(f"No dead letters in {service}.")
        return
    for letter in letters:
        state = ", replay asked for" if letter.replay_requested_at else ""
        console.print(f"[bold]{letter.id}[/]  {letter.died_at:%Y-%m-%d %H:%M:%S}", highlight=False)
        event = letter.event_type or "unreadable"
        attempts = f"{letter.attempts} attempt{'s' if letter.attempts != 1 else ''}"
        console.print(f"  {letter.queue}  {event}  ({attempts}{state})", highlight=False, markup=False)
        console.print(f"  {letter.reason}", highlight=False, markup=False)


@dead_letters.command("show")
def show_letter(letter_id: Letter, service: Service = "sync") -> None:
    """Show one, with what arrived."""
    letter = _with_database(service, lambda db: DeadLetters(db).get(letter_id))
    if letter is None:
        raise typer.BadParameter(f"{service} has no dead letter {letter_id}")
    for name in ("id", "queue", "event_id", "event_type", "subject", "attempts", "reason", "died_at", "correlation_id"):
        console.print(f"{name:<15} {_plain(letter, name)}", highlight=False, markup=False)
    console.print(letter.body.decode("utf-8", "backslashreplace"), highlight=False, markup=False)


def _plain(letter: DeadLetter, name: str) -> str:
    value = getattr(letter, name)
    return "-" if value is None else str(value)


@dead_letters.command("replay")
def replay_letter(
    letter_id: Annotated[str | None, typer.Argument(help="One letter's id")] = None,
    service: Service = "sync",
    queue: Annotated[str | None, typer.Option(help="All letters of this queue")] = None,
) -> None:
    """Have one letter, or all of a queue, handled again by the running service."""
    if (letter_id is None) == (queue is None):
        raise typer.BadParameter("give either a letter's id or --queue")
    count = _with_database(service, lambda db: DeadLetters(db).request_replay(letter_id=letter_id, queue=queue))
    console.print(f"{count} to be handled again; {service} takes them up within seconds of running.")
    raise typer.Exit(0 if count else 1)


@dead_letters.command("discard")
def discard_letter(letter_id: Letter, service: Service = "sync") -> None:
    """Forget one for good."""
    if not _with_database(service, lambda db: DeadLetters(db).discard(letter_id)):
        raise typer.BadParameter(f"{service} has no dead letter {letter_id}")
    console.print(f"Discarded {letter_id}.")


def migrate(service: Service) -> None:
    """Bring one service's database to the newest version; services also do it by themselves at start."""
    _with_database(service, lambda db: migrate_database(db, f"{service}_service"))
    console.print(f"{service}: the database is up to date.")


def create_user(
    email: str,
    service: Annotated[str, typer.Option(help="crm or invoice: each product has users of its own")] = "crm",
    role: Annotated[str, typer.Option(help="viewer, member or admin")] = "member",
    password: Annotated[
        str,
        typer.Option(envvar="USER_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True, show_envvar=True),
    ] = "",
) -> None:
    """Add a person to the CRM or to Invoice; asks for their password."""
    if service not in ("crm", "invoice"):
        raise typer.BadParameter("only crm and invoice have users")
    if role not in ("viewer", "member", "admin"):
        raise typer.BadParameter("the role must be viewer, member or admin")
    if "@" not in email:
        raise typer.BadParameter(f"{email} is no e-mail address")
    if len(password) < 10:
        raise typer.BadParameter("the password must have at least 10 characters")
    try:
        _with_database(
            service, lambda db: identity.create_user(db, email=email, password=password, role=cast(Role, role))
        )
    except Problem as problem:
        raise typer.BadParameter(problem.detail) from None
    console.print(f"{email} may sign in to {service} as {role}.")


def new_migration(service: Service, message: str) -> None:
    """For developers: write the next migration from what the models say and an empty database does not have."""

    async def write() -> None:
        with tempfile.TemporaryDirectory() as folder:
            scratch = Database(f"sqlite:///{folder}/scratch.sqlite3")
            await migrate_database(scratch, f"{service}_service")
            await generate(scratch, f"{service}_service", message)
            await scratch.close()

    asyncio.run(write())
