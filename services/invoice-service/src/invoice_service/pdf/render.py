"""A document's PDF from its frozen value; the same value gives the same bytes, today and on another machine.

So the bytes may be kept by (document, version), compared, and fetched by either product. Nothing in them comes from
the clock, the locale or the database.
"""

from io import BytesIO
from threading import Lock

from reportlab.platypus import SimpleDocTemplate

from invoice_service.pdf import theme, typefaces
from invoice_service.pdf.closing import notes_and_terms, totals_block
from invoice_service.pdf.document import PrintableDocument
from invoice_service.pdf.letterhead import letterhead
from invoice_service.pdf.line_table import line_table
from invoice_service.pdf.paper import numbered_canvas
from invoice_service.pdf.text import one_line

# ReportLab's font objects keep a reading position while they cut a subset: two threads at once would mix up glyphs.
# The work holds the interpreter anyway, so nothing is lost by taking turns.
_ONE_AT_A_TIME = Lock()
# SimpleDocTemplate's frame adds this on every side.
_FRAME_PADDING = 6


def render(document: PrintableDocument) -> bytes:
    """The document as an A4 PDF with its fonts embedded (S11).

    Takes 20 ms and more of processor time: call it in a thread. Any text is typeset: what is not printable is left out,
    names and addresses in the letterhead are cut where they would fill the page, nothing makes it fail.
    """
    name, number = one_line(document.organization_name, 240), one_line(document.number, 120)
    target = BytesIO()
    with _ONE_AT_A_TIME:
        typefaces.register()
        template = SimpleDocTemplate(
            target,
            pagesize=(theme.PAGE_WIDTH, theme.PAGE_HEIGHT),
            leftMargin=theme.MARGIN - _FRAME_PADDING,
            rightMargin=theme.MARGIN - _FRAME_PADDING,
            topMargin=theme.MARGIN - _FRAME_PADDING,
            bottomMargin=54 - _FRAME_PADDING,
            title=f"{one_line(document.title, 120).capitalize()} {number}",
            author=name,
            creator=name,
            lang="en",
            invariant=1,
        )
        template.build(
            [*letterhead(document), line_table(document), totals_block(document), *notes_and_terms(document)],
            canvasmaker=numbered_canvas(f"{name}  ·  {number}"),
        )
    return target.getvalue()
