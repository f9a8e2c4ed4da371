"""``PUT /v1/crm/customers``: sync's bulk command."""

from contracts.customers import CrmRecordResults
from fastapi import APIRouter, Response
from servicekit.auth import ServiceOnly
from servicekit.sessions import WriteSession

from invoice_service.customers import crm_service
from invoice_service.customers.crm_records import ApplyBody, read
from invoice_service.organizations.current import CurrentOrganizationToWrite

router = APIRouter(prefix="/v1/crm", tags=["crm"])


@router.put("/customers", response_model=CrmRecordResults)
async def apply_crm_records(
    _: ServiceOnly, session: WriteSession, organization: CurrentOrganizationToWrite, body: ApplyBody
) -> Response:
    """Apply up to 1,000 CRM records, each if its version is newer than the one applied last; an outcome for each."""
    results = await crm_service.apply(session, organization.id, [read(record) for record in body.records])
    return Response(CrmRecordResults(results=results).model_dump_json(), media_type="application/json")
