"""Estimates in JSON."""

import datetime
from typing import ClassVar, Self

from contracts.documents import EstimateStatus
from servicekit.auth import Principal
from servicekit.fields import Day

from invoice_service import pdf
from invoice_service.allowed_actions import AllowedAction
from invoice_service.documents import schemas as documents
from invoice_service.documents.queries import WholeDocument
from invoice_service.documents.schemas import (
    DocumentBody,
    DocumentDetails,
    DocumentEdit,
    DocumentSummary,
    PreviewOut,
)
from invoice_service.estimates.actions import allowed_actions
from invoice_service.estimates.models import Estimate
from invoice_service.estimates.printing import printable
from invoice_service.organizations.models import Organization


class EstimateBody(DocumentBody):
    expiry_date: Day | None = None


class EstimatePreview(EstimateBody):
    """An estimate that is being written: as `EstimateBody`, but it may be for nobody yet."""

    needs_customer: ClassVar[bool] = False


class EstimateEdit(DocumentEdit):
    expiry_date: Day | None = None


class EstimatePreviewOut(PreviewOut):
    expiry_date: datetime.date | None


class EstimateSummary(DocumentSummary):
    """An estimate in a list. ``invoice_id``: the invoice that it was converted into."""

    estimate_number: str
    status: EstimateStatus
    expiry_date: datetime.date | None
    invoice_id: str | None

    @classmethod
    def of(cls, estimate: Estimate, today: datetime.date) -> "EstimateSummary":
        """The estimate as a list shows it ``today``."""
        return EstimateSummary(**_summary(estimate, today))


class EstimateOut(EstimateSummary, DocumentDetails):
    """An estimate with everything."""

    allowed_actions: list[AllowedAction]

    @classmethod
    def of_whole(
        cls, whole: WholeDocument[Estimate], organization: Organization, principal: Principal, today: datetime.date
    ) -> Self:
        """The estimate as it is shown to ``principal`` ``today``."""
        estimate = whole.document
        return cls(
            **_summary(estimate, today),
            **documents.details(whole),
            warnings=list(pdf.warnings(printable(estimate, whole.lines, whole.amounts, organization, today))),
            allowed_actions=allowed_actions(whole, principal, today),
        )


def _summary(estimate: Estimate, today: datetime.date) -> dict[str, object]:
    return documents.summary(estimate, EstimateSummary) | {"status": estimate.status_on(today)}
