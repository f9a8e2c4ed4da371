"""Blocks set one below the other, on as many sheets as it takes.

First everything gets its place, then it is drawn: only then the number of pages, which each page names, is known. What
is kept between the two is the text in lines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from invoice_service.pdf import theme
from invoice_service.pdf.document import Printable
from invoice_service.pdf.languages import Language, language
from invoice_service.pdf.pen import Align, Pen
from invoice_service.pdf.theme import Style
from invoice_service.pdf.wrapping import Line, single, wrap

# The middle of capitals is this part of the size above the baseline.
_MIDDLE = 0.357


@dataclass(frozen=True, slots=True)
class Sheet:
    """The paper of a document and the language on it; in points."""

    width: float
    height: float
    language: Language

    @classmethod
    def of(cls, printable: Printable) -> "Sheet":
        width, height = theme.SHEETS[printable.paper]
        return cls(width, height, language(printable.language))

    @property
    def room(self) -> float:
        """The width between the margins."""
        return self.width - 2 * theme.MARGIN


@dataclass(frozen=True, slots=True)
class Block:
    """Something of a known height that is never divided; ``draw`` is told where its upper edge is."""

    height: float
    draw: Callable[[Pen, float], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """Lines of one style in a column from ``x``, ``room`` wide."""

    lines: Sequence[Line]
    style: Style
    x: float
    room: float
    align: Align = "start"

    @property
    def height(self) -> float:
        return len(self.lines) * self.style.leading

    def draw(self, pen: Pen, top: float) -> None:
        for line in self.lines:
            pen.line(line, self.style, self.x, baseline(top, self.style), self.room, self.align)
            top -= self.style.leading


def baseline(top: float, style: Style) -> float:
    """Where letters stand in a line whose upper edge is ``top``."""
    return top - style.leading / 2 - style.size * _MIDDLE


def setting(text: str, style: Style, x: float, room: float, align: Align = "start") -> Setting:
    """The text wrapped in its column."""
    return Setting(wrap(text, style, room), style, x, room, align)


def label(text: str, style: Style, x: float, room: float, align: Align = "start") -> Setting:
    """The text on one line in its column, cut where it must be."""
    return Setting([single(text, style, room)], style, x, room, align)


def stack(*parts: Setting | Block | float) -> Block:
    """Parts one below the other as one block; a number is a gap."""

    def draw(pen: Pen, top: float) -> None:
        for part in parts:
            if isinstance(part, float):
                top -= part
            else:
                part.draw(pen, top)
                top -= part.height

    return Block(sum(part if isinstance(part, float) else part.height for part in parts), draw)


def beside(*blocks: Block | Setting) -> Block:
    """Blocks with a common upper edge."""

    def draw(pen: Pen, top: float) -> None:
        for block in blocks:
            block.draw(pen, top)

    return Block(max(block.height for block in blocks), draw)


class Flow:
    """Gives each block its place on a page, from the top down."""

    def __init__(self, sheet: Sheet) -> None:
        self.pages: list[list[tuple[float, Block | Setting]]] = [[]]
        self._first = sheet.height - theme.MARGIN
        self._top = self._first

    @property
    def left(self) -> float:
        """The height that is left on this page."""
        return self._top - theme.FOOT

    @property
    def fresh(self) -> bool:
        """Whether nothing stands on this page yet."""
        return not self.pages[-1]

    def place(self, block: Block | Setting) -> None:
        """Put the block below what is there; on a new page if it does not fit on this one."""
        if block.height > self.left and not self.fresh:
            self.new_page()
        self.pages[-1].append((self._top, block))
        self._top -= block.height

    def gap(self, height: float) -> None:
        if not self.fresh:
            self._top -= height

    def new_page(self) -> None:
        self.pages.append([])
        self._top = self._first
