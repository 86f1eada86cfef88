"""Photos on their way to a model: in a form that it reads, as large as it needs, and no word more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms

from nb_catalog.core.types import PhotoSent, Reference
from nb_catalog.exceptions import PictureTooLarge
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import Facts, examine, open_photo, opener
from nb_catalog.imaging.metadata import without_metadata

READ_MODES: Final = frozenset({"RGB", "L"})
# Models read at most about this much of a picture: Google counts 1,120 tokens for one of any size.
LEAST_SIDE: Final = 2048
QUALITY: Final = 95
GROUND: Final = "#ffffff"
# What a picture is made smaller by when it still has too many bytes.
STEP: Final = 0.8
STEPS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model takes: MIME types, pixels on the longer side, bytes of the file (None: any)."""

    reads: Collection[str]
    longest_side: int = LEAST_SIDE
    most_bytes: int | None = None


def as_reference(
    photo: bytes, *, limits: Limits, max_bytes: int, max_pixels: int
) -> tuple[Reference, PhotoSent]:
    """``photo`` as a model takes it, and what was done to it on the way.

    A photo that can be read is sent bit for bit, less its metadata: nobody but the shop needs to
    know where it was taken. Any other is drawn anew as a JPEG. Raises ``PictureError``.
    """
    facts = examine(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    changes = list(_changes(photo, facts, limits=limits))
    if not changes:
        data, mime_type = without_metadata(photo, mime_type=facts.mime_type), facts.mime_type
        changes = [] if data is photo else ["metadata_removed"]
        size = (facts.width, facts.height)
    else:
        image = flatten(
            open_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels), background=GROUND
        )
        data, size = _drawn(image, limits=limits)
        mime_type = "image/jpeg"
        if size != (facts.width, facts.height) and "downscaled" not in changes:
            changes.append("downscaled")
    sent = PhotoSent(
        mime_type=mime_type,
        width=size[0],
        height=size[1],
        byte_size=len(data),
        sha256=sha256(data).hexdigest(),
        changes=tuple(changes),
    )
    return Reference(data=data, mime_type=mime_type), sent


def _changes(photo: bytes, facts: Facts, *, limits: Limits) -> Iterator[str]:
    """Codes of what must be done to the pixels before the photo can go."""
    if facts.mime_type not in limits.reads or facts.mime_type == "image/heic":
        # HEIC is on Google's list, and comes out of it in no colour space that one could rely on.
        yield f"from_{facts.mime_type.removeprefix('image/')}"
    if facts.frames > 1:
        yield "first_frame"
    if not facts.upright:
        # Nobody documents that a model heeds EXIF: what stands sideways in the file is turned.
        yield "turned"
    if facts.has_alpha:
        yield "flattened"
    if facts.mode == "CMYK":
        yield "from_cmyk"
    elif facts.mode.startswith(("I", "F")):
        yield "to_8_bit"
    elif facts.mode not in READ_MODES and not facts.has_alpha:
        yield "to_rgb"
    if facts.mode != "CMYK" and _has_another_profile(photo, mime_type=facts.mime_type):
        yield "to_srgb"
    if max(facts.width, facts.height) > limits.longest_side or (
        limits.most_bytes is not None and len(photo) > limits.most_bytes
    ):
        yield "downscaled"


def _has_another_profile(photo: bytes, *, mime_type: str) -> bool:
    """Whether the colours are meant in another space than sRGB, which a model would not know."""
    with opener(mime_type)(BytesIO(photo)) as image:
        profile = image.info.get("icc_profile")
    if not profile:
        return False
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    return "srgb" not in name.lower()


def _drawn(image: Image.Image, *, limits: Limits) -> tuple[bytes, tuple[int, int]]:
    """A JPEG within ``limits``, and its size in pixels."""
    side = limits.longest_side
    for _step in range(STEPS):
        if max(image.size) > side:
            image = _scaled(image, side=side)
        data = encode(image, format="jpeg", quality=QUALITY, full_chroma=True)
        if limits.most_bytes is None or len(data) <= limits.most_bytes:
            return data, image.size
        side = int(max(image.size) * STEP)
    raise PictureTooLarge(
        f"The photo cannot be made smaller than {limits.most_bytes:,} bytes, which is what the "
        "model takes. Upload another one."
    )


def _scaled(image: Image.Image, *, side: int) -> Image.Image:
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
