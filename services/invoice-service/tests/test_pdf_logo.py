"""The organization's logo on a document: in its box and its proportions, and never a reason to have no document."""

import base64
import re
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from invoice_service.organizations import logos
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


def lying(size: tuple[int, int]) -> bytes:
    """A JPEG of a camera that was held upright: a quarter turn from how it is meant."""
    target = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", size, "teal").save(target, "JPEG", exif=exif)
    return target.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"


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

    def test_one_that_a_camera_left_lying_stands_upright(self) -> None:
        for size in ((90, 30), (2_700, 900)):
            width, height = placed_picture(lying(size))
            assert height / width == pytest.approx(3, rel=0.01)


class TestKept:
    """What an organization's logo is after it was sent."""

    @pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK")])
    async def test_a_large_one_is_made_as_small_as_it_is_printed(self, kind: str, mode: str) -> None:
        kept = await logos.read(data_uri(kind, a_logo(kind, (4_000, 1_000), mode)))
        with Image.open(BytesIO(kept.content)) as image:
            assert (image.format, image.size) == (kind, (600, 150))
        assert kept.content_type == f"image/{kind.lower()}"
        assert placed_picture(kept.content) == (150, 37.5)

    async def test_one_that_a_camera_left_lying_is_turned(self) -> None:
        kept = await logos.read(data_uri("JPEG", lying((2_700, 900))))
        with Image.open(BytesIO(kept.content)) as image:
            assert image.size == (72, 216)

    async def test_grey_in_16_bits_stays_grey(self) -> None:
        target = BytesIO()
        Image.new("I;16", (1_000, 500), 100 * 257).save(target, "PNG")
        kept = await logos.read(data_uri("PNG", target.getvalue()))
        with Image.open(BytesIO(kept.content)) as image:
            assert image.getpixel((0, 0)) == (100, 100, 100)

    async def test_what_was_clear_stays_clear(self) -> None:
        target = BytesIO()
        Image.new("P", (1_000, 1_000), 0).save(target, "PNG", transparency=0)
        kept = await logos.read(data_uri("PNG", target.getvalue()))
        with Image.open(BytesIO(kept.content)) as image:
            assert image.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]

    async def test_a_small_one_stays_as_it_was_sent(self) -> None:
        sent = a_logo("PNG", (600, 216))
        assert (await logos.read(data_uri("PNG", sent))).content == sent
