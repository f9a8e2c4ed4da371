"""A document's PDF from its frozen value; the same value gives the same bytes, today and on another machine.

So the bytes may be kept by (document, version), compared, and fetched by either product. Nothing in them comes from
the clock, the machine's locale or the database. Renders share opened fonts, which they only read, and nothing else: any
number of threads may render at once.
"""

from invoice_service.pdf import paper
from invoice_service.pdf.closing import notes_and_terms, sum_blocks, sums
from invoice_service.pdf.document import Printable, PrintableStatement
from invoice_service.pdf.flow import Flow, Sheet
from invoice_service.pdf.letterhead import letterhead, title_word
from invoice_service.pdf.line_table import line_table
from invoice_service.pdf.statement import statement_sums, statement_table
from invoice_service.pdf.text import one_line

# Characters of a name or number in the file's properties and at the foot of each page.
_PROPERTY_LIMIT = 255


def render(printable: Printable) -> bytes:
    """The document as a PDF with its fonts embedded (S11).

    Takes some milliseconds of processor time a page: call it in a thread. Any text is typeset: what is not printable is
    left out, a character that no font has is printed as �, names and addresses in the letterhead are cut where they
    would fill the page (``warnings`` names both), nothing makes it fail.
    """
    sheet = Sheet.of(printable)
    flow = Flow(sheet)
    flow.place(letterhead(printable, sheet))
    if isinstance(printable, PrintableStatement):
        table, rows = statement_table(printable, sheet)
        closing, number, terms = statement_sums(printable, sheet), "", ""
    else:
        table, rows = line_table(printable, sheet)
        closing, number, terms = sums(printable, sheet), one_line(printable.number, _PROPERTY_LIMIT), printable.terms
    table.fill(flow, rows)
    flow.gap(10)
    for block in sum_blocks(closing, sheet):
        flow.place(block)
    flow.gap(24)
    words = sheet.language
    notes_and_terms(((words["notes"], printable.notes), (words["terms"], terms)), sheet, flow)
    name, title = one_line(printable.organization_name, _PROPERTY_LIMIT), title_word(printable, sheet)
    title = f"{title} {number or one_line(printable.customer_name, _PROPERTY_LIMIT)}"
    properties = {"title": title, "author": name, "language": str(words.locale).replace("_", "-")}
    return paper.draw(flow, sheet, f"{name}  ·  {number or title}", properties)
