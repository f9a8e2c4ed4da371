"""Which way each character runs (Unicode Standard Annex 9), for texts without explicit controls.

The levels are those of python-bidi; here is what a line needs of them: its stretches in the order of the screen.
"""

import re
from unicodedata import bidirectional

from bidi import algorithm  # type: ignore[import-untyped]

from invoice_service.pdf.text import REPLACEMENT

_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Letters and marks of Hebrew and Arabic with what may stand between them: no digit, nothing of another direction.
_ONE_WAY = re.compile(
    r"[ ,.:;!?'\"/\u05d0-\u05ea\u060c\u061b\u061f-\u065f\u066e-\u06ef\u06fa-\u06ff\u200c\u200d\u0300-\u036f]+"
)
_BRACKETS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "〈": "〉"}
_DIGIT = "[0-9\u0660-\u0669\u06f0-\u06f9]"
_INSIDE_NUMBER = re.compile(f"(?<={_DIGIT})[-/.,:+](?={_DIGIT})")
_LETTER_OR_FIGURE = re.compile(r"\w")
_JOINERS = re.compile("[\u200c\u200d]")

Stretch = tuple[int, int, bool]


def has_rtl(text: str) -> bool:
    return _RIGHT_TO_LEFT.search(text) is not None


def levels(text: str) -> bytes | None:
    """The embedding level of each character of a paragraph; None if all of it runs from left to right."""
    if not has_rtl(text):
        return None
    if _ONE_WAY.fullmatch(text):
        return bytes([1]) * len(text)
    # One that this Unicode does not know has no direction, and is printed as a replacement, which is neutral.
    bare = "".join(char if bidirectional(char) else REPLACEMENT for char in _JOINERS.sub("", text))
    storage = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(bare)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    algorithm.get_embedding_levels(bare, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    _keep_numbers_whole(bare, storage["chars"])
    _pair_brackets(storage["chars"], storage["base_dir"])
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    found = [char["level"] for char in storage["chars"]]
    if len(found) != len(bare):  # a character of another version of Unicode
        return None
    if len(bare) == len(text):
        return bytes(found)
    # A joiner goes with the letter before it.
    given, last, remaining = bytearray(), storage["base_level"], iter(found)
    for char in text:
        last = last if _JOINERS.match(char) else next(remaining)
        given.append(last)
    return bytes(given)


def base_is_rtl(paragraph: str) -> bool:
    """Whether the first strong character runs from right to left."""
    return bool(algorithm.get_base_level(paragraph))


def visual(line_levels: bytes) -> list[Stretch]:
    """A line's stretches of one level as (start, end, right to left), from left to right on the sheet (rule L2)."""
    stretches: list[list[int]] = []
    for position, level in enumerate(line_levels):
        if stretches and stretches[-1][2] == level:
            stretches[-1][1] = position + 1
        else:
            stretches.append([position, position + 1, level])
    for threshold in range(max(line_levels, default=0), 0, -1):
        first = 0
        while first < len(stretches):
            last = first
            while last < len(stretches) and stretches[last][2] >= threshold:
                last += 1
            stretches[first:last] = stretches[first:last][::-1]
            first = max(last, first + 1)
    return [(start, end, level % 2 == 1) for start, end, level in stretches]


def edges_apart(text: str, *, rtl: bool) -> list[tuple[int, int]]:
    """A text of one direction as its words, with each space or point at its edges by itself.

    Readers of a PDF turn the letters round, and not what stands beside them.
    """
    start, end = 0, len(text)
    first, last = start, end
    strong = _RIGHT_TO_LEFT if rtl else _LETTER_OR_FIGURE
    while first < last and not strong.match(text[first]):
        first += 1
    while rtl and last > first and not strong.match(text[last - 1]):
        last -= 1
    before, after = [(at, at + 1) for at in range(start, first)], [(at, at + 1) for at in range(last, end)]
    return [*before, *([(first, last)] if first < last else []), *after]


def _keep_numbers_whole(text: str, chars: list[dict[str, object]]) -> None:
    """Dates, telephone and tax numbers (04/03/2026, 123-456-789) run from left to right after Arabic letters too,
    in Latin, Arabic and Persian digits alike.

    The algorithm would set their groups from right to left, which is right for a list and wrong for one number.
    """
    if len(chars) == len(text):
        for match in _INSIDE_NUMBER.finditer(text):
            chars[match.start()]["type"] = chars[match.start() - 1]["type"]


def _pair_brackets(chars: list[dict[str, object]], base: str) -> None:
    """Rule N0, which python-bidi leaves out: both brackets of a pair run as what is between them, or around them."""
    open_ones: list[tuple[str, int]] = []
    pairs = []
    for position, char in enumerate(chars):
        if char["type"] != "ON":
            continue
        if char["ch"] in _BRACKETS:
            open_ones.append((_BRACKETS[str(char["ch"])], position))
        elif char["ch"] in _BRACKETS.values():
            while open_ones:
                closing, opened = open_ones.pop()
                if closing == char["ch"]:
                    pairs.append((opened, position))
                    break
    strong = {"L": "L", "R": "R", "EN": "R", "AN": "R"}
    for opened, closed in sorted(pairs):
        inside = {strong.get(str(char["type"])) for char in chars[opened + 1 : closed]} - {None}
        if not inside:
            continue
        taken = base
        if base not in inside:
            around = (strong.get(str(char["type"])) for char in reversed(chars[:opened]))
            other = "L" if base == "R" else "R"
            taken = other if next((each for each in around if each), base) == other else base
        chars[opened]["type"] = chars[closed]["type"] = taken
