"""Logos: which images are taken, and keeping them, no larger than they are printed."""

import asyncio
import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass

from PIL import Image
from servicekit.errors import Invalid, invalid_field
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.organizations.models import organization_logos
from invoice_service.pdf.logo import PIXELS, to_print, upright_size

MAX_BYTES = 500_000
MAX_PIXELS_A_SIDE = 4000
FORMATS = {"image/png": ("PNG",), "image/jpeg": ("JPEG", "MPO")}
"""Content type → what Pillow calls it; cameras write several pictures in one JPEG file, which it calls MPO."""

_DATA_URI = re.compile(r"^data:(image/png|image/jpeg);base64,", re.ASCII)


@dataclass(frozen=True)
class Logo:
    """An image that can be shown and printed."""

    content_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


async def read(data_uri: str) -> Logo:
    """The image that a data URI (RFC 2397) holds, decoded once to see that all of it is there. Raises `Invalid`.

    One larger than it is printed is made smaller here, once, and not for each document. Takes up to a second, so no
    session should be open.
    """
    match = _DATA_URI.match(data_uri)
    if match is None:
        raise invalid_field("logo", "must be a data URI: data:image/png;base64,… or data:image/jpeg;base64,…")
    encoded = data_uri[match.end() :]
    if len(encoded) > (MAX_BYTES + 2) // 3 * 4:
        raise _too_large()
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise invalid_field("logo", "is not valid base64 (RFC 4648, with padding and without line breaks)") from None
    if len(content) > MAX_BYTES:
        raise _too_large()
    content_type = match.group(1)
    # A large image takes a while: not on the event loop.
    return await asyncio.to_thread(_to_keep, content_type, content)


def _to_keep(content_type: str, content: bytes) -> Logo:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as image:
            found, (width, height) = image.format, image.size
            # Before the pixels are read: a small file can claim to hold very many.
            if max(width, height) > MAX_PIXELS_A_SIDE:
                side = MAX_PIXELS_A_SIDE
                raise invalid_field("logo", f"must be at most {side} x {side} pixels, not {width} x {height}")
            width, height = upright_size(image)
            fits = width <= PIXELS[0] and height <= PIXELS[1]
            kept = _decoded(image, content) if fits else _smaller(image)
    except Invalid:
        raise
    except Exception:
        # Decoders fail in many ways, and all of them say the same of the image.
        raise invalid_field("logo", "is damaged, or no PNG or JPEG image") from None
    if found not in FORMATS[content_type]:
        raise invalid_field("logo", f"says {content_type}, but is {found}")
    return Logo(content_type, kept)


def _decoded(image: Image.Image, content: bytes) -> bytes:
    image.load()
    return content


def _smaller(image: Image.Image) -> bytes:
    target = io.BytesIO()
    # Its colour profile may be for other channels than those that are kept.
    to_print(image).save(target, "PNG" if image.format == "PNG" else "JPEG", quality=95, icc_profile=None)
    return target.getvalue()


def _too_large() -> Invalid:
    return invalid_field("logo", f"must have at most {MAX_BYTES:,} bytes; make the image smaller")


async def keep(session: AsyncSession, organization_id: str, logo: Logo | None) -> None:
    """Let this be the organization's logo; None takes it away."""
    await session.execute(delete(organization_logos).where(organization_logos.c.organization_id == organization_id))
    if logo is not None:
        await session.execute(
            insert(organization_logos).values(
                organization_id=organization_id,
                content_type=logo.content_type,
                content=logo.content,
            )
        )
