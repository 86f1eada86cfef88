"""Reference photos for a model: a format that it reads, within its limits, without metadata."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from PIL import Image

from nb_catalog.core.types import PhotoSent, Reference
from nb_catalog.exceptions import PictureTooLarge
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import Facts, examine, open_photo
from nb_catalog.imaging.metadata import SENDABLE, without_metadata

READ_MODES: Final = frozenset({"RGB", "L"})
# Models use no more detail than this: Google counts 1,120 tokens for a picture of any size.
DEFAULT_LONGEST_SIDE: Final = 2048
QUALITY: Final = 95
BACKGROUND: Final = "#ffffff"
# Factor by which a picture is scaled down while it has too many bytes, and how often.
SHRINK_FACTOR: Final = 0.8
MAX_ATTEMPTS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model accepts: MIME types, pixels on the longer side, bytes of the file (None: any)."""

    reads: Collection[str]
    longest_side: int = DEFAULT_LONGEST_SIDE
    most_bytes: int | None = None


def as_reference(
    photo: bytes, *, limits: Limits, max_bytes: int, max_pixels: int
) -> tuple[Reference, PhotoSent]:
    """Return ``photo`` as a model accepts it, and a record of what was changed.

    A photo within the limits keeps its pixels bit for bit, and nothing else, because only the shop
    needs to know where it was taken. Any other is re-encoded as a JPEG. Raises ``PictureError``.
    """
    facts = examine(photo, max_bytes=max_bytes, max_pixels=max_pixels, decode=False)
    changes = list(_required_changes(photo, facts, limits=limits))
    mime_type, size, data = facts.mime_type, (facts.width, facts.height), b""
    if not changes:
        examine(photo, max_bytes=max_bytes, max_pixels=max_pixels)
        try:
            data = without_metadata(photo, mime_type=mime_type)
        except ValueError:
            changes = ["encoded_again"]
        else:
            changes = [] if data is photo else ["metadata_removed"]
    if not data:
        image = open_photo(
            photo, longest_side=limits.longest_side, max_bytes=max_bytes, max_pixels=max_pixels
        )
        data, size = _encode_within(limits, image=flatten(image, background=BACKGROUND))
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


def _required_changes(photo: bytes, facts: Facts, *, limits: Limits) -> Iterator[str]:
    """Yield codes of what must be changed before the photo can be sent."""
    if facts.mime_type not in limits.reads or facts.mime_type not in SENDABLE:
        # Gemini accepts HEIC, but the colour space in which it reads it is undocumented; and of types
        # that are not stripped here, nobody knows what would leave with them.
        yield f"from_{facts.mime_type.removeprefix('image/')}"
    if facts.frames > 1:
        yield "first_frame"
    if not facts.upright:
        # No provider documents that its models respect EXIF orientation.
        yield "turned"
    if facts.has_alpha:
        yield "flattened"
    if facts.mode == "CMYK":
        yield "from_cmyk"
    elif facts.bits > 8 or facts.mode.startswith(("I", "F")):
        yield "to_8_bit"
    elif facts.mode not in READ_MODES and not facts.has_alpha:
        yield "to_rgb"
    if not facts.is_srgb:
        # Models ignore profiles and what else states another colour space.
        yield "to_srgb"
    if max(facts.width, facts.height) > limits.longest_side or (
        limits.most_bytes is not None and len(photo) > limits.most_bytes
    ):
        yield "downscaled"


def _encode_within(limits: Limits, *, image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """Return ``image`` as a JPEG within ``limits``, and its size in pixels."""
    side = limits.longest_side
    for _ in range(MAX_ATTEMPTS):
        if max(image.size) > side:
            scale = side / max(image.size)
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        data = encode(image, format="jpeg", quality=QUALITY, full_chroma=True)
        if limits.most_bytes is None or len(data) <= limits.most_bytes:
            return data, image.size
        side = int(max(image.size) * SHRINK_FACTOR)
    raise PictureTooLarge(
        f"The photo could not be compressed to {limits.most_bytes:,} bytes, the most that the model "
        "accepts. Upload another one."
    )
