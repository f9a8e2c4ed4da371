"""What people typed, made fit to print: after ``clean`` no character is left that a PDF could stumble over."""

import re
import unicodedata

_SPACING = str.maketrans(dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n") | {"\t": " "})
# Zero-width joiner and non-joiner: Arabic, Persian and Indic words are written with them.
_JOINERS = frozenset("\u200c\u200d")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
_GAPS = re.compile(r"\n{3,}")
ELLIPSIS = "…"
REPLACEMENT = "\ufffd"
"""Printed for a character that no font has."""


def clean(text: str) -> str:
    """The text in composed form (NFC), with ``\\n`` for every kind of line break and without invisible characters.

    Controls, lone surrogates and bidirectional overrides go: none prints, and an override could make a number read as
    another one. Characters for private use or of a later Unicode stay, and are printed as �. Of several blank lines one
    stays.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    unified = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_SPACING))
    printable = "".join(
        char for char in unified if char == "\n" or char in _JOINERS or unicodedata.category(char) not in _INVISIBLE
    )
    return _GAPS.sub("\n\n", printable).strip()


def one_line(text: str, limit: int) -> str:
    """The cleaned text on one line, cut after ``limit`` characters with an ellipsis."""
    line = _on_one_line(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


def is_cut(text: str, limit: int) -> bool:
    """Whether ``one_line`` leaves anything out."""
    return len(_on_one_line(text)) > limit


def _on_one_line(text: str) -> str:
    return " ".join(clean(text).split())
