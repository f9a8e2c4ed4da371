"""The fonts: Noto Sans for most of the world's writing, and a fallback for each script that it lacks.

A family is asked in the order below whether it has a character. Bold is a cut of the family where there is one (a
variable font is set to weight 700), and otherwise its outlines drawn thicker. ``fonts/README.md`` says whence they are.
Nothing is read before a document needs it; then the file is mapped, not loaded, and stays so for the process.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import uharfbuzz as hb  # type: ignore[import-untyped]

from invoice_service.pdf.text import REPLACEMENT

_FILES = Path(__file__).parent / "fonts"


@dataclass(frozen=True, slots=True)
class Family:
    """A design in regular and bold: either an installed ``fontpkg`` package or files of this folder."""

    name: str
    package: str = ""
    file: str = ""
    bold_file: str = ""


SANS = Family("NotoSans", package="Noto Sans")
FAMILIES = (
    SANS,
    Family("NotoSansArabic", package="Noto Sans Arabic"),
    Family("NotoSansHebrew", file="NotoSansHebrew-Regular.ttf", bold_file="NotoSansHebrew-Bold.ttf"),
    Family("NotoSansThai", package="Noto Sans Thai"),
    Family("NotoSansDevanagari", package="Noto Sans Devanagari"),
    Family("DroidSansFallback", file="DroidSansFallback.ttf"),
    Family("NotoSansSymbols", file="NotoSansSymbols.ttf"),
    Family("NotoSansSymbolsTwo", file="NotoSansSymbols2.ttf"),
    Family("NotoSansMath", file="NotoSansMath.ttf"),
    Family("DroidSansFallbackRare", file="DroidSansFallback-Rare.ttf"),
)


class _Advances(dict[int, float]):
    """Character → its width in thousandths of the size; asked once for each character."""

    def __init__(self, typeface: "Typeface") -> None:
        super().__init__()
        self._typeface = typeface

    def __missing__(self, char: int) -> float:
        width = self[char] = self._typeface.advance(self._typeface.glyph(chr(char)))
        return width


@dataclass(slots=True, eq=False)
class Typeface:
    """One cut of a family, opened.

    ``weight`` is set on a variable font; ``thickened`` is bold that the file lacks. Font units times ``per_mille`` are
    thousandths of the size.
    """

    name: str
    face: Any
    font: Any
    weight: int | None
    thickened: bool
    per_mille: float = field(init=False)
    advances: dict[int, float] = field(init=False)

    def __post_init__(self) -> None:
        self.per_mille = 1000 / float(self.face.upem)
        self.advances = _Advances(self)

    def glyph(self, char: str) -> int:
        """The glyph of a character; that of the replacement character (not a box) where there is none."""
        return self.font.get_nominal_glyph(ord(char)) or self.font.get_nominal_glyph(ord(REPLACEMENT)) or 0

    def advance(self, glyph: int) -> float:
        return float(self.font.get_glyph_h_advance(glyph)) * self.per_mille


@cache
def typeface(family: Family, bold: bool) -> Typeface:
    """A family's cut; opens the file the first time. Raises ``fontpkg.FamilyNotInstalled`` without its package."""
    if family.package:
        import fontpkg  # type: ignore[import-untyped]

        path = str(fontpkg.path(family.package))
    else:
        path = str(_FILES / ((bold and family.bold_file) or family.file))
    face = hb.Face(hb.Blob.from_file_path(path))
    font = hb.Font(face)
    variable = any(axis.tag == "wght" for axis in face.axis_infos)
    if variable:
        font.set_variations({"wght": 700 if bold else 400})
    return Typeface(
        name=f"{family.name}-{'Bold' if bold else 'Regular'}",
        face=face,
        font=font,
        weight=(700 if bold else 400) if variable else None,
        thickened=bold and not variable and not family.bold_file,
    )


def has_glyph(family: Family, char: str) -> bool:
    return bool(typeface(family, False).font.get_nominal_glyph(ord(char)))


@lru_cache(maxsize=20_000)
def family_of(char: str) -> Family | None:
    """The first family that has the character; None if no font has it."""
    return next((family for family in FAMILIES if has_glyph(family, char)), None)
