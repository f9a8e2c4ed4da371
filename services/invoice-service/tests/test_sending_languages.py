"""E-mails in the organization's language, as the files that a folder gets."""

import string
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from invoice_service.pdf import languages as printed
from invoice_service.sending.languages import phrases

from tests.mail_server import parsed
from tests.mailing import MARIA, Mailing, mailing

__all__ = ["mailing"]

LINES = [{"name": "Consulting", "quantity": "100", "rate": "19.90"}]
# A due date that is far off: no outcome depends on the day a test runs on.
DATES = {"date": "2026-03-04", "due_date": "2099-03-08"}
TAGS = sorted(file.stem for file in Path(printed.__file__).parent.glob("*.toml"))
NAMES = {
    "invoice_subject": {"number", "organization"},
    "estimate_subject": {"number", "organization"},
    "invoice_attached": {"number", "date", "amount"},
    "estimate_attached": {"number", "date", "amount"},
    "valid_until": {"date"},
    "due": {"date"},
    "was_due": {"date"},
    "balance_due": {"amount", "date"},
    "balance_was_due": {"amount", "date"},
    "paid": set(),
    "closing": set(),
}


@pytest.fixture
def invoice_settings(tmp_path: Path) -> dict[str, Any]:
    return {"mail_dir": tmp_path / "mail"}


async def sent(mailing: Mailing, folder: Path, language: str) -> tuple[str, str]:
    """Subject and text of an invoice's e-mail from an organization with this language."""
    invoice = mailing.invoice
    (own,) = invoice.ok(await mailing.admin.get("/v1/organizations"))["items"]
    fields = {"language": language, "name": "Südwind"}
    invoice.ok(await mailing.admin.patch(f"/v1/organizations/{own['id']}", json=fields))
    customer = await invoice.customer(contact_persons=[MARIA], currency_code="EUR")
    bill = await invoice.bill(customer["id"], "draft", line_items=LINES, **DATES)
    await mailing.until(await mailing.send(f"/v1/invoices/{bill['id']}"), "sent")
    (file,) = folder.iterdir()
    message = parsed(file.read_bytes())
    text = next(message.iter_parts())
    assert isinstance(text, EmailMessage)
    return message["Subject"], text.get_content()


async def test_german(mailing: Mailing, tmp_path: Path) -> None:
    subject, text = await sent(mailing, tmp_path / "mail", "de-DE")

    assert subject == "Rechnung INV-000001 von Südwind"
    assert text.splitlines() == [
        "Guten Tag Maria Anders,",
        "",
        "im Anhang erhalten Sie die Rechnung INV-000001 vom 04.03.2026 über 1.990,00\N{NO-BREAK SPACE}€.",
        "Die Rechnung ist am 08.03.2099 fällig.",
        "",
        "Mit freundlichen Grüßen",
        "Südwind",
    ]


async def test_arabic_keeps_figures_and_names_in_their_own_direction(mailing: Mailing, tmp_path: Path) -> None:
    subject, text = await sent(mailing, tmp_path / "mail", "ar-AE")

    assert subject == "فاتورة INV-000001 من Südwind"
    assert text.splitlines() == [
        "تحية طيبة، \u2068Maria Anders\u2069،",
        "",
        "تجدون مرفقًا الفاتورة رقم \u2068INV-000001\u2069 بتاريخ \u20684 مارس 2026\u2069 "
        "بمبلغ \u20681,990.00\N{NO-BREAK SPACE}€\u2069.",
        "تاريخ استحقاق الفاتورة هو \u20688 مارس 2099\u2069.",
        "",
        "مع خالص التحية",
        "Südwind",
    ]


@pytest.mark.parametrize("tag", TAGS)
def test_every_language_of_documents_has_every_sentence_with_all_it_tells(tag: str) -> None:
    sentences = dict(phrases(tag).sentences)
    greeting = sentences.pop("greeting")

    told = {
        name: {field for _, field, _, _ in string.Formatter().parse(one) if field} for name, one in sentences.items()
    }

    assert told == NAMES
    assert greeting
    assert len(set(sentences.values())) == len(sentences)


@pytest.mark.parametrize("tag", ["sv-SE", "hi"])
def test_a_language_without_sentences_is_english(tag: str) -> None:
    assert phrases(tag) == phrases("en-US")
