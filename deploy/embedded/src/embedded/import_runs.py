"""Following an import run to its end, and telling what came of it: for the command line and the demo."""

import asyncio
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from embedded.api import Api, ApiError

Run = dict[str, Any]

COUNTS = ("created", "updated", "unchanged", "deleted", "made_inactive", "failed")
"""What may become of a record; together they are all that were read."""
ENDED = ("completed", "failed")
SHOWN_FAILURES = 20
SHOWN_CHANGES = 50
LOOK_AGAIN_SECONDS = 0.5
AWAY_SECONDS = 60
"""How long a service may be away before whoever follows gives up; the run itself goes on without us."""


def bars(console: Console) -> Progress:
    """Bars for runs, with what became of the records so far."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn())
    return (Progress if console.is_terminal else _InAFile)(*columns, _Told(), console=console)


class _InAFile(Progress):
    """Where no bar can move, what begins is said."""

    def add_task(self, description: str, *args: Any, **kwargs: Any) -> TaskID:
        self.console.print(f"{description} …", style="dim")
        return super().add_task(description, *args, **kwargs)


class _Told(ProgressColumn):
    """What became of the records so far; nothing for bars that are not a run's."""

    def render(self, task: Task) -> Text:
        return Text(task.fields.get("told", ""), style="dim", no_wrap=True, overflow="ellipsis")


async def follow(api: Api, run: Run, progress: Progress, description: str) -> Run:
    """The run when it has ended; until then its bar moves.

    A broken connection, or a service that is started again, is waited for. Raises `ApiError` if it stays away.
    """
    task = progress.add_task(description, total=run["total"])
    path, away = f"/v1/imports/{run['id']}", 0.0
    while run["status"] not in ENDED:
        try:
            async for _, run in api.events("sync", f"{path}/progress"):
                _show(progress, task, run)
                away = 0.0
            run = (await api.call("GET", "sync", path)).json()
        except ApiError:
            if away >= AWAY_SECONDS:
                raise
        if run["status"] not in ENDED:
            away += LOOK_AGAIN_SECONDS
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    _show(progress, task, run)
    if run["status"] == "completed":  # there may be other records by now than were counted when it began
        progress.update(task, total=run["counts"]["read"])
    return run


def _show(progress: Progress, task: TaskID, run: Run) -> None:
    counts = run["counts"]
    told = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in COUNTS if counts[name])
    progress.update(task, total=run["total"], completed=counts["read"], told=told)


def counts_table(title: str, **columns: Run) -> Table:
    """What each of the runs did, side by side; heading → run."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("")
    for heading in columns:
        table.add_column(heading.replace("_", " ").capitalize(), justify="right")
    for name in ("read", *COUNTS):
        figures = (f"{run['counts'][name]:,}" for run in columns.values())
        table.add_row(name.replace("_", " ").capitalize(), *figures, end_section=name == "read")
    return table


async def tell_failures(api: Api, run: Run, console: Console) -> None:
    """The first records that failed, and how to go on."""
    failed = run["counts"]["failed"]
    if not failed:
        return
    page = (await api.call("GET", "sync", f"/v1/imports/{run['id']}/failures", params={"limit": SHOWN_FAILURES})).json()
    table = Table(box=box.SIMPLE_HEAD, title="Not imported", title_justify="left")
    for heading in ("Record", "Id", "Why"):
        table.add_column(heading, overflow="fold")
    for failure in page["items"]:
        table.add_row(failure["record_type"], Text(failure["record_id"]), Text(failure["reason"]))
    console.print(table)
    if failed > len(page["items"]):
        console.print(f"… and {failed - len(page['items']):,} more: GET /v1/imports/{run['id']}/failures", markup=False)
    console.print(f"Mend them in the CRM, then: crm-invoice import --retry {run['id']}", highlight=False)


async def tell_changes(api: Api, run: Run, console: Console, *, title: str) -> None:
    """What the run would change, or has changed, record by record and field by field."""
    params = {"limit": SHOWN_CHANGES}
    page = (await api.call("GET", "sync", f"/v1/imports/{run['id']}/changes", params=params)).json()
    if not page["items"]:
        return
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in ("Record", "What", "Field", "Before", "After"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Field")
    for item in page["items"]:
        # As Text: what people have typed may look like markup.
        what = Text.assemble(item["outcome"].replace("_", " "), (f"\n{item['why']}" if item["why"] else "", "dim"))
        record = Text.assemble(item["name"] or item["record_id"], " ", (item["record_type"], "dim"))
        fields = item["changes"] or [{"field": "", "before": None, "after": None}]
        for change in fields:
            named = (record, what) if change is fields[0] else ("", "")
            values = (Text(change[when] or "") for when in ("before", "after"))
            table.add_row(*named, _written(change["field"]), *values)
        table.add_section()
    console.print(table)
    if (more := run["changes"] - len(page["items"])) > 0:
        console.print(f"… and {more:,} more: GET /v1/imports/{run['id']}/changes", markup=False, highlight=False)


def _written(field: str) -> str:
    """``customer.billing_address.city`` as a person would say it: billing address city."""
    of, _, name = field.partition(".")
    words = name.replace("customer_name", "name").replace("_", " ").replace(".", " ")
    return f"person's {words}" if of == "contact_person" else words
