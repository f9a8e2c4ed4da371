"""The sentences of e-mails: a file of them for each language that documents are printed in."""

import datetime
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from babel import Locale
from contracts.values import MINOR_UNITS

from invoice_service.pdf import languages, numbers

_FOLDER = Path(__file__).parent
# Unicode's first-strong isolate (UAX #9): figures and Latin names keep their order within a line from right to left.
_ISOLATED = "\u2068{}\u2069"


@dataclass(frozen=True, slots=True)
class Phrases:
    """A language's sentences, with dates and amounts as the PDF has them."""

    sentences: dict[str, str]
    locale: Locale
    rtl: bool

    def line(self, which: str, /, **values: str) -> str:
        """The sentence with these values: as it stands in a header, where marks of direction have no place."""
        return self.sentences[which].format(**values)

    def sentence(self, which: str, /, **values: str) -> str:
        """The sentence with these values, each kept in its own direction."""
        if self.rtl:
            values = {key: _ISOLATED.format(value) for key, value in values.items()}
        return self.line(which, **values)

    def money(self, amount: Decimal, currency_code: str) -> str:
        """``$1,234.50``, ``1.234,50 €``: at the currency's minor unit."""
        return numbers.money_with_currency(amount, MINOR_UNITS[currency_code], currency_code, self.locale)

    def day(self, date: datetime.date) -> str:
        """``Mar 4, 2026``, ``04.03.2026``."""
        return numbers.day(date, self.locale)


@lru_cache(maxsize=200)
def phrases(tag: str) -> Phrases:
    """The sentences in the language of a BCP 47 tag, which is the one its documents are printed in; else in English."""
    printed = languages.language(tag)
    file = _FOLDER / f"{printed.locale.language}.toml"
    return Phrases(tomllib.loads(file.read_text(encoding="utf-8")), printed.locale, printed.rtl)
