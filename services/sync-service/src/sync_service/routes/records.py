"""One record of the CRM, imported at once."""

from fastapi import APIRouter
from servicekit.auth import Member
from servicekit.sessions import ServiceDatabase

from sync_service import one_record
from sync_service.routes.needs import Parts
from sync_service.runs.schemas import ImportedRecord, ImportRecord

router = APIRouter(tags=["imports"])


@router.post("/v1/records/import")
async def import_record(body: ImportRecord, database: ServiceDatabase, parts: Parts, _: Member) -> ImportedRecord:
    """Import one account or contact now, as it is in the CRM, and say which customer it is.

    A contact's account comes along. For people and for our own services; needs a connection, but no auto-update
    (S6).
    """
    result = await one_record.import_record(database, parts.crm, parts.invoice, body.record_type, body.record_id)
    return ImportedRecord.model_validate(result, from_attributes=True)
