"""Fetch and refresh: the record's documents as Invoice has them, whatever the events have told (S9)."""

from servicekit.db import utc_now
from servicekit.errors import Problem

from crm_service.documents import queries, reflection
from crm_service.documents.models import KINDS, RecordKey, Told
from crm_service.documents.parts import Parts


async def refresh(parts: Parts, key: RecordKey) -> None:
    """Read the truth from Invoice and repair what is shown of the record: additions, changes and deletions.

    With an account its contacts' documents are fetched too. What an event tells meanwhile stays. Raises `NotConnected`,
    and `Unavailable` while Invoice or sync is away: then the list is as it was, and says since when.
    """
    try:
        organization_id = await parts.sync.organization_id()
        for one in await _with_its_contacts(parts, key):
            await _fetch(parts, one, organization_id)
    except Problem as problem:
        async with parts.database.transaction() as session:
            await reflection.note_failed(session, key, utc_now(), problem)
        raise


async def _with_its_contacts(parts: Parts, key: RecordKey) -> list[RecordKey]:
    """The account's own fetch comes last: it is done when all are."""
    if key.record_type != "account":
        return [key]
    async with parts.database.reading() as session:
        contacts = await queries.contacts_of(session, key.record_id)
    return [*(RecordKey("contact", contact_id) for contact_id in contacts), key]


async def _fetch(parts: Parts, key: RecordKey, organization_id: str) -> None:
    began = utc_now()
    async with parts.database.reading() as session:
        known = await queries.known(session, key, organization_id)
    truth: list[Told] = []
    for kind in KINDS:
        truth += [told async for told in parts.invoice.documents_of(organization_id, kind, key)]
    said = {told.id for told in truth}
    missing = [document for document in known if document.id not in said]
    # Deleted for good, or only not this record's any more: Invoice knows.
    gone = [Told.gone(one.kind, one.id) for one in missing if not await parts.invoice.has(one)]
    before = {document.id: document.version for document in known}
    async with parts.database.transaction() as session:
        await reflection.correct(session, key, before, truth, gone)
        await reflection.note_fetched(session, key, began)
