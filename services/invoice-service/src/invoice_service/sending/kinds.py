"""Estimates and invoices as what can be e-mailed."""

import datetime
from typing import Any

from servicekit.auth import Principal
from servicekit.errors import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.estimates import printing as estimate_printing
from invoice_service.estimates import service as estimates
from invoice_service.estimates.models import ESTIMATES, Estimate, EstimateNotSendable
from invoice_service.invoices import printing as invoice_printing
from invoice_service.invoices import service as invoices
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.organizations.models import Organization
from invoice_service.sending.languages import Phrases
from invoice_service.sending.mailable import Mailable


class InvoiceNotSendable(Conflict):
    code = "invoice_not_sendable"


async def _mark_estimate(
    session: AsyncSession, organization: Organization, principal: Principal, estimate: Estimate, today: datetime.date
) -> None:
    if estimate.status_on(today) not in ("sent", "accepted"):
        await estimates.mark(session, organization, principal, estimate.id, "sent", today=today)


def _refuse_estimate_late(estimate: Estimate, today: datetime.date) -> Conflict | None:
    status = estimate.status_on(today)
    if status in ("sent", "accepted"):
        return None
    remedy = "; give it a later expiry date, or none" if status == "expired" else ""
    return EstimateNotSendable(f"{estimate.estimate_number} is {status} by now{remedy}", estimate_id=estimate.id)


def _ask_of_estimate(estimate: Estimate, _: datetime.date, language: Phrases) -> str:
    return language.sentence("valid_until", date=language.day(estimate.expiry_date)) if estimate.expiry_date else ""


ESTIMATE = Mailable(
    kind=ESTIMATES,
    mark_sent=_mark_estimate,
    refuse=Estimate.refuse_send,
    refuse_late=_refuse_estimate_late,
    asking=_ask_of_estimate,
    printable=estimate_printing.to_print,
)


async def _mark_invoice(
    session: AsyncSession, organization: Organization, principal: Principal, invoice: Invoice, today: datetime.date
) -> None:
    if invoice.status == "draft":
        await invoices.mark(session, organization, principal, invoice.id, "sent", today=today)


def _refuse_invoice_late(invoice: Invoice, today: datetime.date) -> Conflict | None:
    if invoice.status == "draft":
        return InvoiceNotSendable(f"{invoice.invoice_number} is a draft again", invoice_id=invoice.id)
    return invoice.refuse_send(today)


def _ask_of_invoice(invoice: Invoice, today: datetime.date, language: Phrases) -> str:
    if not invoice.balance:
        return language.sentence("paid")
    due = "was_due" if invoice.is_past_due(today) else "due"
    date = language.day(invoice.due_date)
    if not invoice.amount_paid:
        return language.sentence(due, date=date)
    balance = language.money(invoice.balance, invoice.currency_code)
    return language.sentence(f"balance_{due}", amount=balance, date=date)


INVOICE = Mailable(
    kind=INVOICES,
    mark_sent=_mark_invoice,
    refuse=Invoice.refuse_send,
    refuse_late=_refuse_invoice_late,
    asking=_ask_of_invoice,
    printable=invoice_printing.to_print,
)

MAILABLES: dict[str, Mailable[Any]] = {"estimate": ESTIMATE, "invoice": INVOICE}
