"""What draws on a sheet: lines of text in any script, rules, filled boxes.

Places are in points from the sheet's left lower corner. On a mirrored sheet (of a language written from right to left)
everything is given as if it were not: the pen turns boxes over, and "start" and "end" with them. Left and right in
``align`` stay left and right.
"""

from dataclasses import replace
from typing import Any, Literal

from reportlab.pdfgen.canvas import Canvas

from invoice_service.pdf import bidi
from invoice_service.pdf.embedding import EmbeddedFont, EmbeddedFonts
from invoice_service.pdf.shaping import SANS_ONLY, Cluster, Run, run_width, runs, shape
from invoice_service.pdf.theme import Style
from invoice_service.pdf.typefaces import SANS
from invoice_service.pdf.wrapping import Line

Align = Literal["start", "end", "left", "right"]


class Pen:
    """Draws on the current page of a canvas."""

    def __init__(self, canvas: Canvas, fonts: EmbeddedFonts, sheet_width: float, *, mirrored: bool) -> None:
        self.canvas, self.mirrored = canvas, mirrored
        self._fonts, self._sheet_width = fonts, sheet_width
        self._ink: Any = None
        self._outline: Any = None
        self._silent: list[tuple[EmbeddedFont, str, Style, float, float]] = []

    def line(
        self, line: Line, style: Style, x: float, y: float, room: float, align: Align = "start", spacing: float = 0
    ) -> None:
        """The line on the baseline ``y`` in the box from ``x``, ``room`` wide; ``spacing`` points between letters."""
        if not line.text:
            return
        left = self._sheet_width - x - room if self.mirrored else x
        flush_right = align == "right" or align == ("start" if self.mirrored else "end")
        left += max(0.0, room - line.width) if flush_right else 0.0
        self._fill(style.color)
        if SANS_ONLY.fullmatch(line.text):
            self._plain(self._fonts(SANS, style.bold), line.text, style, left, y, spacing)
        else:
            self._stretches(line, style, left, y)

    def box(self, x: float, y: float, width: float, height: float, color: Any) -> None:
        """A filled box."""
        self._fill(color)
        self.canvas.rect(self._left(x, width), y, width, height, stroke=0, fill=1)

    def frame(self, x: float, y: float, width: float, height: float, color: Any, radius: float) -> None:
        """The outline of a box."""
        self._stroke(color, 0.9)
        self.canvas.roundRect(self._left(x, width), y, width, height, radius, stroke=1, fill=0)

    def rule(self, x: float, y: float, width: float, color: Any, thickness: float = 0.5) -> None:
        left = self._left(x, width)
        self._stroke(color, thickness)
        self.canvas.line(left, y, left + width, y)

    def image(self, image: Any, x: float, y: float, width: float, height: float) -> None:
        self.canvas.drawImage(image, self._left(x, width), y, width, height, mask="auto")

    def _left(self, x: float, width: float) -> float:
        return self._sheet_width - x - width if self.mirrored else x

    def _plain(self, font: EmbeddedFont, text: str, style: Style, x: float, y: float, spacing: float = 0) -> None:
        apart = f"{spacing:g} Tc " if spacing else ""
        closed = " 0 Tc" if spacing else ""
        codes = f"{apart}<{font.encoded(text)}> Tj{closed}"
        self._show(font, codes, style, x, y)

    def _stretches(self, line: Line, style: Style, left: float, y: float) -> None:
        """Stretches are drawn in the order of reading, each where it stands: so they are read out again."""
        placed: list[tuple[int, float, float, Run]] = []
        for start, end, rtl in bidi.visual(line.levels) if line.levels else [(0, len(line.text), False)]:
            pieces = _pieces(line.text[start:end], start, rtl, line.levels is not None)
            for position, run in pieces[::-1] if rtl else pieces:
                wide = run_width(run, style.bold) * style.size / 1000
                placed.append((position, left, wide, run))
                left += wide
        ended = left
        for _, x, wide, run in sorted(placed, key=lambda piece: piece[0]):
            font = self._fonts(run.family, style.bold)
            if x > ended + 1 and run.text.startswith(" "):
                # A reader takes a leap to the right for a space, unless one stands before the leap.
                self._plain(font, " ", style, ended, y)
                run = replace(run, text=run.text.lstrip(" "))
                x += wide - run_width(run, style.bold) * style.size / 1000
                wide = run_width(run, style.bold) * style.size / 1000
            if run.plain and run.text:
                self._plain(font, run.text, style, x, y)
            elif run.text:
                self._shaped(font, shape(run, style.bold), style, x, y, run.rtl)
            ended = x + wide

    def _shaped(self, font: EmbeddedFont, clusters: list[Cluster], style: Style, x: float, y: float, rtl: bool) -> None:
        """Clusters side by side; what is no text by itself (marks, dots) waits for the end of the page."""
        scale = style.size / 1000
        shown: list[str] = []
        place = 0.0
        for cluster in clusters:
            first, codes = cluster.first, _codes(font, cluster, rtl)
            if first.right or first.up:
                aside, back = f"{-first.right:.2f}", f"{first.right:.2f}"
                codes = f">] TJ {first.up * scale:.3f} Ts [{aside} <{codes}> {back}] TJ 0 Ts [<"
            shown.append(codes)
            for other in cluster.others:
                silent = f"<{font.code(other.glyph, '', 0.0):04x}> Tj"
                self._silent.append((font, silent, style, x + (place + other.right) * scale, y + other.up * scale))
            place += cluster.advance
        self._show(font, f"[<{''.join(shown)}>] TJ", style, x, y)

    def end_page(self) -> None:
        """Draw what says nothing, from top right to bottom left: readers of the file then find no gaps to fill."""
        if self._silent:
            self.canvas.drawText(_Operators("/Artifact BMC"))
            for font, operators, style, x, y in sorted(self._silent, key=lambda each: (-each[4], -each[3])):
                self._fill(style.color)
                self._show(font, operators, style, x, y)
            self.canvas.drawText(_Operators("EMC"))
            self._silent.clear()
        self.canvas.showPage()
        self._ink = self._outline = None

    def _fill(self, color: Any) -> None:
        if color is not self._ink:
            self.canvas.setFillColor(color)
            self._ink = color

    def _stroke(self, color: Any, thickness: float) -> None:
        if (color, thickness) != self._outline:
            self.canvas.setStrokeColor(color)
            self.canvas.setLineWidth(thickness)
            self._outline = (color, thickness)

    def _show(self, font: EmbeddedFont, operators: str, style: Style, x: float, y: float) -> None:
        outline = ""
        if font.cut.thickened:
            self._stroke(style.color, style.size / 32)
            outline = "2 Tr "
        operators = f"{outline}/{font.resource} {style.size:g} Tf 1 0 0 1 {x:.3f} {y:.3f} Tm {operators}"
        self.canvas.drawText(_Operators(f"BT {operators}{' 0 Tr' if outline else ''} ET"))


