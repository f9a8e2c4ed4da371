"""The policy as a page for people: every state of a potential against every state of its documents (docs/workflow.md).

Guarantee: each cell is what `decide` says for it; nothing of it is written by hand.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

from contracts.documents import EstimateStatus, InvoiceStatus
from contracts.potentials import PotentialSnapshot, PotentialStatus

from workflow_service.policy.deciding import decide
from workflow_service.policy.values import Document, DocumentKind, Lock, Memory, Trigger

STATUSES: tuple[PotentialStatus, ...] = get_args(PotentialStatus)

_LOCK = Lock("maria@example.com", datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
_NUMBERS = {"estimate": "EST-000001", "invoice": "INV-000001"}

_TOP = """# What the workflow does

Written by `make docs` from the code that decides (`workflow_service.policy`); `make check` finds any difference.

The workflow goes by the potential as it is now and by the documents that are linked to it now. Whatever the order in
which events come, and however often, it ends in the cell of these tables that fits, and does the next step until the
cell says *nothing*. The reason in the cell is the one that stands in the potential's run; … is the document's status.
While the workflow is not active it does nothing, and about what happened then it does nothing later, either: it only
learns of it.

The trigger says what a potential gets that has nothing yet. A potential that the workflow has begun with stays with
that kind of document, whichever trigger is set later: nothing that was made is changed by switching, and no potential
gets both.
"""

_ESTIMATES = """
## Trigger *estimates*

An estimate that a person has linked to the potential counts as its estimate, if the workflow has made none.
"""

_INVOICES = """
## Trigger *invoices*

*Changed by a person*: the workflow made it, and a person has changed its status since, by recording a payment perhaps.
It is left alone for good, unless an administrator unlocks it in Invoice. *Made by hand*: a person made it, or made it
out of an estimate.
"""

_SPECIAL = """
## What else may be so

There is no document in these cases. What is said of a deleted potential holds whatever there is; so a potential that is
deleted before the workflow gets to it has no document, and one that is deleted after that has.

Documents are looked for in the organization that is connected, and once there are any, in the one that they were made
in. Without a connection, what would be made waits. The run of an accepted estimate says in what it differs from the
potential: it is over another amount, or was made for another customer.
"""


@dataclass(frozen=True)
class Row:
    """One row: what is said of the documents, what there is, and what the workflow remembers.

    ``status``: of the one document. Rows of one ``group`` that differ by it alone are shown as one.
    """

    group: str
    documents: Sequence[Document] = ()
    memory: Memory = field(default_factory=Memory)
    status: str = ""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_TOP, _ESTIMATES, _table("estimates", _estimates()), _INVOICES, _table("invoices", _invoices())]
    return "\n".join([*parts, _SPECIAL, _special()])


def _estimates() -> Iterable[Row]:
    yield Row("none")
    yield Row("none; there was one, and a person deleted it", memory=Memory(kind="estimate", made=1))
    yield Row("none, but an invoice made by hand", [_document("invoice", "sent", by_workflow=False)])
    older = replace(_document("estimate", "draft"), line=("Older", Decimal(1)))
    yield Row("draft that nobody has changed, with an older name, amount or currency (first step)", [older])
    for status in get_args(EstimateStatus):
        yield Row("", [_document("estimate", status)], status=status)


def _invoices() -> Iterable[Row]:
    statuses = get_args(InvoiceStatus)
    yield Row("none")
    yield Row("none; there was one, and a person deleted it", memory=Memory(kind="invoice", made=1))
    for status in statuses:
        yield Row("", [_document("invoice", status)], status=_plain(status))
    for status in statuses:
        yield Row(": changed by a person", [_document("invoice", status, lock=_LOCK)], status=_plain(status))
    for status in statuses:
        yield Row(": made by hand", [_document("invoice", status, by_workflow=False)], status=_plain(status))


def _table(trigger: Trigger, rows: Iterable[Row]) -> str:
    head = [trigger.removesuffix("s").capitalize(), *(f"potential {status}" for status in STATUSES)]
    alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        cells = [_cell(trigger, _potential(status), row.documents, row.memory) for status in STATUSES]
        if row.status:
            cells = [cell.replace(f"1 is {row.status}", "1 is …") for cell in cells]
        alike[row.group, *cells].append(row)
    merged = []
    for (group, *cells), same in alike.items():
        if len(same) == 1:
            cells = [cell.replace("…", same[0].status) for cell in cells]
        merged.append([", ".join(row.status for row in same) + group, *cells])
    return _markdown(head, merged)


def _special() -> str:
    triggers: tuple[Trigger, ...] = get_args(Trigger)
    nobody, nothing = {"account_id": None}, {"amount": None}
    cases: list[tuple[str, PotentialSnapshot, Memory]] = [
        ("deleted", _potential("won", deleted=True), Memory()),
        ("won, with neither account nor contact", _potential("won", **nobody), Memory()),
        ("won, without an amount", _potential("won", **nothing), Memory()),
        ("won while the workflow was not active, and edited since", _potential("won"), Memory(won_before=True)),
        (
            "lost; it had asked for a document before, and that was not made yet (first step)",
            _potential("lost"),
            Memory(due=frozenset({"estimate", "invoice"})),
        ),
    ]
    rows = [[name, *(_cell(trigger, case, (), memory) for trigger in triggers)] for name, case, memory in cases]
    return _markdown(["potential", *(f"trigger *{trigger}*" for trigger in triggers)], rows)


def _cell(trigger: Trigger, potential: PotentialSnapshot, documents: Sequence[Document], memory: Memory) -> str:
    words = decide(trigger, potential, documents, memory).words
    return words[0].upper() + words[1:]


def _potential(status: PotentialStatus, **changes: object) -> PotentialSnapshot:
    values: dict[str, object] = {
        "id": "p",
        "version": 1,
        "potential_name": "Order",
        "account_id": "a",
        "stage": status,
        "status": status,
        "amount": Decimal(100),
        "currency_code": "EUR",
    }
    return PotentialSnapshot.model_validate(values | changes)


def _document(
    kind: DocumentKind, status: EstimateStatus | InvoiceStatus, *, by_workflow: bool = True, lock: Lock | None = None
) -> Document:
    return Document(kind, kind, _NUMBERS[kind], status, by_workflow, lock)


def _plain(status: str) -> str:
    return status.replace("_", " ")


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
