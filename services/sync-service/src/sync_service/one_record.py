"""Importing one record of the CRM now (S6): it alone, by the same mapping and command as any import."""

from contracts.customers import CrmRecordKey, CrmRecordResult, CrmRecordType
from servicekit.db import Database
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.http import Refused
from servicekit.telemetry import correlation_id

from sync_service import connections
from sync_service.clients.crm import KEY_REFUSALS, Crm
from sync_service.clients.invoice import Invoice
from sync_service.connections import NothingToImportOver
from sync_service.importing.reading import Read, read
from sync_service.runs.records import Failure


class RecordNotFound(NotFound):
    """The CRM has no such record, or it is deleted there."""

    code = "record_not_found"


class RecordRefused(Invalid):
    """The record cannot be a customer as it is."""

    code = "record_refused"


class KeyRefused(Conflict):
    """The connection's ZSC key is no longer good; the code is the CRM's."""


async def import_record(
    database: Database, crm: Crm, invoice: Invoice, record_type: CrmRecordType, record_id: str
) -> CrmRecordResult:
    """Have Invoice hold this record as it is in the CRM now, and before it the account of a contact.

    Needs no auto-update. Raises `NothingToImportOver`, `RecordNotFound`, `RecordRefused`, `KeyRefused`, and
    `servicekit.errors.Unavailable`.
    """
    async with database.reading() as session:
        connection = await connections.read(session)
    organization_id, zsc_key_id = connection.organization_id, connection.zsc_key_id
    if organization_id is None or zsc_key_id is None:
        raise NothingToImportOver
    wanted = CrmRecordKey(record_type=record_type, record_id=record_id)
    try:
        asked = await _read(crm, wanted, zsc_key_id)
        if asked is None or asked.record.deleted:
            what = "does not have" if asked is None else "has deleted"
            raise RecordNotFound(f"the CRM {what} the {record_type} {record_id}")
        records = [asked.record]
        if asked.record.account_id is not None:
            account = CrmRecordKey(record_type="account", record_id=asked.record.account_id)
            if (found := await _read(crm, account, zsc_key_id)) is not None:
                records.insert(0, found.record)
        *_, result = await invoice.apply(organization_id, records)
    except Refused as refused:
        if refused.code not in KEY_REFUSALS:
            raise refused.as_problem() from refused
        raise KeyRefused(
            f"{refused}; make a ZSC key in the CRM and import with it: POST /v1/imports", code=refused.code
        ) from refused
    if result.outcome in ("failed", "account_missing") or result.customer_id is None:
        raise RecordRefused(f"Invoice refused the {record_type} {record_id}: {result.reason or 'no reason was given'}")
    return result


async def _read(crm: Crm, key: CrmRecordKey, zsc_key_id: str) -> Read | None:
    """The record as it is in the CRM now; None if it is not there. Raises `RecordRefused`."""
    found = await crm.lookup(key.record_type, [key.record_id], zsc_key_id=zsc_key_id)
    if key.record_id not in found:
        return None
    match read(key.record_type, found[key.record_id], correlation_id=correlation_id.get()):
        case Failure(reason=reason):
            raise RecordRefused(f"the {key.record_type} {key.record_id} cannot be a customer: {reason}")
        case Read() as well:
            return well
