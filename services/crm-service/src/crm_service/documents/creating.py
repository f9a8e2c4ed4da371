"""Making a document in Invoice from within the CRM: the person presses one button (S6, S7, S18)."""

import contextlib
import hashlib
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from servicekit.auth import Principal
from servicekit.db import new_id
from servicekit.errors import Conflict, Invalid, Problem, Unavailable
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts import service as accounts
from crm_service.contacts import service as contacts
from crm_service.documents import fetching, queries, reflection
from crm_service.documents.clients import CustomerMissing
from crm_service.documents.models import Kind, RecordKey, Told
from crm_service.documents.parts import Parts
from crm_service.potentials import service as potentials
from crm_service.potentials.models import Potential

Json = dict[str, Any]


class PotentialWithoutCustomer(Conflict):
    """S18: with neither account nor contact nothing can be invoiced."""

    code = "potential_without_customer"


class IdempotencyKeyReused(Conflict):
    """The key has made a document of this record before, from something else."""

    code = "idempotency_key_reused"

    def __init__(self, kind: Kind) -> None:
        super().__init__(
            f"this Idempotency-Key has made an {kind} of this record before, from another request or from what the "
            f"record said then; the list has it; to make one more {kind}, use a new key"
        )


class DocumentNotMade(Unavailable):
    """Invoice, or sync before it, did not answer in time; it may have made the document all the same."""


@dataclass(frozen=True)
class Order:
    """What is to be made. ``customer``: the records it is for, as they are imported: the account first."""

    kind: Kind
    customer: tuple[RecordKey, ...]
    body: Json

    @property
    def keys(self) -> frozenset[RecordKey]:
        """The records whose document it will be, as far as the CRM can tell."""
        potential_id = self.body.get("crm_potential_id")
        return frozenset(self.customer) | ({RecordKey("potential", potential_id)} if potential_id else set())


async def order(session: AsyncSession, key: RecordKey, kind: Kind, body: Json) -> Order:
    """What ``body`` asks for the record. Raises its ``NotFound``, `PotentialWithoutCustomer`, `Invalid`."""
    match key.record_type:
        case "account":
            await accounts.get(session, key.record_id)
            return _order(kind, body, account_id=key.record_id)
        case "contact":
            await contacts.get(session, key.record_id)
            return _order(kind, body, contact_id=key.record_id)
        case "potential":
            potential = await potentials.get(session, key.record_id)
            values = _of_potential(potential) | body | {"crm_potential_id": potential.id}
            return _order(kind, values, account_id=potential.account_id, contact_id=potential.contact_id)


async def beginning(session: AsyncSession, key: RecordKey) -> Json:
    """What the form of a new document begins with: nothing, or what the potential says (S18).

    Raises the record's ``NotFound``, `PotentialWithoutCustomer`.
    """
    asked = await order(session, key, "estimate", {"line_items": []})
    if key.record_type != "potential":
        return {}
    return _of_potential(await potentials.get(session, asked.body["crm_potential_id"]))


async def preview(parts: Parts, key: RecordKey, kind: Kind, body: Json, principal: Principal) -> Json:
    """What a document that is being written comes to, as Invoice says; nothing is made.

    For a record that is no customer yet, as for a new one. Raises what `order` raises, `NotConnected`, and what Invoice
    refuses.
    """
    async with parts.database.reading() as session:
        asked = await order(session, key, kind, body)
    organization_id = await parts.sync.organization_id()
    try:
        return await parts.invoice.preview(organization_id, kind, asked.body, principal)
    except CustomerMissing:
        return await parts.invoice.preview(organization_id, kind, body, principal)


def _of_potential(potential: Potential) -> Json:
    """What the potential's document says where the person says nothing (S18)."""
    values: Json = {"currency_code": potential.currency_code}
    if potential.amount is not None:
        line = {"name": potential.potential_name, "quantity": 1, "rate": f"{potential.amount:f}"}
        values["line_items"] = [line]
    return values


