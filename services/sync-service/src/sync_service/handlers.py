"""Changes in the CRM, as they happen, on their way to the connected organization (S26)."""

from collections.abc import Sequence

from contracts.customers import CrmRecord, CrmRecordResult
from servicekit.bus.consumer import BatchHandler, Received
from servicekit.db import Database
from servicekit.errors import Permanent, Transient

from sync_service import connections
from sync_service.clients.invoice import Invoice
from sync_service.mapping import Unmappable, record_type, to_crm_record

RecordKey = tuple[str, str]
"""Kind and id of a CRM record."""


def create_handler(database: Database, invoice: Invoice) -> BatchHandler:
    """The handler of account and contact events.

    Without a connection, or without auto-update, events are done with and change nothing. Otherwise the newest event of
    each record goes to Invoice, and all events of that record share what becomes of it.
    """

    async def handle(received: Sequence[Received]) -> Sequence[Exception | None]:
        organization_id = await connections.followed_organization(database)
        if organization_id is None:
            return [None] * len(received)
        outcomes: dict[RecordKey, Exception | None] = {}
        records: list[CrmRecord] = []
        for key, one in newest(received).items():
            try:
                records.append(to_crm_record(one.event.data, correlation_id=one.envelope.correlationid))
            except Unmappable as error:
                outcomes[key] = Permanent(str(error))
        # Stable: within a kind they stay as they came.
        records.sort(key=lambda record: record.record_type != "account")
        for result in await invoice.apply(organization_id, records):
            outcomes[result.record_type, result.record_id] = outcome_of(result)
        return [outcomes[_key(one)] for one in received]

    return handle


def newest(received: Sequence[Received]) -> dict[RecordKey, Received]:
    """For each record the event with its highest version; of equal ones the later."""
    found: dict[RecordKey, Received] = {}
    for one in received:
        known = found.get(_key(one))
        if known is None or one.event.data.version >= known.event.data.version:
            found[_key(one)] = one
    return found


def outcome_of(result: CrmRecordResult) -> Exception | None:
    """What Invoice's answer means for the event: done, again later, or never."""
    match result.outcome:
        case "account_missing":
            return Transient(f"the account of contact {result.record_id} has not come to Invoice yet")
        case "failed":
            return Permanent(f"Invoice refused {result.record_type} {result.record_id}: {result.reason}")
        case _:
            return None


def _key(one: Received) -> RecordKey:
    return record_type(one.event.data), one.event.data.id
