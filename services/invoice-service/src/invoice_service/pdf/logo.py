"""The organization's logo, scaled into its box. One that cannot be read is left out: no document fails for it."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from invoice_service.pdf import theme

_PIXELS_PER_POINT = 4


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
        from PIL import Image, ImageOps
        from reportlab.lib.utils import ImageReader

        try:
            with Image.open(BytesIO(file), formats=("PNG", "JPEG")) as opened:
                transparent = "A" in opened.getbands() or "transparency" in opened.info
                picture = ImageOps.exif_transpose(opened).convert("RGBA" if transparent else "RGB")
                width, height = picture.size
                picture.thumbnail(
                    (int(theme.LOGO_WIDTH * _PIXELS_PER_POINT), int(theme.LOGO_HEIGHT * _PIXELS_PER_POINT))
                )
        except Exception:
            # Decoders fail in many ways, and none of them is a reason not to have an invoice.
            return None
        scale = min(theme.LOGO_WIDTH / width, theme.LOGO_HEIGHT / height)
        return cls(ImageReader(picture), width * scale, height * scale)
