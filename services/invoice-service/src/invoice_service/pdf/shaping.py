"""From characters to glyphs: which font, which form, where.

Most text needs no shaping: one character is one glyph, side by side. Arabic joins its letters, Hebrew, Thai and
Devanagari place marks, and any letter may bear a combining one: those runs go through HarfBuzz.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import uharfbuzz as hb  # type: ignore[import-untyped]

from invoice_service.pdf.bidi import has_rtl
from invoice_service.pdf.text import REPLACEMENT
from invoice_service.pdf.typefaces import SANS, Family, Typeface, family_of, has_glyph, typeface

# Latin, Greek and Cyrillic, of which Noto Sans has every letter; then all scripts in which a character is a glyph.
_LATIN = (
    " -~\xa0-\u02ff\u0370-\u0373\u0376\u0377\u037b-\u037e\u0384-\u038a"
    "\u0391-\u03a1\u03a3-\u03e1\u03f0-\u03ff\u0400-\u0482\u048a-\u052f"
)
SANS_ONLY = re.compile(f"[{_LATIN}\u1e00-\u1eff\u2010-\u2027\u20ac\u2212]*")
_PLAIN = re.compile(
    f"[{_LATIN}\u1e00-\u1fff\u2000-\u200a\u2010-\u2027\u202f-\u205f\u2070-\u20cf\u2100-\u2bff"
    "\u2e00-\u3029\u3030-\u3098\u309b-\u31ff\u3200-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]*"
)
_FOLLOWS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0900-\u0903\u093a-\u094f"
    "\u200c\u200d\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_WORDS = re.compile("[^ ]+| +")
UNSEEN = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A glyph and its place from the beginning of its cluster, in thousandths of the size."""

    glyph: int
    right: float
    up: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Characters that are shaped as one (a letter with its marks, a ligature) and the glyphs that show them.

    ``first`` stands for the whole text; ``others`` (marks, dots, parts) say nothing. ``advance`` is in thousandths of
    the size.
    """

    text: str
    advance: float
    first: Drawn
    others: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one font and direction. ``plain``: one glyph for each character, without shaping."""

    text: str
    family: Family
    rtl: bool
    plain: bool


def is_plain(text: str) -> bool:
    """Whether every character is a glyph of its own, from left to right."""
    return _PLAIN.fullmatch(text) is not None


def runs(text: str, rtl: bool) -> list[Run]:
    """The text, all of one direction, cut where the font changes. A character that no font has goes with Noto Sans."""
    pieces: list[tuple[Family, int, int]] = []
    for position, char in enumerate(text):
        family = family_of(char) or SANS
        if pieces:
            before, start, _ = pieces[-1]
            stays = family is before or UNSEEN.match(char)
            # Marks, and spaces and points between letters, are set in the letters' font if it has them.
            if stays or ((char in " .,:;-()" or _FOLLOWS.match(char)) and has_glyph(before, char)):
                pieces[-1] = (before, start, position + 1)
                continue
        pieces.append((family, position, position + 1))
    plain = not rtl and is_plain(text)
    return [Run(text[start:end], family, rtl, plain) for family, start, end in pieces]


def shape(run: Run, bold: bool) -> list[Cluster]:
    """The run's clusters from left to right as they stand on the sheet."""
    words = [_shape_word(word, run.family, run.rtl, bold) for word in _WORDS.findall(run.text)]
    return [cluster for word in (reversed(words) if run.rtl else words) for cluster in word]


@lru_cache(maxsize=2_000)
def _shape_word(word: str, family: Family, rtl: bool, bold: bool) -> list[Cluster]:
    """Letters do not join over a space, so words are shaped by themselves, and those that come again only once."""
    cut = typeface(family, bold)
    buffer = hb.Buffer()
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_GRAPHEMES
    buffer.add_str(word)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if rtl else "ltr"
    hb.shape(cut.font, buffer)
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    if not infos:  # joiners alone are nothing to draw
        return []
    starts = sorted({info.cluster for info in infos})
    ends = dict(zip(starts, [*starts[1:], len(word)], strict=True))
    together = groupby(zip(infos, positions, strict=True), key=lambda each: each[0].cluster)
    return [_cluster(cut, word[start : ends[start]], list(glyphs)) for start, glyphs in together]


def _cluster(cut: Typeface, text: str, glyphs: list[tuple[Any, Any]]) -> Cluster:
    drawn: list[Drawn] = []
    wide, first = 0.0, None
    for info, position in glyphs:
        number, advance = info.codepoint, position.x_advance * cut.per_mille
        if number == 0 and not UNSEEN.fullmatch(text):
            number = cut.glyph(REPLACEMENT)
            advance = cut.advance(number)
        drawn.append(Drawn(number, wide + position.x_offset * cut.per_mille, position.y_offset * cut.per_mille))
        if first is None and advance > 0:
            first = drawn[-1]
        wide += advance
    first = first or drawn[0]
    return Cluster(text, wide, first, tuple(each for each in drawn if each is not first))


@lru_cache(maxsize=8_000)
def _word_width(text: str, bold: bool) -> float:
    return sum(run_width(run, bold) for run in runs(text, has_rtl(text)))


def run_width(run: Run, bold: bool) -> float:
    """In thousandths of the size."""
    if run.plain:
        return sum(map(typeface(run.family, bold).advances.__getitem__, map(ord, run.text)))
    return sum(cluster.advance for cluster in shape(run, bold))


def width(text: str, bold: bool) -> float:
    """How wide the text is, in thousandths of its size."""
    if SANS_ONLY.fullmatch(text):
        return sum(map(typeface(SANS, bold).advances.__getitem__, map(ord, text)))
    return _word_width(text, bold)
