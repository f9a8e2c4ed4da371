"""The sheets themselves: the band at the head of the first, the footer with "Page x of y" on each."""

from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from invoice_service.pdf import theme
from invoice_service.pdf.embedding import EmbeddedFonts, compressed
from invoice_service.pdf.flow import Flow, Sheet, baseline
from invoice_service.pdf.pen import Pen
from invoice_service.pdf.shaping import width
from invoice_service.pdf.wrapping import single

_FOOTER_TOP = 40.0


class _BareCanvas(Canvas):  # type: ignore[misc]  # ReportLab is untyped
    """A canvas whose pages begin without a font: ReportLab's would be Helvetica, which is not embedded."""

    def _make_preamble(self) -> None:
        self._preamble = "1 0 0 1 0 0 cm"

    def showPage(self) -> None:
        super().showPage()
        page = self._doc.Pages[-1]
        page.Contents, page.stream = compressed(page.stream.encode("latin-1")), None


def draw(flow: Flow, sheet: Sheet, footer: str, properties: dict[str, str]) -> bytes:
    """The PDF of what was placed; ``properties`` are the file's title, author, creator and language."""
    target = BytesIO()
    canvas = _BareCanvas(
        target, pagesize=(sheet.width, sheet.height), invariant=1, pageCompression=1, lang=properties["language"]
    )
    canvas.setTitle(properties["title"])
    canvas.setAuthor(properties["author"])
    canvas.setCreator(properties["author"])
    pen = Pen(canvas, EmbeddedFonts(canvas._doc), sheet.width, mirrored=sheet.language.rtl)
    count = len(flow.pages)
    for number, page in enumerate(flow.pages, start=1):
        if number == 1:
            pen.box(0, sheet.height - theme.BAND_HEIGHT, sheet.width, theme.BAND_HEIGHT, theme.ACCENT)
        for top, block in page:
            block.draw(pen, top)
        _draw_footer(pen, sheet, footer, number, count)
        page.clear()
        pen.end_page()
    canvas.save()
    return target.getvalue()


def _draw_footer(pen: Pen, sheet: Sheet, footer: str, number: int, count: int) -> None:
    pen.rule(theme.MARGIN, _FOOTER_TOP, sheet.room, theme.RULE)
    style = theme.FOOTER
    at = baseline(_FOOTER_TOP - 6, style)
    page = sheet.language["page"].format(page=number, pages=count)
    taken = width(page, style.bold) * style.size / 1000
    room = sheet.room - taken - 20
    pen.line(single(footer, style, room), style, theme.MARGIN, at, room)
    pen.line(single(page, style, taken + 1), style, theme.MARGIN, at, sheet.room, "end")
