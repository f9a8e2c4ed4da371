"""`crm-invoice`: run it all in one process, show the demo, and what operators need.

What starts services is imported by the commands that do: it takes seconds, and the others need none of it.
"""

from typing import Annotated

import typer

from embedded import importing, operations
from embedded.doctor import doctor

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Run it all in one process, show the demo, and what operators need.",
    pretty_exceptions_enable=False,
)
app.add_typer(operations.dead_letters, name="dead-letters")
app.add_typer(doctor, name="doctor")
app.command("import")(importing.command)
app.command("migrate")(operations.migrate)
app.command("create-user")(operations.create_user)
app.command("new-migration")(operations.new_migration)


@app.command()
def run() -> None:
    """Start CRM, Invoice, sync and workflow in this process; Ctrl-C stops them."""
    from embedded import serving

    serving.run()


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="End after the table; exit 0 only if the numbers add up.")] = False,
    orders: Annotated[int, typer.Option(min=1, help="Load only so many of its orders, from all of its years.")] = 830,
) -> None:
    """Start everything, load the Northwind company's data, and show what came of it."""
    from embedded import serving

    serving.demo(once=once, orders=orders)


@app.command("api-docs")
def api_docs(
    check: Annotated[bool, typer.Option(help="Write nothing; fail if a document is not what the code says.")] = False,
) -> None:
    """Write docs/api and docs/workflow.md anew from the code, or check that they are up to date."""
    from embedded import api_docs

    api_docs.write(check=check)


def main() -> None:
    """The console script."""
    app()
