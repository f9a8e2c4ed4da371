"""What the CRM takes besides what every service takes."""

from typing import Annotated

from contracts.values import CurrencyCode
from fastapi import Depends, Request
from pydantic import Field
from servicekit.settings import Settings


class CrmSettings(Settings):
    """``crm_default_currency``: the currency of a potential that names none (ISO 4217)."""

    port: int = Field(8001, ge=0, le=65535)
    crm_default_currency: CurrencyCode = "USD"


async def _current(request: Request) -> CrmSettings:
    settings: CrmSettings = request.app.state.service.settings
    return settings


CurrentSettings = Annotated[CrmSettings, Depends(_current)]
"""The running CRM's settings, for routes."""
