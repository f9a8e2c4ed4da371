"""What is not printed as it was typed: said beside the PDF. Characters that no font has, and texts that are cut."""

import unicodedata
from collections.abc import Iterator
from itertools import chain, islice

from invoice_service.pdf.closing import LABEL_LIMIT
from invoice_service.pdf.document import Printable, PrintableDocument
from invoice_service.pdf.flow import Sheet
from invoice_service.pdf.letterhead_texts import letterhead_texts
from invoice_service.pdf.line_table import UNIT_LIMIT
from invoice_service.pdf.shaping import SANS_ONLY, UNSEEN
from invoice_service.pdf.text import clean, is_cut
from invoice_service.pdf.typefaces import family_of

_MOST_TEXTS = 20
_MOST_CHARACTERS = 5


def warnings(printable: Printable) -> tuple[str, ...]:
    """A sentence for each text with characters that no font has, naming field, characters and code points, and for each
    text that is cut, naming the field.

    Of many such texts the first twenty. Opens no other font than Noto Sans for texts in Latin, Greek and Cyrillic.
    """
    said = list(islice(chain(_missing_glyphs(printable), _cut_short(printable)), _MOST_TEXTS + 1))
    return (
        (*said[:_MOST_TEXTS], "Further texts are not printed as they were typed.") if said[_MOST_TEXTS:] else (*said,)
    )


def _cut_short(printable: Printable) -> Iterator[str]:
    for field, text in letterhead_texts(printable, Sheet.of(printable)).items():
        if text.cut:
            yield f"{field}: too long for its place in the letterhead; its end is left out."
    if isinstance(printable, PrintableDocument):
        for position, line in enumerate(printable.lines, start=1):
            if is_cut(line.unit, UNIT_LIMIT):
                yield f"line {position}, unit: only the first {UNIT_LIMIT - 1} characters are printed."
        if printable.adjustment and is_cut(printable.adjustment_description, LABEL_LIMIT):
            yield f"adjustment_description: only the first {LABEL_LIMIT - 1} characters are printed."


def _missing_glyphs(printable: Printable) -> Iterator[str]:
    # Every answer that shows a document asks: so each character is looked up once, however often it stands there.
    texts = list(_texts(printable))
    typed = set().union(*(_characters(text) for _, text in texts))
    suspect = {char for char in typed if not SANS_ONLY.fullmatch(char) and not family_of(char)}
    for field, text in texts:
        missing = [] if suspect.isdisjoint(_characters(text)) else _missing(text)
        if missing:
            named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_MOST_CHARACTERS])
            more = ", …" if len(missing) > _MOST_CHARACTERS else ""
            yield f"{field}: no font has {named}{more}; \ufffd is printed instead."


def _characters(text: str) -> set[str]:
    """The characters of the text; where marks may join their letters, as it is printed."""
    return set(text if unicodedata.is_normalized("NFC", text) else clean(text))


def _missing(text: str) -> list[str]:
    typed = dict.fromkeys(clean(text).replace("\n", ""))
    return [char for char in typed if not family_of(char) and not UNSEEN.match(char)]


def _texts(printable: Printable) -> Iterator[tuple[str, str]]:
    yield "organization_name", printable.organization_name
    yield from (("organization_address", line) for line in printable.organization_address)
    yield from (("organization_details", line) for line in printable.organization_details)
    yield "customer_name", printable.customer_name
    yield "attention", printable.attention
    yield from (("billing_address", line) for line in printable.billing_address)
    if isinstance(printable, PrintableDocument):
        yield "number", printable.number
        yield "reference_number", printable.reference_number
        for position, line in enumerate(printable.lines, start=1):
            yield f"line {position}, name", line.name
            yield f"line {position}, description", line.description
            yield f"line {position}, unit", line.unit
        yield "adjustment_description", printable.adjustment_description
        yield "terms", printable.terms
    else:
        for position, row in enumerate(printable.rows, start=1):
            yield f"row {position}, number", row.number
            yield f"row {position}, description", row.description
    yield "notes", printable.notes
