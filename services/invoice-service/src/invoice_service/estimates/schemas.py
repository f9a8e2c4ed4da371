"""Estimates in JSON."""

import datetime
from typing import Self

from contracts.documents import EstimateStatus
from contracts.values import Address, CurrencyCode
from pydantic import BaseModel, Field, model_validator
from servicekit.fields import Body, Day, Line, Text

from invoice_service.estimates.actions import AllowedAction, allowed_actions
from invoice_service.estimates.models import Estimate
from invoice_service.estimates.queries import WholeEstimate
from invoice_service.line_items import MAX_LINE_ITEMS, LineItemBody, LineItemOut, money

AnyId = Field(None, pattern=r"^[0-9A-Za-z-]{1,64}$")
PotentialVersion = Field(
    None, ge=1, lt=2**31, description="Version of the potential that the command follows from; services only"
)


class EstimateBody(Body):
    """For whom: either ``customer_id``, or the CRM's account or contact or both. ``date``: today, if left out."""

    customer_id: str | None = AnyId
    crm_account_id: str | None = AnyId
    crm_contact_id: str | None = AnyId
    contact_person_id: str | None = AnyId
    date: Day | None = None
    expiry_date: Day | None = None
    reference_number: Line = ""
    currency_code: CurrencyCode | None = None
    line_items: list[LineItemBody] = Field(min_length=1, max_length=MAX_LINE_ITEMS)
    notes: Text = ""
    terms: Text = ""
    crm_potential_id: str | None = AnyId
    crm_potential_version: int | None = PotentialVersion

    @model_validator(mode="after")
    def _one_customer(self) -> Self:
        of_crm = self.crm_account_id or self.crm_contact_id
        if (self.customer_id is None) == (of_crm is None):
            raise ValueError("send either customer_id, or crm_account_id or crm_contact_id or both")
        if of_crm and self.contact_person_id is not None:
            raise ValueError("with crm_account_id or crm_contact_id, the contact person is crm_contact_id's")
        return self


class EstimateEdit(Body):
    """Only the fields sent change; ``line_items`` takes the place of all lines."""

    contact_person_id: str | None = AnyId
    date: Day = datetime.date.min
    expiry_date: Day | None = None
    reference_number: Line = ""
    currency_code: CurrencyCode = ""
    line_items: list[LineItemBody] = Field([], min_length=1, max_length=MAX_LINE_ITEMS)
    notes: Text = ""
    terms: Text = ""


class StatusBody(Body):
    crm_potential_version: int | None = PotentialVersion


class HappenedOut(BaseModel):
    at: datetime.datetime
    who: str
    what: str


class EstimateSummary(BaseModel):
    """An estimate in a list. ``origin``: ``workflow`` or ``manual``."""

    id: str
    version: int
    estimate_number: str
    status: EstimateStatus
    origin: str
    customer_id: str
    customer_name: str
    contact_person_id: str | None
    contact_person_name: str
    date: datetime.date
    expiry_date: datetime.date | None
    reference_number: str
    currency_code: str
    sub_total: str
    discount_total: str
    tax_total: str
    total: str
    crm_potential_id: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime

    @classmethod
    def of(cls, estimate: Estimate, today: datetime.date) -> "EstimateSummary":
        """The estimate as a list shows it ``today``."""
        return EstimateSummary(**_summary(estimate, today))


class EstimateOut(EstimateSummary):
    """An estimate with everything."""

    billing_address: Address
    line_items: list[LineItemOut]
    notes: str
    terms: str
    history: list[HappenedOut]
    allowed_actions: list[AllowedAction]

    @classmethod
    def of_whole(cls, whole: WholeEstimate, today: datetime.date) -> Self:
        """The estimate as it is shown ``today``."""
        estimate = whole.estimate
        return cls(
            **_summary(estimate, today),
            billing_address=estimate.billing_address,
            line_items=[line.out(estimate.currency_code) for line in whole.lines],
            notes=estimate.notes,
            terms=estimate.terms,
            history=[HappenedOut(at=one.at, who=one.who, what=one.what) for one in whole.history],
            allowed_actions=allowed_actions(estimate, today, whole.newest_number),
        )


_AMOUNTS = ("sub_total", "discount_total", "tax_total", "total")


def _summary(estimate: Estimate, today: datetime.date) -> dict[str, object]:
    shown = {name: getattr(estimate, name) for name in EstimateSummary.model_fields}
    amounts = {name: money(shown[name], estimate.currency_code) for name in _AMOUNTS}
    return shown | amounts | {"status": estimate.status_on(today)}
