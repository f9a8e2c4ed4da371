"""Settings of invoice-service."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import Literal

from contracts.values import CurrencyCode
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from servicekit.settings import Settings

HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class InvoiceSettings(Settings):
    """``invoice_organization_name`` and ``invoice_currency`` are of the organization made at the first start.

    E-mails: with ``mail_dir`` they are written there as files, with ``smtp_host`` they go to that mail server, with
    neither none can be sent. ``smtp_port``: by ``smtp_security``, if left out. ``mail_retry_delays``: seconds until an
    e-mail that could not be delivered is tried again; after the last one it has failed.
    """

    port: int = Field(8002, ge=0, le=65535)
    invoice_organization_name: str = Field("My Company", min_length=1, max_length=255)
    invoice_currency: CurrencyCode = "USD"
    mail_dir: Path | None = None
    smtp_host: str | None = None
    smtp_port: int | None = Field(None, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str | None = None
    mail_retry_delays: tuple[float, ...] = (60, 180, 540, 1620, 4860, 14580, 21600, 21600, 21600)

    @field_validator("smtp_username")
    @classmethod
    def _not_in_the_clear(cls, username: str | None, info: ValidationInfo) -> str | None:
        here = info.data.get("smtp_host") in HERE
        if username is not None and info.data.get("smtp_security") == "none" and not here:
            raise ValueError("the password would go over the network unencrypted; set SMTP_SECURITY to starttls or tls")
        return username

    @field_validator("smtp_password")
    @classmethod
    def _both_or_none(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        username = info.data.get("smtp_username", password)  # not there if it is wrong itself
        if (password is None) != (username is None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD belong together; set both or neither")
        return password

    @field_validator("mail_from")
    @classmethod
    def _an_address(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is None:
            if info.data.get("smtp_host") is not None:
                raise ValueError("is needed with SMTP_HOST: the address that e-mails come from")
            return None
        try:
            sendable = address.isascii() and Address(addr_spec=address).domain
        except (ValueError, HeaderParseError, IndexError):
            sendable = ""
        if not sendable:
            raise ValueError("must be an e-mail address alone, such as invoices@example.com; the name is added")
        return address

    @field_validator("mail_retry_delays")
    @classmethod
    def _not_negative(cls, delays: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= delay < 10**7 for delay in delays):
            raise ValueError("must be numbers of seconds, 0 or more")
        return delays
