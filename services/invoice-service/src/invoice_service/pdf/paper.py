"""The sheet itself: the band at its head, the footer with "Page x of y"."""

from typing import Any

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from invoice_service.pdf import theme
from invoice_service.pdf.text import ELLIPSIS
from invoice_service.pdf.typefaces import REGULAR

_SIZE = 7.5
_BASELINE = 27.0
_RULE_HEIGHT = 40.0


class NumberedCanvas(Canvas):  # type: ignore[misc]  # ReportLab is untyped
    """A canvas that keeps its pages until the last one, because only then y of "Page x of y" is known."""

    footer = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Otherwise every page begins in Helvetica, which would be named in the file and not embedded.
        options["initialFontName"] = REGULAR
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for page in self._pages:
            self.__dict__.update(page)
            self._draw_frame_of_page(len(self._pages))
            super().showPage()
        super().save()

    def _draw_frame_of_page(self, pages: int) -> None:
        self.saveState()
        if self._pageNumber == 1:
            self.setFillColor(theme.ACCENT)
            self.rect(0, theme.PAGE_HEIGHT - theme.BAND_HEIGHT, theme.PAGE_WIDTH, theme.BAND_HEIGHT, stroke=0, fill=1)
        right = theme.PAGE_WIDTH - theme.MARGIN
        self.setStrokeColor(theme.RULE)
        self.setLineWidth(0.5)
        self.line(theme.MARGIN, _RULE_HEIGHT, right, _RULE_HEIGHT)
        self.setFont(REGULAR, _SIZE)
        self.setFillColor(theme.MUTED)
        page = f"Page {self._pageNumber} of {pages}"
        self.drawRightString(right, _BASELINE, page)
        room = theme.CONTENT_WIDTH - stringWidth(page, REGULAR, _SIZE) - 20
        self.drawString(theme.MARGIN, _BASELINE, _fitted(self.footer, room))
        self.restoreState()


def numbered_canvas(footer: str) -> type[NumberedCanvas]:
    """A ``NumberedCanvas`` whose pages all bear ``footer``, cut where it would run into the page number."""
    return type("FooterCanvas", (NumberedCanvas,), {"footer": footer})


def _fitted(text: str, room: float) -> str:
    if stringWidth(text, REGULAR, _SIZE) <= room:
        return text
    while text and stringWidth(text + ELLIPSIS, REGULAR, _SIZE) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS
