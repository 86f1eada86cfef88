"""Conversion of decoded pictures to the one colour space used everywhere here: 8-bit sRGB."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms


def convert_to_srgb(image: Image.Image) -> Image.Image:
    """Return ``image`` as "RGB", or "RGBA" if any pixel is transparent; itself if it already is.

    16-bit and float samples are scaled, never clipped; CMYK, grey and RGB are converted through
    the embedded colour profile if it is usable. Raises what Pillow raises for a mode that it
    cannot convert to RGB.
    """
    profile = image.info.get("icc_profile")
    image = _scale_to_8_bits(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode not in {"RGB", "RGBA", "CMYK", "L"} or "transparency" in image.info:
        image = image.convert(mode)
    converted = None
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGBA" if image.mode == "RGBA" else "RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            # The profile is damaged or belongs to other channels: take the colours as sRGB.
            converted = None
    if converted is None:
        converted = image if image.mode == mode else image.convert(mode)
    if converted.mode == "RGBA" and converted.getchannel("A").getextrema() == (255, 255):
        return converted.convert("RGB")
    return converted


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        # 32-bit files do not record what white is: assume the smallest depth that holds the
        # brightest pixel.
        brightest = float(values.max(initial=0.0))
        white = next((depth for depth in (1.0, 255.0, 65535.0) if brightest <= depth), brightest)
        white = 255.0 if image.mode == "I" and white == 1.0 else white
    scaled = np.clip(values * (255.0 / white), 0, 255).round().astype(np.uint8)
    return Image.fromarray(scaled)
