"""The local model's pictures and token counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from nb_catalog.testing.pictures import JPEG_SIGNATURE, PNG_SIGNATURE, solid_png, with_comment

SIGNATURES: Final = {"image/png": PNG_SIGNATURE, "image/jpeg": JPEG_SIGNATURE}
REFERENCE_TOKENS: Final = 1120
MAX_PIXELS: Final = 50_000_000
# RGB to RGB, 3 rows of 4: what red, green and blue are made of, and what is added.
_OTHER_LIGHTS: Final = (
    (0.35, 0.05, 0.0, 0, 0.0, 0.4, 0.05, 0, 0.05, 0.1, 0.6, 20),  # at night
    (-0.9, 0.0, 0.0, 245, 0.0, -0.9, 0.0, 245, 0.0, 0.0, -0.9, 245),  # negative
    (0.0, 0.0, 0.9, 0, 0.9, 0.1, 0.0, 30, 0.2, 0.6, 0.0, 60),  # colours exchanged
    (1.0, 0.3, 0.1, 50, 0.2, 0.8, 0.1, 10, 0.0, 0.2, 0.4, 0),  # by candlelight
)
_MIRRORED: Final = 0
"""``Image.Transpose.FLIP_LEFT_RIGHT``; Pillow is not imported here."""
THOUGHT_TOKENS: Final = {"": 120, "minimal": 40, "low": 120, "medium": 320, "high": 900}


class Drawer:
    """Draws a picture of the requested size for each request: the same file for the same request,
    references included, and another file for any other request.

    ``picture`` replaces the plain colour: a PNG or JPEG file, or a function that returns one for a
    ``PictureRequest``, of ``mime_type``; ``at_least`` pads each file to about
    that number of bytes; with ``unique`` even the same request gets another file each time.
    ``mime_type`` is the type of plain pictures.
    """

    def __init__(
        self,
        *,
        picture: bytes | Callable[[PictureRequest], bytes] = b"",
        at_least: int = 0,
        mime_type: str = "image/png",
        unique: bool = False,
    ) -> None:
        if mime_type not in SIGNATURES:
            raise ValueError(f"Pictures are {' or '.join(SIGNATURES)}, not {mime_type!r}.")
        if isinstance(picture, bytes) and picture:
            types = [name for name, start in SIGNATURES.items() if picture.startswith(start)]
            if not types:
                raise ValueError("The given picture is neither a PNG nor a JPEG.")
            mime_type = types[0]
        self.mime_type = mime_type
        self._picture = picture
        self._at_least = at_least
        self._unique = unique
        self._numbers = count(1)

    def picture(self, request: PictureRequest, *, unique_id: str = "") -> bytes:
        """Return a file with the prompt's sha256 in a comment. ``unique_id`` distinguishes unique
        files; by default it is a running number."""
        comment = f"{request.digest} {request.fingerprint}"
        if self._unique:
            comment = f"{comment} {unique_id or next(self._numbers)}"
        draw = _plain_jpeg if self.mime_type == "image/jpeg" else _plain_png
        data = self._picture(request) if callable(self._picture) else self._picture
        data = data or draw(request.size, shade=request.shade)
        return with_comment(data, comment, at_least=self._at_least)


def with_other_look(data: bytes) -> bytes:
    """Return the PNG or JPEG file ``data`` mirrored, in other light and other colours: which ones depends on
    its bytes."""
    photo = open_photo(data, max_bytes=len(data), max_pixels=MAX_PIXELS).convert("RGB")
    light = _OTHER_LIGHTS[sha256(data).digest()[0] % len(_OTHER_LIGHTS)]
    other = photo.convert("RGB", light).transpose(_MIRRORED)  # type: ignore[arg-type]
    return encode(other, format="jpeg" if data.startswith(JPEG_SIGNATURE) else "png")


class PictureRequest:
    """The parts of a generateContent body that decide the response. Does not validate the body and
    keeps no reference to it: ``reference_digests`` are the sha256 of each picture's base64 text, in the order
    in which they were sent."""

    def __init__(self, body: Mapping[str, Any], *, model: str) -> None:
        body, self.misfits = shapes.read(body, shapes.GENERATE)
        self.model = model
        config = body.get("generationConfig", {})
        options = config.get("imageConfig") or config.get("responseFormat", {}).get("image", {})
        parts = [part for each in body.get("contents", ()) for part in each.get("parts", ())]
        pictures = [part["inlineData"] for part in parts if "inlineData" in part]
        system = body.get("systemInstruction", {}).get("parts", ())
        self.prompt = "".join(part.get("text", "") for part in parts)
        self.system = "".join(part.get("text", "") for part in system)
        # Of the base64 text: the order of the references, without their bytes.
        self.reference_digests = tuple(
            sha256(each.get("data", "").encode()).hexdigest() for each in pictures
        )
        # An empty text is an absent one in protocol buffers.
        self.ratio = options.get("aspectRatio") or "1:1"
        self.size_name = options.get("imageSize") or "1K"
        level = str(config.get("thinkingConfig", {}).get("thinkingLevel", "")).lower()
        self.thinking = "" if level == "thinking_level_unspecified" else level
        self.digest = sha256(self.prompt.encode()).hexdigest()
        fingerprint = sha256(f"{self.digest} {self.system} {self.ratio} {self.size_name}".encode())
        for each in self.reference_digests:
            fingerprint.update(each.encode())
        self.fingerprint = fingerprint.hexdigest()

    @property
    def references(self) -> int:
        return len(self.reference_digests)

    @property
    def size(self) -> Size:
        return pixel_size(self.ratio, self.size_name)

    @property
    def shade(self) -> int:
        """The number of one of 64 colours."""
        return int(self.digest[:2], 16) >> 2

    def usage(self) -> dict[str, Any]:
        """Return token counts as Google reports them."""
        text = (len(self.prompt) + len(self.system)) // 4 + 1
        pictures = self.references * REFERENCE_TOKENS
        thoughts = THOUGHT_TOKENS.get(self.thinking, 120)
        try:
            image = spec_for(self.model).image_tokens.get(self.size_name, REFERENCE_TOKENS)
        except RequestRefused:
            image = REFERENCE_TOKENS
        prompt = [{"modality": "TEXT", "tokenCount": text}]
        if pictures:
            prompt.append({"modality": "IMAGE", "tokenCount": pictures})
        return {
            "promptTokenCount": text + pictures,
            "candidatesTokenCount": image,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": text + pictures + image + thoughts,
            "promptTokensDetails": prompt,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": image}],
        }


@lru_cache(maxsize=256)
def _plain_png(size: Size, *, shade: int) -> bytes:
    red, green, blue = shade & 3, shade >> 2 & 3, shade >> 4 & 3
    return solid_png(size, colour=(60 + red * 60, 60 + green * 60, 60 + blue * 60))


@lru_cache(maxsize=64)
def _plain_jpeg(size: Size, *, shade: int) -> bytes:
    data = _plain_png(size, shade=shade)
    photo = open_photo(data, max_bytes=len(data), max_pixels=size.width * size.height)
    return encode(photo, format="jpeg")
