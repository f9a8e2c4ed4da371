"""The organization's logo on a document: in its box and its proportions, and never a reason to have no document."""

import re
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from invoice_service.pdf import PrintableStatement, render
from PIL import Image
from pypdf import PdfReader


def a_statement(logo: bytes) -> PrintableStatement:
    zero = Decimal(0)
    return PrintableStatement(
        date_from=date(2026, 1, 1),
        date_to=date(2026, 3, 31),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind Traders",
        customer_name="Berglund",
        opening_balance=zero,
        rows=(),
        invoiced=zero,
        received=zero,
        closing_balance=zero,
        logo=logo,
    )


def a_logo(kind: str, size: tuple[int, int] = (90, 30), mode: str = "RGB") -> bytes:
    target = BytesIO()
    Image.new(mode, size, 80).save(target, kind)
    return target.getvalue()


def placed_picture(logo: bytes) -> tuple[float, float]:
    """Width and height in points of the picture on the first page."""
    content = PdfReader(BytesIO(render(a_statement(logo)))).pages[0].get_contents()
    assert content is not None
    found = re.search(rb"([\d.]+) 0 0 ([\d.]+) [\d.]+ [\d.]+ cm\s+/\S+ Do", content.get_data())
    assert found is not None
    return float(found[1]), float(found[2])


class TestLogo:
    @pytest.mark.parametrize(
        ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
    )
    def test_keeps_its_proportions(self, kind: str, mode: str) -> None:
        width, height = placed_picture(a_logo(kind, (300, 100), mode))
        assert width / height == pytest.approx(3, rel=0.01)
        assert width <= 150

    def test_a_tall_one_fits_too_and_a_large_one_is_made_smaller(self) -> None:
        width, height = placed_picture(a_logo("PNG", (100, 1_000)))
        assert height <= 54 < height * 1.01
        assert width / height == pytest.approx(0.1, rel=0.01)
        assert len(render(a_statement(a_logo("PNG", (4_000, 3_000))))) < 100_000

    @pytest.mark.parametrize(
        "file", [b"", b"no picture", a_logo("PNG")[:60], a_logo("JPEG")[:200], b"\x89PNG\r\n\x1a\n" * 9]
    )
    def test_a_broken_one_is_left_out(self, file: bytes) -> None:
        assert "Berglund" in PdfReader(BytesIO(render(a_statement(file)))).pages[0].extract_text()
