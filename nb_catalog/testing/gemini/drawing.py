"""What the local model draws, and how many tokens it takes for it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from nb_catalog.cards import card, pixels
from nb_catalog.exceptions import RequestRefused
from nb_catalog.testing.pictures import solid_png
from nb_catalog.types import Size

REFERENCE_TOKENS: Final = 1120
THOUGHT_TOKENS: Final = {"": 120, "minimal": 40, "low": 120, "medium": 320, "high": 900}
_END: Final = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


class Drawer:
    """Draws a PNG for each request: of the size that was asked for, and no two alike for two prompts.

    ``picture`` is drawn in place of a plain colour, whatever was asked for; ``at_least`` pads each
    picture to about so many bytes.
    """

    def __init__(self, *, picture: bytes = b"", at_least: int = 0) -> None:
        self._picture = picture
        self._at_least = at_least

    def picture(self, request: Wanted) -> bytes:
        data = self._picture or _plain(request.size, shade=request.shade)
        own = _chunk(b"tEXt", b"Comment\0" + request.digest.encode())
        missing = self._at_least - len(data) - len(own)
        return data.removesuffix(_END) + own + (_padding(missing) if missing > 12 else b"") + _END


class Wanted:
    """A generateContent body, read for what decides the answer. Nothing is checked here."""

    def __init__(self, body: Mapping[str, Any], *, model: str) -> None:
        self.model = model
        config = field_of(body, "generationConfig") or {}
        options = field_of(config, "imageConfig") or (
            (field_of(config, "responseFormat") or {}).get("image") or {}
        )
        parts = [part for content in body.get("contents", ()) for part in content.get("parts", ())]
        self.words = "".join(part.get("text", "") for part in parts)
        self.references = sum(1 for part in parts if field_of(part, "inlineData"))
        self.ratio = str(field_of(options, "aspectRatio") or "1:1")
        self.size_name = str(field_of(options, "imageSize") or "1K")
        thinking = field_of(config, "thinkingConfig") or {}
        self.thinking = str(field_of(thinking, "thinkingLevel") or "").lower()
        system = field_of(body, "systemInstruction") or {}
        self.system = "".join(part.get("text", "") for part in system.get("parts", ()))
        self.digest = sha256(self.words.encode()).hexdigest()

    @property
    def size(self) -> Size:
        return pixels(self.ratio, self.size_name)

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


def field_of(value: Mapping[str, Any], name: str) -> Any:
    """``name`` in camel case, as Google writes it, or in snake case, as the SDK does here and there."""
    snake = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
    return value.get(name, value.get(snake))


def _image_tokens(model: str, size: str) -> int:
    try:
        return card(model).image_tokens.get(size, REFERENCE_TOKENS)
    except RequestRefused:
        return REFERENCE_TOKENS


@lru_cache(maxsize=256)
def _plain(size: Size, *, shade: int) -> bytes:
    red, green, blue = shade & 3, shade >> 2 & 3, shade >> 4 & 3
    return solid_png(size, colour=(60 + red * 60, 60 + green * 60, 60 + blue * 60))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=8)
def _padding(length: int) -> bytes:
    # A private, ancillary chunk that is safe to copy: every decoder passes it over.
    return _chunk(b"npAd", bytes(length - 12))
