"""A paragraph of what people typed, which is never read as markup.

ReportLab's paragraphs take XML. Escaping would do, but each escaped character becomes a fragment of its own, and a long
text of them takes seconds to lay out. So the library parses a placeholder for every line, and the typed lines are put
in their places. A run of another script would get its typeface here.
"""

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph

from invoice_service.pdf.text import clean

_PLACEHOLDER = "x"
# Each break costs a line, and thousands of them would cost seconds: after so many the rest runs on.
_MOST_BREAKS = 200


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """The cleaned text with its line breaks, in ``style``; it wraps, in a word too long for its line if it must."""
    lines = clean(text).split("\n", _MOST_BREAKS)
    laid_out = Paragraph("<br/>".join(_PLACEHOLDER for _ in lines), style)
    typed = iter(lines)
    for fragment in laid_out.frags:
        if fragment.text == _PLACEHOLDER:
            fragment.text = next(typed)
    return laid_out
