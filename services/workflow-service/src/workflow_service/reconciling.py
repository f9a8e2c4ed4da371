"""Bringing Invoice to where a potential's snapshot asks it to be: decide, take the step, decide again.

Guarantee: whatever happened before (nothing, half of it, all of it), going through it again ends in the same state.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from contracts.potentials import PotentialSnapshot
from servicekit.errors import Permanent, Transient, Unavailable
from servicekit.http import Refused
from servicekit.telemetry import log

from workflow_service.clients import Connected, Customers, NotConnected, NotImported, RecordGone, RecordType
from workflow_service.documents import Documents, KeyUsed, Superseded
from workflow_service.policy import (
    AcceptEstimate,
    CreateEstimate,
    CreateInvoice,
    DeclineEstimate,
    Document,
    DocumentKind,
    Nothing,
    Step,
    Trigger,
    UpdateEstimate,
    VoidInvoice,
    decide,
    remembering,
)
from workflow_service.potentials import Claims, Known
from workflow_service.results import CommandName, Result, named

MOST_STEPS = 8
"""Creating and accepting are two; the others are for people and other processes that change things meanwhile."""

_NAMES: dict[type[Step], CommandName] = {
    CreateEstimate: "create_estimate",
    UpdateEstimate: "update_estimate",
    AcceptEstimate: "accept_estimate",
    DeclineEstimate: "decline_estimate",
    CreateInvoice: "create_invoice",
    VoidInvoice: "void_invoice",
}


class Reconciling:
    """Knows whom to ask: Invoice for the documents, sync for a customer that is missing and for the connection.

    A potential's documents are followed in the organization that they were made in, connected or not; new ones are
    made in the connected one alone.
    """

    def __init__(self, documents: Documents, customers: Customers, connected: Connected, claims: Claims) -> None:
        self._documents = documents
        self._customers = customers
        self._connected = connected
        self._claims = claims

    async def reconcile(self, trigger: Trigger, known: Known) -> Result:
        """Do what `policy.decide` says, until there is nothing left; whatever happens is told in the result."""
        result = Result(memory=known.memory)
        try:
            await self._reconcile(trigger, known.newest, result)
        except Superseded as error:
            result.outcome, result.reason = "skipped", f"superseded: {error}"
        except RecordGone as error:
            result.outcome, result.reason = "skipped", str(error)
        except Transient as error:
            result.outcome, result.reason, result.error = "waiting", str(error), error
        except Permanent as error:
            result.outcome, result.reason, result.error = "failed", str(error), error
        except Exception as error:
            log.error("workflow_failed", potential_id=known.newest.id, exc_info=error)
            result.outcome, result.reason, result.error = "failed", f"a fault of ours: {type(error).__name__}", error
        return result

    async def _reconcile(self, trigger: Trigger, potential: PotentialSnapshot, result: Result) -> None:
        documents = await self._look(potential, result)
        refused: tuple[Step, Refused] | None = None
        for _ in range(MOST_STEPS):
            decision = decide(trigger, potential, documents, result.memory)
            result.decided(potential, documents, decision)
            if isinstance(decision, Nothing):
                result.outcome, result.reason = (
                    ("done", decision.differs) if result.did_something else ("skipped", decision.reason)
                )
                return
            if refused is not None and refused[0] == decision:
                raise refused[1]
            command = result.command(_NAMES[type(decision)], **_meant(decision, documents))
            try:
                changed = await self._take(decision, potential, result)
            except KeyUsed as used:
                _remember_the_key(decision, result)
                documents = await self._look(potential, result)
                made = next((one for one in documents if one.id == used.document_id), None)
                command |= {"outcome": "skipped"} if made is None else {"outcome": "done", **named(made)}
            except Refused as error:
                # Someone may have changed it between our look and our step.
                command |= {"outcome": "failed", "reason": str(error)}
                refused = (decision, error)
                documents = await self._look(potential, result)
            except (Superseded, RecordGone):
                command["outcome"] = "skipped"
                raise
            except Transient as error:
                command["reason"] = str(error)
                if isinstance(error, Unavailable) and error.extra.get("service") == "invoice":
                    command["unanswered"] = True  # whether it was carried out is seen at the next attempt
                raise
            else:
                command |= {"outcome": "done", **named(changed)}
                documents = [*(one for one in documents if one.id != changed.id), changed]
                result.memory = replace(result.memory, kind=changed.kind, organization_id=result.organization_id)
                if isinstance(decision, CreateEstimate | CreateInvoice):
                    result.memory = replace(result.memory, made_for=potential.account_id or potential.contact_id)
                result.memory = remembering(result.memory, documents)
        raise Transient("the potential's documents kept changing while they were worked on")

    async def _look(self, potential: PotentialSnapshot, result: Result) -> list[Document]:
        """What is linked to the potential. The other kind matters only while there is none of its own."""
        kind = result.memory.kind
        within = result.memory.organization_id or await self._connected.organization_id()
        if within is None:
            if kind is not None:
                raise NotConnected(f"the potential's {kind} is in Invoice, and no organization is connected")
            return []
        result.organization_id = within
        documents = await self._documents.of(within, potential.id, kind) if kind is not None else []
        if not documents:
            documents = await self._documents.of(within, potential.id, "estimate", "invoice")
        result.memory = remembering(result.memory, documents)
        if result.memory.kind is not None:
            result.memory = replace(result.memory, organization_id=within)
        return documents

    async def _take(self, step: Step, potential: PotentialSnapshot, result: Result) -> Document:
        match step:
            case CreateEstimate():
                return await self._create("estimate", potential, 1, result)
            case CreateInvoice(number):
                return await self._create("invoice", potential, number, result)
            case UpdateEstimate(document_id):
                version = next(one.version for one in result.documents if one.id == document_id)
                return await self._documents.update(_organization(result), "estimate", document_id, version, potential)
            case AcceptEstimate(document_id):
                return await self._move("estimate", document_id, "accepted", potential, result)
            case DeclineEstimate(document_id):
                return await self._move("estimate", document_id, "declined", potential, result)
            case VoidInvoice(document_id):
                return await self._move("invoice", document_id, "void", potential, result)

    async def _move(
        self,
        kind: DocumentKind,
        document_id: str,
        status: Literal["accepted", "declined", "void"],
        potential: PotentialSnapshot,
        result: Result,
    ) -> Document:
        within = _organization(result)
        return await self._documents.set_status(within, kind, document_id, status, potential)

    async def _create(self, kind: DocumentKind, potential: PotentialSnapshot, number: int, result: Result) -> Document:
        """Create it; whoever of the potential's account and contact is no customer yet is imported first (S6, S18)."""
        records: dict[str, RecordType] = {}
        if potential.contact_id is not None:
            records[potential.contact_id] = "contact"
        if potential.account_id is not None:
            records[potential.account_id] = "account"
        within = _organization(result)
        if within != await self._connected.organization_id():
            raise NotConnected("the potential's documents are in an organization that is not connected now")
        while True:
            try:
                return await self._ask_for(within, kind, potential, number, result)
            except NotImported as missing:
                record_type = records.pop(missing.record_id or "", None)
                if missing.record_id is None or record_type is None:  # asked for already
                    raise
                name: CommandName = "import_account" if record_type == "account" else "import_contact"
                command = result.command(name, before_last=True, record_id=missing.record_id)
                try:
                    command["customer_id"] = await self._customers.import_record(record_type, missing.record_id)
                except (Refused, RecordGone) as error:
                    command |= {"outcome": "failed", "reason": str(error)}
                    raise
                command["outcome"] = "done"

    async def _ask_for(
        self, within: str, kind: DocumentKind, potential: PotentialSnapshot, number: int, result: Result
    ) -> Document:
        """Have Invoice make it; for the first one the kind is claimed before."""
        if result.memory.made:
            return await self._documents.create(within, kind, potential, number)
        await self._claims.claim(potential, kind, within)
        try:
            return await self._documents.create(within, kind, potential, number)
        except (NotImported, Superseded, Refused):
            await self._claims.release(potential.id)
            raise


def _organization(result: Result) -> str:
    if result.organization_id is None:
        raise NotConnected("no organization is connected")
    return result.organization_id


def _remember_the_key(step: Step, result: Result) -> None:
    """The document of this number was made before, whether it is there or not."""
    number = step.number if isinstance(step, CreateInvoice) else 1
    kind: DocumentKind = "invoice" if isinstance(step, CreateInvoice) else "estimate"
    made = max(result.memory.made, number)
    result.memory = replace(result.memory, kind=kind, made=made, organization_id=result.organization_id)


def _meant(step: Step, documents: Sequence[Document]) -> dict[str, Any]:
    """Which of the documents the step is about; nothing yet of one that is to be made."""
    document_id = None if isinstance(step, CreateEstimate | CreateInvoice) else step.document_id
    return next((named(one) for one in documents if one.id == document_id), {})
