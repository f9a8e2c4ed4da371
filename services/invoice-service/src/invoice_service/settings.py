"""Settings of invoice-service."""

from contracts.values import CurrencyCode
from pydantic import Field
from servicekit.settings import Settings


class InvoiceSettings(Settings):
    """``invoice_organization_name`` and ``invoice_currency`` are of the organization made at the first start."""

    port: int = Field(8002, ge=0, le=65535)
    invoice_organization_name: str = Field("My Company", min_length=1, max_length=255)
    invoice_currency: CurrencyCode = "USD"
