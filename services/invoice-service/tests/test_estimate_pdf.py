"""An estimate's PDF, viewed and downloaded (S11)."""

from io import BytesIO
from typing import Any

from invoice_service.documents.printing import content_disposition
from pypdf import PdfReader


async def test_s11_the_pdf_says_what_the_estimate_says(invoice: Any) -> None:
    address = {"street": "Obere Str. 57", "zip": "12209", "city": "Berlin"}
    customer = await invoice.customer(currency_code="EUR", billing_address=address)
    line = {"name": "Chai", "quantity": "2", "rate": "19.90", "tax_percentage": "19"}
    estimate = await invoice.estimate(customer["id"], line_items=[line])
    path = f"/v1/estimates/{estimate['id']}/pdf"

    viewed = await invoice.admin.get(path)
    downloaded = await invoice.admin.get(path, params={"download": "true"})

    assert viewed.headers["content-type"] == "application/pdf"
    assert viewed.headers["content-disposition"].startswith('inline; filename="EST-000001.pdf"')
    assert downloaded.headers["content-disposition"].startswith('attachment; filename="EST-000001.pdf"')
    assert viewed.content == downloaded.content
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(viewed.content)).pages)
    for said in ("EST-000001", "DRAFT", "Alfreds Futterkiste", "12209 Berlin", "Chai", "47.36"):
        assert said in text


async def test_a_pdf_that_did_not_change_is_not_made_again(invoice: Any) -> None:
    customer = await invoice.customer()
    estimate = await invoice.estimate(customer["id"])
    path = f"/v1/estimates/{estimate['id']}/pdf"
    etag = (await invoice.admin.get(path)).headers["etag"]

    unchanged = await invoice.admin.get(path, headers={"If-None-Match": etag})
    await invoice.mark(estimate["id"], "accepted")
    changed = await invoice.admin.get(path, headers={"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.headers["etag"] != etag) == (200, True)


def test_the_file_name_is_safe_and_exact() -> None:
    assert content_disposition("Q/2025-ä\r\n\"'7", download=True) == (
        "attachment; filename=\"Q-2025-_---'7.pdf\"; filename*=UTF-8''Q-2025-%C3%A4---%277.pdf"
    )
