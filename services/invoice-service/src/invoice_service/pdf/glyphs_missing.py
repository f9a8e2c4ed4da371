"""Which typed characters no font has: said beside the PDF, where they are printed as �."""

from collections.abc import Iterator

from invoice_service.pdf.document import Printable, PrintableDocument
from invoice_service.pdf.shaping import SANS_ONLY, UNSEEN
from invoice_service.pdf.text import clean
from invoice_service.pdf.typefaces import family_of

_MOST_TEXTS = 20
_MOST_CHARACTERS = 5


def warnings(printable: Printable) -> tuple[str, ...]:
    """A sentence for each text with characters that no font has, naming field, characters and code points.

    Of many such texts the first twenty. Reads no font for texts in Latin, Greek and Cyrillic.
    """
    said: list[str] = []
    for field, text in _texts(printable):
        missing = _missing(text)
        if missing and len(said) == _MOST_TEXTS:
            return (*said, "Further texts have characters that no font has.")
        if missing:
            named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_MOST_CHARACTERS])
            more = ", …" if len(missing) > _MOST_CHARACTERS else ""
            said.append(f"{field}: no font has {named}{more}; \ufffd is printed instead.")
    return tuple(said)


def _missing(text: str) -> list[str]:
    if SANS_ONLY.fullmatch(text):
        return []
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
