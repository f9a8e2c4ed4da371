"""What came of following a potential's event: the decision in words, the commands, the outcome and its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from contracts.potentials import PotentialSnapshot
from servicekit.db import utc_now

from workflow_service.policy import Decision, Document, Memory

Outcome = Literal["done", "skipped", "failed", "waiting"]
CommandName = Literal[
    "create_estimate",
    "update_estimate",
    "accept_estimate",
    "decline_estimate",
    "create_invoice",
    "void_invoice",
    "import_account",
    "import_contact",
]


@dataclass
class Result:
    """What came of it. ``error`` is what the consumer is to be told; None: the event is done with.

    ``decision``: what was decided, step after step, in words. ``memory``: what is to be remembered of the potential.
    ``organization_id``: the organization in Invoice that was looked at; ``documents``: what was linked to it there when
    the decision was made.
    """

    outcome: Outcome = "skipped"
    reason: str | None = None
    started_at: datetime = field(default_factory=utc_now)
    decision: str | None = None
    commands: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    memory: Memory = field(default_factory=Memory)
    organization_id: str | None = None
    documents: Sequence[Document] = ()

    def decided(self, potential: PotentialSnapshot, documents: Sequence[Document], decision: Decision) -> None:
        """Write the decision down, after those before it."""
        self.documents = documents
        if self.decision is None:
            there = ", ".join(f"{one.kind} {one.number} {one.status}" for one in documents) or "no document"
            status = "deleted" if potential.deleted else potential.status
            self.decision = f"potential {status} (version {potential.version}), {there}: {decision.words}"
        else:
            self.decision += f"; then {decision.words}"

    def command(self, name: CommandName, *, before_last: bool = False, **facts: Any) -> dict[str, Any]:
        """A command that is being tried; what comes of it is written into it."""
        command: dict[str, Any] = {"command": name, "outcome": "waiting", "at": utc_now().isoformat(), **facts}
        self.commands.insert(len(self.commands) - before_last, command)
        return command

    def found_done(self, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Which of these commands of an earlier attempt, whose answer never came, were carried out all the same."""
        created = {f"create_{one.kind}": one for one in sorted(self.documents, key=_id) if one.by_workflow}
        return [
            {**one, "outcome": "done", **named(created[one["command"]])}
            for one in commands
            if one.get("unanswered") and one["command"] in created
        ]

    @property
    def did_something(self) -> bool:
        """Whether a document was made or moved on."""
        return any(moved_a_document(command) for command in self.commands)


def moved_a_document(command: dict[str, Any]) -> bool:
    """Whether the command, of any age, has made a document or moved it on."""
    return bool(command["outcome"] == "done" and command["command"] not in ("import_account", "import_contact"))


def named(document: Document) -> dict[str, Any]:
    """How a command names the document it is about."""
    facts: dict[str, Any] = {
        "document_type": document.kind,
        "document_id": document.id,
        "document_number": document.number,
    }
    if document.kind == "estimate":
        facts |= {"estimate_id": document.id, "estimate_number": document.number}
    return facts


def _id(document: Document) -> str:
    return document.id
