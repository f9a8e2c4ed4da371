"""How e-mails leave, by the settings; a wrong one is named at start."""

from pathlib import Path
from typing import Any

import pytest
from invoice_service.settings import InvoiceSettings
from pydantic import ValidationError

NEEDED = {"database_url": "sqlite:///x", "auth_secret": "s" * 32}
SERVER = {"smtp_host": "mail.northwind.example", "mail_from": "invoices@northwind.example"}


def wrong(**values: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        InvoiceSettings.of(**NEEDED, **values)
    (fault,) = refused.value.errors()
    return str(fault["loc"][0]), fault["msg"]


def test_a_mail_server_needs_the_address_that_e_mails_come_from() -> None:
    assert InvoiceSettings.of(**NEEDED).mail_from is None
    assert InvoiceSettings.of(**NEEDED, **SERVER).smtp_security == "starttls"
    field, why = wrong(smtp_host="mail.northwind.example")
    assert field == "mail_from"
    assert "SMTP_HOST" in why


@pytest.mark.parametrize(
    "address", ["northwind", "Northwind <invoices@northwind.example>", "a@b.example\nBcc: c@d.example", "ä@b.example"]
)
def test_the_sender_is_one_plain_address(address: str) -> None:
    assert wrong(smtp_host="mail.northwind.example", mail_from=address)[0] == "mail_from"


def test_a_password_never_goes_over_a_network_in_the_clear() -> None:
    signing_in = {"smtp_username": "northwind", "smtp_password": "t0p-s3cret", "smtp_security": "none"}

    field, why = wrong(**SERVER, **signing_in)

    assert field == "smtp_username"
    assert "unencrypted" in why
    here = InvoiceSettings.of(**NEEDED, **SERVER | {"smtp_host": "localhost"}, **signing_in)
    assert "t0p-s3cret" not in repr(here)


def test_user_name_and_password_belong_together() -> None:
    assert wrong(**SERVER, smtp_username="northwind")[0] == "smtp_password"
    assert wrong(**SERVER, smtp_password="secret")[0] == "smtp_password"


def test_delays_are_seconds() -> None:
    assert InvoiceSettings.of(**NEEDED, mail_retry_delays=[]).mail_retry_delays == ()
    assert wrong(mail_retry_delays=[60, -1])[0] == "mail_retry_delays"
    assert wrong(mail_retry_delays=[float("nan")])[0] == "mail_retry_delays"


def test_every_service_starts_with_a_file_that_sets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from servicekit.settings import MAIL_NAMES, Settings, load

    mine = {name.upper() for name in InvoiceSettings.model_fields if name.startswith(("smtp_", "mail_"))}
    assert mine == MAIL_NAMES
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"DATABASE_URL=sqlite:///x\nAUTH_SECRET={'s' * 32}\nSMTP_HOST=mail.example\n")
    assert load(Settings).port == 8000
