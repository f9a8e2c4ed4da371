"""The fonts inside one PDF: each holds the glyphs that the document uses, and says of each which text it stands for.

A code stands for a glyph *and* its text, so that what is copied out of the PDF is what was typed, whatever form it
took. Composite fonts (ISO 32000-1, 9.7) with two-byte codes; the same glyphs in the same order give the same bytes.
"""

import hashlib
import zlib
from typing import Any

import uharfbuzz as hb  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfdoc

from invoice_service.pdf.typefaces import Family, Typeface, typeface

# Codes are written as UTF-16, in which surrogates have no place.
_MOST_CODES = 0xD7FF
_LAYOUT_TABLES = ("GSUB", "GPOS", "GDEF", "STAT", "MVAR", "cmap", "DSIG", "kern", "gasp")


class EmbeddedFont:
    """A typeface in a document: gives out codes while the pages are drawn, and is written when they are done."""

    def __init__(self, cut: Typeface, resource: str) -> None:
        self.cut, self.resource = cut, resource
        self._codes: dict[tuple[int, str, float], int] = {}
        self.plain = _PlainCodes(self)

    def code(self, glyph: int, text: str, advance: float) -> int:
        """The code of a glyph that stands for a text (or none) and moves the pen, in thousandths of the size."""
        key = (glyph, text, round(advance, 2))
        code = self._codes.get(key)
        if code is None:
            if len(self._codes) == _MOST_CODES:
                return 1
            code = self._codes[key] = len(self._codes) + 1
        return code

    def encoded(self, text: str) -> str:
        """Plain text as a hexadecimal string of codes, a glyph for each character."""
        return text.translate(self.plain).encode("utf-16-be").hex()

    def addObjects(self, document: Any) -> None:
        """Write the font's objects; ReportLab calls it when the pages are done."""
        plan, program = self._subset()
        name = pdfdoc.PDFName(f"{_tag(program)}+{self.cut.name}")
        dictionary = pdfdoc.PDFDictionary
        descendant = dictionary(
            {
                "Type": pdfdoc.PDFName("Font"),
                "Subtype": pdfdoc.PDFName("CIDFontType2"),
                "BaseFont": name,
                "CIDSystemInfo": dictionary(
                    {
                        "Registry": pdfdoc.PDFString("Adobe"),
                        "Ordering": pdfdoc.PDFString("Identity"),
                        "Supplement": 0,
                    }
                ),
                "FontDescriptor": document.Reference(self._descriptor(document, name, program)),
                "DW": 0,
                "W": f"[1 [{' '.join(f'{advance:g}' for _, _, advance in self._codes)}]]",
                "CIDToGIDMap": document.Reference(
                    compressed(b"\0\0" + b"".join(plan[glyph].to_bytes(2, "big") for glyph, _, _ in self._codes))
                ),
            }
        )
        font = dictionary(
            {
                "Type": pdfdoc.PDFName("Font"),
                "Subtype": pdfdoc.PDFName("Type0"),
                "BaseFont": name,
                "Encoding": pdfdoc.PDFName("Identity-H"),
                "DescendantFonts": pdfdoc.PDFArray([document.Reference(descendant)]),
                "ToUnicode": document.Reference(compressed(self._to_unicode())),
            }
        )
        document.idToObject["BasicFonts"].dict[self.resource] = document.Reference(font)

    def _subset(self) -> tuple[dict[int, int], bytes]:
        """Old glyph → new glyph, and the font file with these alone, at its weight."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.update({glyph for glyph, _, _ in self._codes})
        wanted.drop_table_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in _LAYOUT_TABLES)
        wanted.name_id_set.clear()
        wanted.name_id_set.update((1, 2, 6))
        wanted.flags = hb.SubsetFlags.NO_HINTING
        if self.cut.weight:
            wanted.pin_all_axes_to_default(self.cut.face)
            wanted.pin_axis_location(self.cut.face, "wght", self.cut.weight)
        plan = hb.SubsetPlan(self.cut.face, wanted)
        return dict(plan.old_to_new_glyph_mapping.items()), bytes(plan.execute().blob.data)

    def _descriptor(self, document: Any, name: Any, program: bytes) -> Any:
        scale, extents = self.cut.per_mille, self.cut.font.get_font_extents("ltr")
        file = compressed(program)
        file.dictionary.dict["Length1"] = len(program)
        return pdfdoc.PDFDictionary(
            {
                "Type": pdfdoc.PDFName("FontDescriptor"),
                "FontName": name,
                "Flags": 4,  # symbolic: its codes are its own
                "FontBBox": pdfdoc.PDFArray(
                    [-1000, round(extents.descender * scale), 2000, round(extents.ascender * scale)]
                ),
                "ItalicAngle": 0,
                "Ascent": round(extents.ascender * scale),
                "Descent": round(extents.descender * scale),
                "CapHeight": 714,
                "StemV": 140 if self.cut.weight == 700 else 80,
                "FontFile2": document.Reference(file),
            }
        )

    def _to_unicode(self) -> bytes:
        rows = [f"<{code:04x}> <{text.encode('utf-16-be').hex()}>" for (_, text, _), code in self._codes.items()]
        blocks = [rows[first : first + 100] for first in range(0, len(rows), 100)]
        mappings = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
            f"{mappings}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode()


class _PlainCodes(dict[int, int]):
    """Character → code, for ``str.translate``: the glyph that the font has for the character by itself."""

    def __init__(self, font: EmbeddedFont) -> None:
        super().__init__()
        self._font = font

    def __missing__(self, char: int) -> int:
        cut = self._font.cut
        code = self[char] = self._font.code(cut.glyph(chr(char)), chr(char), cut.advances[char])
        return code


class EmbeddedFonts:
    """The fonts of one document, in the order of their first use."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._fonts: dict[tuple[Family, bool], EmbeddedFont] = {}

    def __call__(self, family: Family, bold: bool) -> EmbeddedFont:
        font = self._fonts.get((family, bold))
        if font is None:
            font = self._fonts[family, bold] = EmbeddedFont(typeface(family, bold), f"T{len(self._fonts) + 1}")
            self._document.delayedFonts.append(font)
        return font


def compressed(content: bytes) -> Any:
    """A stream of a PDF, compressed at once, so that a long document is never in memory at its full length."""
    deflated = pdfdoc.PDFDictionary({"Filter": pdfdoc.PDFName("FlateDecode")})
    return pdfdoc.PDFStream(deflated, zlib.compress(content))


def _tag(program: bytes) -> str:
    """Six letters that tell this subset from others (ISO 32000-1, 9.6.4)."""
    return "".join(chr(65 + byte % 26) for byte in hashlib.sha256(program).digest()[:6])
