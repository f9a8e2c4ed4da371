"""A statement as the value that its PDF is made from."""

from contracts.values import MINOR_UNITS

from invoice_service.documents.printing import address_lines, letterhead
from invoice_service.organizations.models import Organization
from invoice_service.pdf import PrintableEntry, PrintableStatement
from invoice_service.statements.queries import Entry, Statement


def printable(statement: Statement, organization: Organization, logo: bytes | None) -> PrintableStatement:
    """The statement as it is printed."""
    customer = statement.customer
    return PrintableStatement(
        **letterhead(organization, logo),
        date_from=statement.date_from,
        date_to=statement.date_to,
        currency_code=statement.currency_code,
        minor_unit=MINOR_UNITS[statement.currency_code],
        customer_name=customer.customer_name,
        attention=customer.billing_address.attention,
        billing_address=address_lines(customer.billing_address),
        opening_balance=statement.opening_balance,
        rows=tuple(_row(entry) for entry in statement.entries),
        invoiced=statement.invoiced,
        received=statement.received,
        closing_balance=statement.closing_balance,
    )


def _row(entry: Entry) -> PrintableEntry:
    return PrintableEntry(
        date=entry.date,
        kind=entry.kind,
        number=entry.number,
        description=entry.description,
        amount=entry.amount if entry.kind == "invoice" else None,
        payment=entry.amount if entry.kind == "payment" else None,
        balance=entry.balance,
    )
