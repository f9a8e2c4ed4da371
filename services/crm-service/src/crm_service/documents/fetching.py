"""Fetch and refresh: the record's documents as Invoice has them, whatever the events have told (S9).

Whoever may see a list may have it fetched: it takes two requests for each page of documents and a few more, however
many contacts an account has.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection

from servicekit.db import utc_now
from servicekit.errors import Problem
from servicekit.faults import Permanent, Transient

from crm_service.documents import queries, reflection
from crm_service.documents.models import KINDS, Kind, RecordKey, Told
from crm_service.documents.parts import Parts
from crm_service.records import batches


async def refresh(parts: Parts, key: RecordKey) -> None:
    """Read the truth from Invoice and repair what is shown of the record: additions, changes, deletions, and links.

    What an event tells meanwhile stays. Raises `NotConnected`, and `Unavailable` while Invoice or sync is away: then
    the list is as it was, and says since when.
    """
    try:
        await _fetch(parts, key, await parts.sync.organization_id())
    except Problem as problem:
        async with parts.database.transaction() as session:
            await reflection.note_failed(session, key, utc_now(), problem)
        raise


async def fetch_customers(parts: Parts, customer_ids: Collection[str]) -> dict[str, Exception]:
    """Fetch the documents of those of these customers who became somebody in the CRM; why that failed, by customer."""
    async with parts.database.reading() as session:
        waiting = await reflection.unfetched(session, customer_ids)
    by_organization: dict[str, list[str]] = defaultdict(list)
    for customer_id, organization_id in waiting.items():
        by_organization[organization_id].append(customer_id)
    failed: dict[str, Exception] = {}
    for organization_id, ids in by_organization.items():
        try:
            truth = await _all_of(parts, organization_id, customer_ids=ids)
        except (Problem, Permanent, Transient) as error:
            failed |= dict.fromkeys(ids, error)
            continue
        async with parts.database.transaction() as session:
            for some in batches(truth):
                await reflection.take_in(session, some, now=True)
            await reflection.note_fetched_customers(session, ids)
    return failed


async def learn_customers(parts: Parts, key: RecordKey, organization_id: str) -> list[str]:
    """Ask Invoice which customers the account or contact has, and correct what is known of that; their ids."""
    async with parts.database.reading() as session:
        before = await queries.customers_of(session, key)
    truth = await parts.invoice.customers_of(organization_id, key)
    async with parts.database.transaction() as session:
        await reflection.correct(session, key, before, truth)
    return [one.id for one in truth]


async def _fetch(parts: Parts, key: RecordKey, organization_id: str) -> None:
    began = utc_now()
    said = [] if key.record_type == "potential" else await learn_customers(parts, key, organization_id)
    async with parts.database.reading() as session:
        known = await queries.known(session, key, organization_id)
        if key.record_type == "account":
            said = sorted({*said, *await queries.customers_of_contacts(session, key.record_id)})
    if key.record_type == "account":
        truth = await _all_of(parts, organization_id, customer_ids=said)
    else:
        truth = await _all_of(parts, organization_id, key=key)
    listed = {told.id for told in truth}
    # Deleted for good, or only not this record's any more: Invoice knows.
    missing = [document for document in known if document.id not in listed]
    truth += await _those(parts, organization_id, {(one.kind, one.id) for one in missing})
    listed = {told.id for told in truth}
    truth += [Told.gone(one.kind, one.id) for one in missing if one.id not in listed]
    async with parts.database.transaction() as session:
        for some in batches(reflection.newest(truth)):
            await reflection.take_in(session, some, now=True)
        if key.record_type == "account":
            await reflection.note_fetched_customers(session, said)
        await reflection.note_fetched(session, key, began)


async def _all_of(
    parts: Parts, organization_id: str, *, key: RecordKey | None = None, customer_ids: Collection[str] = ()
) -> list[Told]:
    """All that Invoice has of the record, or of the customers: both kinds at once."""

    async def of_kind(kind: Kind) -> list[Told]:
        if key is not None:
            return await parts.invoice.documents(organization_id, kind, {f"crm_{key.record_type}_id": key.record_id})
        return await parts.invoice.documents_of(organization_id, kind, customer_id=customer_ids)

    return [told for found in await asyncio.gather(*map(of_kind, KINDS)) for told in found]


async def _those(parts: Parts, organization_id: str, wanted: Collection[tuple[Kind, str]]) -> list[Told]:
    """Those of these documents that Invoice has."""
    found: list[Told] = []
    for kind in KINDS:
        ids = sorted(id_ for of_kind, id_ in wanted if of_kind == kind)
        found += await parts.invoice.documents_of(organization_id, kind, id=ids)
    return found
