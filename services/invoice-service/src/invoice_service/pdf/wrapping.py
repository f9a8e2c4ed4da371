"""Paragraphs broken into lines: at spaces, between the characters of Chinese and Japanese, between Thai clusters.

A word too long for its line is broken wherever it must be.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from invoice_service.pdf import bidi
from invoice_service.pdf.shaping import width
from invoice_service.pdf.text import ELLIPSIS, clean
from invoice_service.pdf.theme import Style

# No line begins with a closing mark or a small kana, and none ends with an opening mark.
_OPENING = "（「『【〈《〔［｛〝"
_CLOSING = "、。，．・：；！？）」』】〉》〕］｝〟ー々ゝゞぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ％…‥"
_HAN_KANA = "\u2e80-\u2fdf\u3000-\u30ff\u3100-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffef"
_THAI_CLUSTER = (
    "[\u0e40-\u0e44]?[\u0e00-\u0e2f\u0e3f\u0e4f-\u0e5b](?:[\u0e30-\u0e3a\u0e45-\u0e4e\u0e2f]|[\u0e01-\u0e2e]\u0e4c)*"
)
_PIECES = re.compile(
    f"[{_OPENING}]*[{_HAN_KANA}][{_CLOSING}\ufe00-\ufe0f\u3099\u309a\U000e0100-\U000e01ef]* *"
    f"|{_THAI_CLUSTER} *"
    f"|[^ {_HAN_KANA}\u0e00-\u0e5b]+ *"
    "|[^ ] *| +"
)
_CLUSTER = re.compile(
    r".[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u200c\u200d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u093a-\u094f\ufe00-\ufe0f]*"
)
_MOST_ON_A_LINE = 600


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a paragraph: its text as typed, its width in points, and the level of each character.

    Without ``levels`` all of it runs from left to right. ``rtl`` is the paragraph's direction.
    """

    text: str
    width: float
    levels: bytes | None = None
    rtl: bool = False


def wrap(text: str, style: Style, room: float) -> list[Line]:
    """The cleaned text as lines not wider than ``room`` points; no line for no text."""
    cleaned = clean(text)
    return [line for paragraph in cleaned.split("\n") for line in _paragraph(paragraph, style, room)] if cleaned else []


def single(text: str, style: Style, room: float) -> Line:
    """The text on one line, its end left out where it does not fit."""
    lines = wrap(text.replace("\n", " "), style, room)
    if len(lines) < 2:
        return lines[0] if lines else Line("", 0.0)
    return ending(lines[0], style, room)


def ending(line: Line, style: Style, room: float) -> Line:
    """The line with an ellipsis at its end, for what is left out after it."""
    cut = line.text
    while cut and width(cut.rstrip() + ELLIPSIS, style.bold) * style.size / 1000 > room:
        cut = cut[:-1]
    return wrap(cut.rstrip() + ELLIPSIS, style, room + 1)[0]


def _paragraph(text: str, style: Style, room: float) -> Iterator[Line]:
    text = text.strip(" ")
    scale = style.size / 1000
    whole = _wide(text, style, room)
    levels = bidi.levels(text)
    rtl = levels is not None and bidi.base_is_rtl(text)
    if whole <= room:
        yield Line(text, whole, levels, rtl)
        return
    for start, end in _breaks(text, style, room):
        words = text[start:end].rstrip(" ")
        end = start + len(words)
        yield Line(words, width(words, style.bold) * scale, levels and levels[start:end], rtl)


def _breaks(text: str, style: Style, room: float) -> Iterator[tuple[int, int]]:
    """Where each line starts and ends, greedily."""
    scale = style.size / 1000
    space = width(" ", style.bold) * scale
    start, position, used = 0, 0, 0.0
    for match in _PIECES.finditer(text):
        piece = match[0]
        word = piece.rstrip(" ")
        wide = _wide(word, style, room)
        if used + wide > room and position > start:
            yield start, position
            start, used = position, 0.0
        while wide > room:
            kept = _most_that_fits(word, style, room)
            if kept >= len(word):
                break
            yield start, start + kept
            start, word = start + kept, word[kept:]
            wide = _wide(word, style, room)
        used += wide + space * (len(piece) - len(piece.rstrip(" ")))
        position = match.end()
    if position > start:
        yield start, position


def _wide(text: str, style: Style, room: float) -> float:
    """Its width in points; of a text too long for any line, no more than that it is wider than ``room``.

    Measured, it would be shaped whole: again for each line that is broken off it.
    """
    return width(text, style.bold) * style.size / 1000 if len(text) < _MOST_ON_A_LINE else room + 1


def _most_that_fits(word: str, style: Style, room: float) -> int:
    """How many characters of a word fit, at least one cluster; whole clusters alone."""
    ends = [match.end() for match in _CLUSTER.finditer(word[:_MOST_ON_A_LINE])]
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if width(word[: ends[middle]], style.bold) * style.size / 1000 <= room:
            low = middle
        else:
            high = middle - 1
    return ends[low]
