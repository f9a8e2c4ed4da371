"""Documents in JSON: what estimates and invoices have in common."""

import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from contracts.values import Address, CurrencyCode
from pydantic import BaseModel, Field, model_validator
from servicekit.fields import Body, Day, Edit, Line, Text

from invoice_service.documents.models import Document
from invoice_service.line_items import MAX_LINE_ITEMS, LineItemBody, LineItemOut, money, plain
from invoice_service.totals import DocumentTotals

AnyId = Field(None, pattern=r"^[0-9A-Za-z-]{1,64}$")
PotentialVersion = Field(
    None, ge=1, lt=2**31, description="Version of the potential that the command follows from; services only"
)


class DocumentBody(Body):
    """For whom: either ``customer_id``, or the CRM's account or contact or both. ``date``: today, if left out.

    ``discount_percentage`` or ``discount_amount``: on the whole document, before tax. ``adjustment``: after tax,
    perhaps negative. ``notes`` and ``terms``: the organization's, if left out.
    """

    needs_customer: ClassVar[bool] = True

    customer_id: str | None = AnyId
    crm_account_id: str | None = AnyId
    crm_contact_id: str | None = AnyId
    contact_person_id: str | None = AnyId
    date: Day | None = None
    reference_number: Line = ""
    currency_code: CurrencyCode | None = None
    line_items: list[LineItemBody] = Field(min_length=1, max_length=MAX_LINE_ITEMS)
    discount_percentage: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    adjustment_description: Line = ""
    notes: Text = ""
    terms: Text = ""
    crm_potential_id: str | None = AnyId
    crm_potential_version: int | None = PotentialVersion

    @model_validator(mode="after")
    def _one_customer(self) -> Self:
        of_crm = self.crm_account_id or self.crm_contact_id
        nobody = self.customer_id is None and of_crm is None
        if (self.customer_id is None) == (of_crm is None) and (self.needs_customer or not nobody):
            raise ValueError("send either customer_id, or crm_account_id or crm_contact_id or both")
        if of_crm and self.contact_person_id is not None:
            raise ValueError("with crm_account_id or crm_contact_id, the contact person is crm_contact_id's")
        if nobody and self.contact_person_id is not None:
            raise ValueError("without customer_id there is no contact person")
        return self


class DocumentEdit(Edit):
    """Only the fields sent change; ``line_items`` takes the place of all lines."""

    contact_person_id: str | None = AnyId
    date: Day = datetime.date.min
    reference_number: Line = ""
    currency_code: CurrencyCode = ""
    line_items: list[LineItemBody] = Field([], min_length=1, max_length=MAX_LINE_ITEMS)
    discount_percentage: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    adjustment_description: Line = ""
    notes: Text = ""
    terms: Text = ""


class StatusBody(Body):
    crm_potential_version: int | None = PotentialVersion


class HappenedOut(BaseModel):
    at: datetime.datetime
    who: str
    what: str


class TaxOut(BaseModel):
    """What all lines of one tax rate come to; ``taxable`` after every discount."""

    tax_percentage: str
    taxable: str
    tax: str


class DocumentSummary(BaseModel):
    """A document in a list. ``origin``: ``workflow`` or ``manual``."""

    id: str
    version: int
    origin: str
    customer_id: str
    customer_name: str
    contact_person_id: str | None
    contact_person_name: str
    date: datetime.date
    reference_number: str
    currency_code: str
    sub_total: str
    discount_total: str
    tax_total: str
    total: str
    crm_potential_id: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


class DocumentDetails(BaseModel):
    """What one document shows beyond its summary. ``warnings``: what its PDF cannot print as it was typed."""

    billing_address: Address
    line_items: list[LineItemOut]
    discount_percentage: str
    discount_amount: str
    document_discount: str
    adjustment: str
    adjustment_description: str
    taxes: list[TaxOut]
    notes: str
    terms: str
    history: list[HappenedOut]
    warnings: list[str]


_SUMMARY_AMOUNTS = ("sub_total", "discount_total", "tax_total", "total")
_DETAIL_AMOUNTS = ("discount_amount", "document_discount", "adjustment")


def summary(document: Document, fields: type[DocumentSummary], amounts: tuple[str, ...] = ()) -> dict[str, Any]:
    """The document's attributes that ``fields`` shows; ``amounts`` are further ones in its currency."""
    shown = {name: getattr(document, name) for name in fields.model_fields if hasattr(document, name)}
    written = (*_SUMMARY_AMOUNTS, *amounts)
    return shown | {name: money(getattr(document, name), document.currency_code) for name in written}


class PreviewOut(BaseModel):
    """What a document would say, were it made now: its lines with what they come to, and its amounts."""

    date: datetime.date
    currency_code: str
    line_items: list[LineItemOut]
    discount_percentage: str
    discount_amount: str
    document_discount: str
    adjustment: str
    sub_total: str
    discount_total: str
    tax_total: str
    total: str
    taxes: list[TaxOut]


def previewed(draft: Any) -> dict[str, Any]:
    """What `PreviewOut` shows of a `drafting.Preview`."""
    values, currency_code = draft.values, draft.currency_code
    amounts = (*_SUMMARY_AMOUNTS, *_DETAIL_AMOUNTS)
    return {
        "date": values["date"],
        "currency_code": currency_code,
        "line_items": [line.out(currency_code) for line in draft.lines],
        "discount_percentage": plain(values["discount_percentage"]),
        **{name: money(values[name], currency_code) for name in amounts},
        "taxes": _taxes(draft.amounts, currency_code),
    }


def _taxes(amounts: DocumentTotals, currency_code: str) -> list[TaxOut]:
    return [
        TaxOut(
            tax_percentage=plain(row.tax_percentage),
            taxable=money(row.taxable, currency_code),
            tax=money(row.tax, currency_code),
        )
        for row in amounts.taxes
    ]


def details(whole: Any) -> dict[str, Any]:
    """What `DocumentDetails` shows of a `queries.WholeDocument`."""
    document = whole.document
    currency_code = document.currency_code
    return {
        "billing_address": document.billing_address,
        "line_items": [line.out(currency_code) for line in whole.lines],
        "discount_percentage": plain(document.discount_percentage),
        **{name: money(getattr(document, name), currency_code) for name in _DETAIL_AMOUNTS},
        "adjustment_description": document.adjustment_description,
        "taxes": _taxes(whole.amounts, currency_code),
        "notes": document.notes,
        "terms": document.terms,
        "history": [HappenedOut(at=one.at, who=one.who, what=one.what) for one in whole.history],
    }
