"""The words of printed documents: a file of them for each language, named by its code (ISO 639-1)."""

import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from invoice_service.pdf.document import Mark

_FOLDER = Path(__file__).parent
_ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A document's language: its words, and the locale that writes its numbers and dates."""

    words: dict[str, str]
    locale: Locale
    rtl: bool

    def __getitem__(self, word: str) -> str:
        return self.words[word]

    def mark(self, mark: Mark) -> str:
        """The word that is stamped on the document."""
        return self.upper(self.words["invoiced_mark" if mark is Mark.INVOICED else mark.value])

    def upper(self, text: str) -> str:
        """The text in capitals; Greek ones bear no accents."""
        capitals = text.upper()
        if self.locale.language == "el":
            capitals = unicodedata.normalize("NFC", unicodedata.normalize("NFD", capitals).replace("\u0301", ""))
        return capitals


@lru_cache(maxsize=200)
def language(tag: str) -> Language:
    """The language of a BCP 47 tag: "de-DE", "zh-Hans-CN".

    A language without a file of words is English, in the English manner of numbers; an unknown region or script of one
    that has a file is left out of the tag.
    """
    code = tag.replace("_", "-").split("-")[0].lower()
    file = _FOLDER / f"{code}.toml"
    if not (code.isascii() and code.isalpha() and file.is_file()):
        return language("en-US")
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    locale = _locale(tag, code)
    return Language(words=words, locale=locale, rtl=locale.text_direction == "rtl")


def _locale(tag: str, code: str) -> Locale:
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(code)