def _order(kind: Kind, body: Json, *, account_id: str | None = None, contact_id: str | None = None) -> Order:
    if account_id is None and contact_id is None:
        raise PotentialWithoutCustomer(
            "the potential has neither an account nor a contact, so there is nobody to make it out to; give it one",
            id=body["crm_potential_id"],
        )
    if "line_items" not in body:
        message = "the potential has no amount; give it one, or send line_items"
        raise Invalid(f"line_items: {message}", errors=[{"field": "line_items", "message": message}])
    customer: list[RecordKey] = []
    if account_id is not None:
        customer.append(RecordKey("account", account_id))
    if contact_id is not None:
        customer.append(RecordKey("contact", contact_id))
    return Order(kind, tuple(customer), body | {f"crm_{key.record_type}_id": key.record_id for key in customer})


async def create(
    parts: Parts, key: RecordKey, kind: Kind, body: Json, idempotency_key: str | None, principal: Principal
) -> httpx.Response:
    """Make the document in the connected organization, and show it at once; Invoice's answer.

    A customer who is not there yet is imported first. Trying again with one ``idempotency_key`` makes one document.
    Raises what `order` raises, `NotConnected`, `DocumentNotMade`, `IdempotencyKeyReused`, and what Invoice or sync
    refuses.
    """
    async with parts.database.reading() as session:
        asked = await order(session, key, kind, body)
    try:
        organization_id = await parts.sync.organization_id()
        answer = await _make(parts, organization_id, asked, _key(key, kind, idempotency_key, principal), principal)
    except Unavailable as away:
        raise _not_made(away, kind, idempotency_key) from away
    except Problem as problem:
        if problem.code == IdempotencyKeyReused.code:
            raise IdempotencyKeyReused(kind) from problem  # Invoice's words name a key that the person has not sent
        raise
    await _show(parts, organization_id, asked, Told.by_answer(kind, organization_id, orjson.loads(answer.content)))
    return answer


async def _show(parts: Parts, organization_id: str, asked: Order, told: Told) -> None:
    """Show the new document at once; whose it is, Invoice is asked if no event has told so yet."""
    async with parts.database.transaction() as session:
        await reflection.take_in(session, [told], now=True)
        unknown = asked.keys - await queries.keys_of(session, told.id)
    if unknown:
        with contextlib.suppress(Problem):  # it was made; the event will tell
            await fetching.learn_customers(parts, asked.customer[-1], organization_id)


async def _make(parts: Parts, organization_id: str, asked: Order, key: str, principal: Principal) -> httpx.Response:
    try:
        return await parts.invoice.create(organization_id, asked.kind, asked.body, key, principal)
    except CustomerMissing:
        for record in asked.customer:
            await parts.sync.import_record(record, principal)
    try:
        return await parts.invoice.create(organization_id, asked.kind, asked.body, key, principal)
    except CustomerMissing as missing:
        raise missing.problem from missing


def _key(key: RecordKey, kind: Kind, idempotency_key: str | None, principal: Principal) -> str:
    """The key for Invoice, where everyone's requests come from the CRM: the person's own, for this record."""
    if idempotency_key is None:
        return f"crm:{new_id()}"
    asked = "\n".join((principal.id, *key, kind, idempotency_key))
    return f"crm:{hashlib.sha256(asked.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _not_made(away: Unavailable, kind: Kind, idempotency_key: str | None) -> DocumentNotMade:
    service = str(away.extra.get("service", "invoice"))
    again = (
        f"send the request again with the same Idempotency-Key: however often, that makes one {kind}"
        if idempotency_key is not None
        else f"refresh the list before trying again, and send an Idempotency-Key: with it one {kind} is made, however "
        "often it is sent"
    )
    return DocumentNotMade(
        f"{away.detail.removesuffix('; try again later')}; the {kind} is not shown as made, but may have been; {again}",
        code=f"{service}_unavailable",
        headers={"Retry-After": away.headers.get("Retry-After", "5")},
        service=service,
    )
