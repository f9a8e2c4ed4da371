"""``/v1/estimates/{id}/send``, ``/v1/invoices/{id}/send`` and ``/v1/deliveries``."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.service import service_of
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.documents.models import D
from invoice_service.documents.requests import Today
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite
from invoice_service.sending import kinds, queries, service
from invoice_service.sending.courier import Courier
from invoice_service.sending.mailable import Mailable
from invoice_service.sending.models import Delivery, DeliveryStatus
from invoice_service.sending.schemas import DeliveryOut, SendBody
from invoice_service.sending.ways_out import require_courier

router = APIRouter(tags=["sending"])


async def _courier(request: Request) -> Courier:
    return require_courier(service_of(request))


CourierOf = Annotated[Courier, Depends(_courier)]


def _accepted(delivery: Delivery) -> Response:
    return Response(
        DeliveryOut.of(delivery).model_dump_json(),
        status_code=202,
        headers={"Location": f"/v1/deliveries/{delivery.id}"},
        media_type="application/json",
    )


@dataclass(frozen=True)
class Sending:
    """What the routes that send have in common."""

    principal: Member
    courier: CourierOf
    session: WriteSession
    organization: CurrentOrganizationToWrite
    idempotency: Idempotent
    if_match: IfMatch
    today: Today

    async def send(self, mailable: Mailable[D], document_id: str, body: SendBody | None) -> Response:
        """Queue the e-mail, once, and answer."""

        async def make() -> Response:
            delivery = await service.send(
                self.session,
                self.organization,
                self.principal,
                mailable,
                document_id,
                body or SendBody(),
                expected_version=self.if_match,
                today=self.today,
            )
            self.courier.wake_after(self.session)
            return _accepted(delivery)

        return await self.idempotency.once(self.session, make)


@router.post("/v1/estimates/{estimate_id}/send", status_code=202, response_model=DeliveryOut)
async def send_estimate(
    sending: Annotated[Sending, Depends()], estimate_id: str, body: SendBody | None = None
) -> Response:
    """E-mail the estimate's PDF, and mark the estimate sent if it is not yet; the e-mail goes on its way by itself."""
    return await sending.send(kinds.ESTIMATE, estimate_id, body)


@router.post("/v1/invoices/{invoice_id}/send", status_code=202, response_model=DeliveryOut)
async def send_invoice(
    sending: Annotated[Sending, Depends()], invoice_id: str, body: SendBody | None = None
) -> Response:
    """E-mail the invoice's PDF, and mark a draft sent; the e-mail goes on its way by itself."""
    return await sending.send(kinds.INVOICE, invoice_id, body)


@router.get("/v1/deliveries")
async def list_deliveries(
    _: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    status: DeliveryStatus | None = None,
    document_id: str | None = None,
) -> Page[DeliveryOut]:
    """E-mails with documents, newest first."""
    found, cursor = await queries.page(session, organization.id, page, status=status, document_id=document_id)
    return Page(items=[DeliveryOut.of(delivery) for delivery in found], next_cursor=cursor)


@router.get("/v1/deliveries/{delivery_id}")
async def get_delivery(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, delivery_id: str
) -> DeliveryOut:
    """One e-mail, and how it went so far."""
    return DeliveryOut.of(await queries.find(session, organization.id, delivery_id))


@router.post("/v1/deliveries/{delivery_id}/retry", status_code=202, response_model=DeliveryOut)
async def retry_delivery(
    _: Member, courier: CourierOf, session: WriteSession, organization: CurrentOrganizationToWrite, delivery_id: str
) -> Response:
    """Try a failed e-mail again, at once."""
    delivery = await service.retry(session, organization, delivery_id)
    courier.wake_after(session)
    return _accepted(delivery)
