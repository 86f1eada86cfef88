"""What the local model draws, and how many tokens it takes for it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import count
from typing import Any, Final

from nb_catalog.core.types import Size
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.providers.model_specs import pixel_size, spec_for
from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.pictures import solid_png

# What pictures can be, and how such a file begins.
MIME_TYPES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8"}
REFERENCE_TOKENS: Final = 1120
THOUGHT_TOKENS: Final = {"": 120, "minimal": 40, "low": 120, "medium": 320, "high": 900}
_END: Final = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


class Drawer:
    """Draws a picture for each request: of the size that was asked for, and the same one for the
    same request alone, photos and all.

    ``picture``, a PNG or a JPEG, is drawn in place of a plain colour, whatever was asked for;
    ``at_least`` pads each picture to about so many bytes; ``unique`` says that even the same
    request gets another file each time. ``mime_type`` is what plain pictures are.
    """

    def __init__(
        self,
        *,
        picture: bytes = b"",
        at_least: int = 0,
        mime_type: str = "image/png",
        unique: bool = False,
    ) -> None:
        if mime_type not in MIME_TYPES:
            raise ValueError(f"Pictures are {' or '.join(MIME_TYPES)}, not {mime_type!r}.")
        self.mime_type = _kind_of(picture) if picture else mime_type
        self._picture = picture
        self._at_least = at_least
        self._unique = unique
        self._numbers = count(1)

    def picture(self, request: Wanted, *, own: str = "") -> bytes:
        """The file, with the sha256 of the words in a comment. ``own`` is what makes a unique one
        unique, a running number unless told."""
        name = f"{request.digest} {request.fingerprint}"
        if self._unique:
            name = f"{name} {own or next(self._numbers)}"
        if self.mime_type == "image/jpeg":
            data = self._picture or _plain_jpeg(request.size, shade=request.shade)
            return _noted_in_jpeg(data, name, at_least=self._at_least)
        data = self._picture or _plain(request.size, shade=request.shade)
        return _noted_in_png(data, name, at_least=self._at_least)


class Wanted:
    """A generateContent body, read for what decides the answer. Nothing is refused here, and
    nothing of the body is kept."""

    def __init__(self, body: Mapping[str, Any], *, model: str) -> None:
        body, self.misfits = shapes.read(body, shapes.GENERATE)
        self.model = model
        config = body.get("generationConfig", {})
        options = config.get("imageConfig") or config.get("responseFormat", {}).get("image", {})
        parts = [part for each in body.get("contents", ()) for part in each.get("parts", ())]
        pictures = [part["inlineData"] for part in parts if "inlineData" in part]
        system = body.get("systemInstruction", {}).get("parts", ())
        self.words = "".join(part.get("text", "") for part in parts)
        self.system = "".join(part.get("text", "") for part in system)
        self.references = len(pictures)
        self.ratio = options.get("aspectRatio", "1:1")
        self.size_name = options.get("imageSize", "1K")
        self.thinking = config.get("thinkingConfig", {}).get("thinkingLevel", "").lower()
        self.digest = sha256(self.words.encode()).hexdigest()
        asked = sha256(f"{self.digest} {self.system} {self.ratio} {self.size_name}".encode())
        for each in pictures:
            asked.update(each.get("data", "").encode())
        self.fingerprint = asked.hexdigest()

    @property
    def size(self) -> Size:
        return pixel_size(self.ratio, self.size_name)

    @property
    def shade(self) -> int:
        """One of 64 colours."""
        return int(self.digest[:2], 16) >> 2

    def usage(self) -> dict[str, Any]:
        """Token counts as Google reports them."""
        words = (len(self.words) + len(self.system)) // 4 + 1
        pictures = self.references * REFERENCE_TOKENS
        thoughts = THOUGHT_TOKENS.get(self.thinking, 120)
        image = _image_tokens(self.model, self.size_name)
        prompt = [{"modality": "TEXT", "tokenCount": words}]
        if pictures:
            prompt.append({"modality": "IMAGE", "tokenCount": pictures})
        return {
            "promptTokenCount": words + pictures,
            "candidatesTokenCount": image,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": words + pictures + image + thoughts,
            "promptTokensDetails": prompt,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": image}],
        }


def _image_tokens(model: str, size: str) -> int:
    try:
        return spec_for(model).image_tokens.get(size, REFERENCE_TOKENS)
    except RequestRefused:
        return REFERENCE_TOKENS


@lru_cache(maxsize=256)
def _plain(size: Size, *, shade: int) -> bytes:
    red, green, blue = shade & 3, shade >> 2 & 3, shade >> 4 & 3
    return solid_png(size, colour=(60 + red * 60, 60 + green * 60, 60 + blue * 60))


@lru_cache(maxsize=64)
def _plain_jpeg(size: Size, *, shade: int) -> bytes:
    data = _plain(size, shade=shade)
    photo = open_photo(data, max_bytes=len(data), max_pixels=size.width * size.height)
    return encode(photo, format="jpeg")


def _kind_of(picture: bytes) -> str:
    for mime_type, start in MIME_TYPES.items():
        if picture.startswith(start):
            return mime_type
    raise ValueError("The picture to answer with is neither a PNG nor a JPEG.")


def _noted_in_png(data: bytes, note: str, *, at_least: int) -> bytes:
    own = _chunk(b"tEXt", b"Comment\0" + note.encode())
    missing = at_least - len(data) - len(own)
    return data.removesuffix(_END) + own + (_padding(missing) if missing > 12 else b"") + _END


def _noted_in_jpeg(data: bytes, note: str, *, at_least: int) -> bytes:
    own = _comment(note.encode())
    missing = at_least - len(data) - len(own)
    return data[:2] + own + _jpeg_padding(max(0, missing)) + data[2:]


def _comment(content: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(content) + 2) + content


@lru_cache(maxsize=8)
def _jpeg_padding(length: int) -> bytes:
    # A segment holds 65,533 bytes at most.
    whole, rest = divmod(length, 2**16)
    return _comment(bytes(2**16 - 4)) * whole + (_comment(bytes(rest - 4)) if rest > 4 else b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=8)
def _padding(length: int) -> bytes:
    # A private, ancillary chunk that is safe to copy: every decoder passes it over.
    return _chunk(b"npAd", bytes(length - 12))
