"""The document's typeface: Noto Sans, embedded, for Latin, Greek and Cyrillic.

Regular is the file of the ``fontpkg-noto-sans`` package: a variable font, of which ReportLab sees the default instance,
and that is Regular. Bold is no file of the package (asked for it, it gives the same variable one), so a static instance
made from it lies in ``fonts/``; the README there says how. Scripts that Noto Sans lacks come in here, as further
typefaces, with ``typeset.paragraph`` choosing among them run by run.
"""

from functools import cache
from pathlib import Path

REGULAR = "DocumentSans"
BOLD = "DocumentSans-Bold"

_BOLD_FILE = Path(__file__).parent / "fonts" / "NotoSans-Bold.ttf"


@cache
def register() -> None:
    """Make ``REGULAR`` and ``BOLD`` known to ReportLab; reads the files at the first call of the process only.

    Raises ``fontpkg.FamilyNotInstalled`` without the font's package.
    """
    import fontpkg  # type: ignore[import-untyped]
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    # Otherwise each document would embed all of ASCII, used or not.
    pdfmetrics.registerFont(TTFont(REGULAR, str(fontpkg.path("Noto Sans")), asciiReadable=False))
    pdfmetrics.registerFont(TTFont(BOLD, str(_BOLD_FILE), asciiReadable=False))
    for italic in (0, 1):
        addMapping(REGULAR, 0, italic, REGULAR)
        addMapping(REGULAR, 1, italic, BOLD)
