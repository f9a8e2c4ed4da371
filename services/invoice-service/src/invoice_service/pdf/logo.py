"""The organization's logo, scaled into its box. One that cannot be read is left out: no document fails for it."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from invoice_service.pdf import theme

if TYPE_CHECKING:
    from PIL import Image

_PIXELS_PER_POINT = 4
PIXELS = (int(theme.LOGO_WIDTH * _PIXELS_PER_POINT), int(theme.LOGO_HEIGHT * _PIXELS_PER_POINT))
"""The box of a logo as fine as printers print."""
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture and its size in points, in its own proportions."""

    image: Any
    width: float
    height: float

    @classmethod
    def read(cls, file: bytes | None) -> "Logo | None":
        """From a PNG or JPEG file; made no finer than printers print, so that no document is as large as a poster."""
        if not file:
            return None
        from PIL import Image
        from reportlab.lib.utils import ImageReader

        try:
            with Image.open(BytesIO(file), formats=("PNG", "JPEG")) as opened:
                width, height = upright_size(opened)
                picture = to_print(opened)
        except Exception:
            # Decoders fail in many ways, and none of them is a reason not to have an invoice.
            return None
        scale = min(theme.LOGO_WIDTH / width, theme.LOGO_HEIGHT / height)
        return cls(ImageReader(picture), width * scale, height * scale)


def upright_size(opened: "Image.Image") -> tuple[int, int]:
    """Width and height in pixels as it is shown: cameras note the turn, and leave the picture lying."""
    width, height = opened.size
    return (height, width) if _lies(opened) else (width, height)


def to_print(opened: "Image.Image") -> "Image.Image":
    """The picture upright, in RGB or RGBA, and no larger than ``PIXELS``. Raises what Pillow raises of a broken one.

    Made smaller before it is copied: 4000 x 4000 pixels take 64 MB in each copy.
    """
    from PIL import ImageOps

    mode = "RGBA" if "A" in opened.getbands() or "transparency" in opened.info else "RGB"
    box = PIXELS[::-1] if _lies(opened) else PIXELS
    picture = opened
    if opened.mode.startswith("I"):  # grey in 16 bits, of which Pillow by itself would leave white
        picture = opened.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif opened.mode in ("1", "P") or "transparency" in opened.info:
        # Indexes of a palette, and a colour that stands for none, cannot be mixed.
        picture = opened.convert(mode)
    # Of a JPEG this decodes no more pixels than it needs.
    picture.thumbnail(box)
    return ImageOps.exif_transpose(picture).convert(mode)


def _lies(opened: "Image.Image") -> bool:
    return bool(opened.getexif().get(_ORIENTATION, 1) >= 5)
