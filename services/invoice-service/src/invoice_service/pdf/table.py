"""A table over as many pages as it takes: its header on each, and what the rows come to carried from page to page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invoice_service.pdf import theme
from invoice_service.pdf.flow import Block, Flow, Setting, Sheet, baseline, label
from invoice_service.pdf.pen import Align, Pen
from invoice_service.pdf.shaping import width
from invoice_service.pdf.theme import Style
from invoice_service.pdf.wrapping import Line, single

PAD = 7.0
_ABOVE, _BELOW = 5.0, 5.5
_HEAD_HEIGHT, _CARRIED_HEIGHT = 21.0, 19.0
# A row is divided between pages only if so much of it can stay behind.
_LEAST_PART = 60.0


@dataclass(frozen=True, slots=True)
class Column:
    """``x`` and ``room`` include the padding; numbers stand to the right in every language."""

    heading: str
    x: float
    room: float
    align: Align


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a line or two beside one text of any length (in the column ``main``).

    ``carried`` is what the rows down to this one come to, as it is carried to the next page.
    """

    cells: tuple[tuple[Setting, ...], ...]
    main: tuple[Setting, ...]
    carried: str


class LongTable:
    """Sets rows into a flow. Carried sums stand in the last column."""

    def __init__(self, sheet: Sheet, columns: Sequence[Column]) -> None:
        self._sheet, self._columns = sheet, columns
        self._head = Block(_HEAD_HEIGHT, self._draw_head)

    def fill(self, flow: Flow, rows: Iterable[Row]) -> None:
        """Place the header and all rows; without rows the header alone."""
        if flow.left < _HEAD_HEIGHT + _LEAST_PART:
            flow.new_page()
        flow.place(self._head)
        carried = ""
        waiting: Row | None = None
        for row in rows:
            if waiting:
                carried = self._set(flow, waiting, carried, last=False)
            waiting = row
        if waiting:
            self._set(flow, waiting, carried, last=True)

    def _set(self, flow: Flow, row: Row, carried: str, *, last: bool) -> str:
        """Place a row, divided between pages if it must be; gives what is carried after it."""
        reserve = 0.0 if last else _CARRIED_HEIGHT
        pending = _lines(row.main)
        cells: tuple[tuple[Setting, ...], ...] = row.cells
        while True:
            height = _row_height(cells, pending)
            if height + reserve <= flow.left:
                flow.place(self._part(cells, pending, height, closed=True))
                return row.carried
            room = flow.left - _CARRIED_HEIGHT - _ABOVE - _BELOW
            fits = _fitting(pending, room)
            divided = fits >= 2 and room >= _LEAST_PART and _cells_height(cells) <= room
            # A row that fits a whole page is not divided.
            if divided and (height > self._page_room() or not cells):
                part, pending = pending[:fits], pending[fits:]
                flow.place(self._part(cells, part, _row_height(cells, part), closed=False))
                carried = row.carried if cells else carried
                cells = ()
            self._turn(flow, carried)

    def _turn(self, flow: Flow, carried: str) -> None:
        words = self._sheet.language
        if carried:
            flow.place(self._carry(words["carried_forward"], carried))
        flow.new_page()
        flow.place(self._head)
        if carried:
            flow.place(self._carry(words["brought_forward"], carried))

    def _page_room(self) -> float:
        return self._sheet.height - theme.MARGIN - theme.FOOT - _HEAD_HEIGHT - 2 * _CARRIED_HEIGHT

    def _part(
        self, cells: tuple[tuple[Setting, ...], ...], lines: list[tuple[Line, Setting]], height: float, *, closed: bool
    ) -> Block:
        def draw(pen: Pen, top: float) -> None:
            # In the order of reading: the first cell, the text, the figures.
            _draw_cells(pen, cells[:1], top - _ABOVE)
            at = top - _ABOVE
            for line, column in lines:
                pen.line(line, column.style, column.x, baseline(at, column.style), column.room, column.align)
                at -= column.style.leading
            _draw_cells(pen, cells[1:], top - _ABOVE)
            if closed:
                pen.rule(theme.MARGIN, top - height, self._sheet.room, theme.RULE)

        return Block(height, draw)

    def _draw_head(self, pen: Pen, top: float) -> None:
        pen.box(theme.MARGIN, top - _HEAD_HEIGHT, self._sheet.room, _HEAD_HEIGHT, theme.ACCENT)
        for column in self._columns:
            heading = label(column.heading, theme.HEAD, column.x + PAD, column.room - 2 * PAD + 0.5, column.align)
            heading.draw(pen, top - (_HEAD_HEIGHT - theme.HEAD.leading) / 2)

    def _carry(self, words: str, amount: str) -> Block:
        last = self._columns[-1]

        def draw(pen: Pen, top: float) -> None:
            pen.box(theme.MARGIN, top - _CARRIED_HEIGHT, self._sheet.room, _CARRIED_HEIGHT, theme.TINT)
            at = top - (_CARRIED_HEIGHT - theme.CARRIED.leading) / 2
            room = last.x - theme.MARGIN - PAD
            label(words, theme.CARRIED, theme.MARGIN, room, "end").draw(pen, at)
            label(amount, theme.CARRIED, last.x, last.room - PAD, "right").draw(pen, at)

        return Block(_CARRIED_HEIGHT, draw)


def number_column(heading: str, values: Iterable[str], least: float, style: Style = theme.CELL) -> tuple[str, float]:
    """The heading and the room of a column as wide as its widest number."""
    widest = max((width(value, style.bold) * style.size for value in values), default=0.0)
    head = width(heading, True) * theme.HEAD.size
    return heading, max(widest / 1000, head / 1000, least) + 2 * PAD


def cell(text: str, column: Column, style: Style = theme.CELL) -> Setting:
    """One line in a column."""
    room = column.room - 2 * PAD + 0.5
    return Setting([single(text, style, room)], style, column.x + PAD, room, column.align)


def places(headed: Sequence[tuple[str, float]], main: int, sheet: Sheet, numbers_from: int) -> list[Column]:
    """Columns side by side; the one at ``main`` has the room that the others leave."""
    taken = sum(room for position, (_, room) in enumerate(headed) if position != main)
    columns, x = [], theme.MARGIN
    for position, (heading, room) in enumerate(headed):
        wide = sheet.room - taken if position == main else room
        columns.append(Column(heading, x, wide, "right" if position >= numbers_from else "start"))
        x += wide
    return columns


def _draw_cells(pen: Pen, cells: tuple[tuple[Setting, ...], ...], top: float) -> None:
    for cell in cells:
        at = top
        for part in cell:
            part.draw(pen, at)
            at -= part.height


def _lines(settings: tuple[Setting, ...]) -> list[tuple[Line, Setting]]:
    return [(line, each) for each in settings for line in each.lines]


def _cells_height(cells: tuple[tuple[Setting, ...], ...]) -> float:
    return max((sum(part.height for part in cell) for cell in cells), default=0.0)


def _row_height(cells: tuple[tuple[Setting, ...], ...], lines: list[tuple[Line, Setting]]) -> float:
    return max(_cells_height(cells), sum(column.style.leading for _, column in lines)) + _ABOVE + _BELOW


def _fitting(lines: list[tuple[Line, Setting]], room: float) -> int:
    """How many lines fit, of which at least one is left for the next page."""
    for count, (_, column) in enumerate(lines):
        room -= column.style.leading
        if room < 0:
            return count
    return len(lines) - 1
