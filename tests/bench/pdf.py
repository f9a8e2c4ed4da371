"""How fast PDFs are made, beside ReportLab drawing the same texts in the same fonts; and how much memory they take."""

import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import fontpkg
import uharfbuzz as hb
from invoice_service.pdf import PrintableDocument, PrintableLine, PrintableTax, render
from pypdf import PdfReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

LINES = 15
ROUNDS = 40


def an_invoice(lines: int) -> PrintableDocument:
    """A plain invoice; with ``LINES`` lines it fills one page."""
    printed = tuple(
        PrintableLine(
            name=f"Article {number}",
            description="24 – 12 oz bottles",
            quantity=Decimal(2),
            rate=Decimal("19.90"),
            item_total=Decimal("39.80"),
            tax_percentage=Decimal(19),
        )
        for number in range(1, lines + 1)
    )
    total = Decimal("39.80") * lines
    return PrintableDocument(
        kind="invoice",
        number="INV-000042",
        date=date(2026, 3, 4),
        end_date=date(2026, 4, 3),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind Traders",
        organization_address=("4110 Old Redmond Rd.", "Redmond, WA 98052"),
        customer_name="Berglunds snabbköp",
        lines=printed,
        sub_total=total,
        discount_total=Decimal(0),
        taxes=(PrintableTax(tax_percentage=Decimal(19), taxable=total, tax=Decimal("7.56") * lines),),
        total=total + Decimal("7.56") * lines,
    )


def what_is_drawn(document: PrintableDocument) -> list[tuple[str, str, float, float, float]]:
    """The texts of the document's one page: font, text, size, place; read out of our PDF."""
    drawn: list[tuple[str, str, float, float, float]] = []

    def visit(text: str, _cm: object, matrix: list[float], font: dict[str, str] | None, size: float) -> None:
        if font and text.strip():
            drawn.append(("Bold" if "Bold" in font["/BaseFont"] else "Regular", text.strip(), size, *matrix[4:6]))

    (page,) = PdfReader(BytesIO(render(document))).pages
    page.extract_text(visitor_text=visit)
    return drawn


def drawn_directly(texts: list[tuple[str, str, float, float, float]], rules: int) -> bytes:
    """The same texts by ReportLab's canvas, each at its known place: nothing is measured, wrapped or formatted."""
    target = BytesIO()
    canvas = Canvas(target, pageCompression=1, invariant=1, initialFontName="Regular")
    for font, text, size, x, y in texts:
        canvas.setFont(font, size)
        canvas.drawString(x, y, text)
    for rule in range(rules):
        canvas.line(50, 100 + 20 * rule, 545, 100 + 20 * rule)
    canvas.save()
    return target.getvalue()


def register_fonts() -> None:
    """The fonts of our PDFs for ReportLab: it sees only static ones, so bold is cut from the variable one first."""
    file = str(fontpkg.path("Noto Sans"))
    pdfmetrics.registerFont(TTFont("Regular", file, asciiReadable=False))
    face = hb.Face(hb.Blob.from_file_path(file))
    whole = hb.SubsetInput()
    whole.keep_everything()
    whole.pin_all_axes_to_default(face)
    whole.pin_axis_location(face, "wght", 700)
    pdfmetrics.registerFont(TTFont("Bold", BytesIO(whole.subset(face).blob.data), asciiReadable=False))


def fastest(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of some rounds."""
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took) * 1000


def peak(lines: int) -> float:
    """Megabytes that a render allocates at its highest point."""
    document = an_invoice(lines)
    tracemalloc.start()
    try:
        render(document)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def run() -> list[tuple[str, str]]:
    """Rows of what was measured and the figure."""
    register_fonts()
    document = an_invoice(LINES)
    texts = what_is_drawn(document)
    ours = fastest(lambda: render(document))
    direct = fastest(lambda: drawn_directly(texts, LINES + 4))
    rows = [
        ("PDF of one page, ms", f"{ours:.1f}"),
        ("the same texts drawn directly, ms", f"{direct:.1f}"),
        ("PDF of one page / drawn directly", f"{ours / direct:.2f}"),
    ]
    return rows + [(f"PDF of {lines:,} lines, peak MB", f"{peak(lines):.1f}") for lines in (10, 100, 1_000)]


if __name__ == "__main__":
    print(Path(__file__).name)
    for name, figure in run():
        print(f"  {name:<40}{figure:>8}")
