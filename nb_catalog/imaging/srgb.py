"""Any decoded picture in the one colour space that everything here works in: 8-bit sRGB."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms


def in_srgb(image: Image.Image) -> Image.Image:
    """``image`` as "RGB", or "RGBA" if a pixel of it is see-through; itself if it is that already.

    16-bit and float samples are scaled, never clipped; CMYK, grey and RGB go through the colour
    profile that they carry. Raises what Pillow raises for a mode that has no way to RGB.
    """
    return _converted(_in_eight_bits(image), profile=image.info.get("icc_profile"))


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    if image.mode.startswith("I;16"):
        full = 65535.0
    else:
        # 32-bit files do not say what white is: the smallest depth that holds the brightest pixel.
        brightest = float(values.max(initial=0.0))
        full = next((depth for depth in (1.0, 255.0, 65535.0) if brightest <= depth), brightest)
        full = 255.0 if image.mode == "I" and full == 1.0 else full
    scaled = np.clip(values * (255.0 / full), 0, 255).round().astype(np.uint8)
    return Image.fromarray(scaled)


def _converted(image: Image.Image, *, profile: bytes | None) -> Image.Image:
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    plain = image
    if image.mode not in {"RGB", "RGBA", "CMYK", "L"} or "transparency" in image.info:
        plain = image.convert(wanted)
    converted = _through_profile(plain, profile=profile) if profile else None
    if converted is None:
        converted = plain if plain.mode == wanted else plain.convert(wanted)
    if converted.mode == "RGBA" and converted.getchannel("A").getextrema() == (255, 255):
        return converted.convert("RGB")
    return converted


def _through_profile(image: Image.Image, *, profile: bytes) -> Image.Image | None:
    """``image`` in sRGB, or None where the profile is unusable or belongs to other channels."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