class _Operators:
    """Ready-made operators, in the form of a text object of ReportLab's."""

    def __init__(self, code: str) -> None:
        self._code = code

    def getCode(self) -> str:
        return self._code


def _pieces(text: str, start: int, rtl: bool, mixed: bool) -> list[tuple[int, Run]]:
    """A stretch as runs in the order of reading, each with its position; on a line of two directions, edges apart."""
    pieces = []
    for run in runs(text, rtl):
        cuts = bidi.edges_apart(run.text, rtl=rtl) if mixed else [(0, len(run.text))]
        pieces += [(start + first, replace(run, text=run.text[first:last])) for first, last in cuts]
        start += len(run.text)
    return pieces


def _codes(font: EmbeddedFont, cluster: Cluster, rtl: bool) -> str:
    """The codes of a cluster, in hexadecimal digits."""
    text, glyph = cluster.text, cluster.first.glyph
    if len(text) == 1 or not rtl:
        return f"{font.code(glyph, text, cluster.advance):04x}"
    # Readers turn the letters round one by one: each gets its part of the room, and the last one has the glyph.
    part, blank = cluster.advance / len(text), font.cut.glyph(" ")
    others = "".join(f"{font.code(blank, char, part):04x}" for char in text[-2::-1])
    return f"{font.code(glyph, text[-1], part):04x}{others}"
