"""Small pictures drawn for the tests, with their true outlines, and files that mean harm."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw

PHOTOS = Path(
    os.environ.get("NB_TEST_PHOTOS", Path(__file__).resolve().parents[3] / "shared" / "photos")
)
NO_PHOTOS = f"no real photos in {PHOTOS}: CONTRIBUTING.md says where to get them"
PACKSHOTS = sorted(PHOTOS.glob("saleor-*.png"))
LIFESTYLE = sorted(PHOTOS.glob("sylius-*.jpg"))

LIMITS = {"max_bytes": 64 * 2**20, "max_pixels": 110_000_000}


def saved(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def colourful(width: int = 64, height: int = 48) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x * y) % 256], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def bottle(size: int = 512) -> Image.Image:
    """An RGBA bottle with a printed label, antialiased, in the middle of nothing."""
    big = Image.new("RGBA", (size * 2, size * 2), (30, 90, 60, 0))
    draw = ImageDraw.Draw(big)
    u = size * 2 / 100
    glass, label, ink = (24, 96, 58, 255), (214, 190, 60, 255), (120, 20, 30, 255)
    draw.rounded_rectangle((34 * u, 34 * u, 66 * u, 88 * u), radius=6 * u, fill=glass)
    draw.rounded_rectangle((44 * u, 12 * u, 56 * u, 40 * u), radius=2 * u, fill=glass)
    draw.rectangle((43 * u, 10 * u, 57 * u, 17 * u), fill=ink)
    draw.rectangle((34 * u, 50 * u, 66 * u, 74 * u), fill=label)
    for row in range(4):
        draw.rectangle((38 * u, (53 + 5 * row) * u, 60 * u, (55 + 5 * row) * u), fill=ink)
    return big.resize((size, size), Image.Resampling.BOX)


def mug(size: int = 512) -> Image.Image:
    """An RGBA mug whose handle one can look through."""
    big = Image.new("RGBA", (size * 2, size * 2), (50, 30, 110, 0))
    draw = ImageDraw.Draw(big)
    u = size * 2 / 100
    glaze = (58, 40, 120, 255)
    draw.ellipse((18 * u, 34 * u, 50 * u, 70 * u), outline=glaze, width=round(6 * u))
    draw.rounded_rectangle((38 * u, 26 * u, 80 * u, 80 * u), radius=4 * u, fill=glaze)
    return big.resize((size, size), Image.Resampling.BOX)


def with_drop_shadow(product: Image.Image) -> Image.Image:
    """``product`` with the soft dark ellipse that shops paint into the transparency below it."""
    y, x = np.mgrid[0 : product.height, 0 : product.width]
    far = np.hypot((x / product.width - 0.5) / 0.3, (y / product.height - 0.94) / 0.03)
    shade = np.array(product)
    alpha = np.maximum(shade[..., 3], (70 * np.clip(1 - far, 0, 1)).astype(np.uint8))
    shade[shade[..., 3] == 0] = (12, 12, 12, 0)
    shade[..., 3] = alpha
    return Image.fromarray(shade)


def ground(name: str, size: int) -> np.ndarray:
    """A studio ground, (size, size, 3) float."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    one = np.ones((size, size, 1))
    match name:
        case "white":
            return one * 255 * np.ones(3)
        case "grey gradient":
            return (205 - 50 * y + 20 * x)[..., None] * np.ones(3)
        case "cream vignette":
            return np.array([246, 238, 222]) * (1 - 0.16 * (np.hypot(x, y) / 0.7) ** 2)[..., None]
        case "light blue":
            return one * np.array([206, 224, 240])
    raise KeyError(name)


GROUNDS = ("white", "grey gradient", "cream vignette", "light blue")


def on_ground(product: Image.Image, name: str) -> Image.Image:
    """``product`` photographed: on a ground with a little noise, as JPEG at quality 90."""
    pixels = np.asarray(product).astype(float)
    alpha = pixels[..., 3:] / 255
    noise = np.random.default_rng(7).normal(0, 1.0, pixels[..., :3].shape)
    seen = pixels[..., :3] * alpha + (ground(name, product.width) + noise) * (1 - alpha)
    picture = Image.fromarray(seen.clip(0, 255).astype(np.uint8))
    return Image.open(BytesIO(saved(picture, "JPEG", quality=90))).convert("RGB")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_bomb(width: int, height: int) -> bytes:
    """A few hundred bytes that claim to be ``width`` x ``height`` pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def profile_with_red_and_blue_swapped() -> bytes:
    """An RGB profile that no converter can mistake for sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1)
    return swapped.replace(b"????", b"bXYZ", 1)


def cmyk_profile_whose_cyan_is_green() -> bytes:
    """A printer's profile of one table (ICC.1:2001-04, lut8Type), 2 steps per ink, Lab outside."""
    table = b""
    for inks in range(16):
        cyan, others = inks & 8, bin(inks & 7).count("1")
        lightness = max(0, 255 - 90 * others - (100 if cyan else 0))
        table += bytes([lightness, 128 - 60 if cyan else 128, 128 + 40 if cyan else 128])
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", 65536 if i in (0, 4, 8) else 0) for i in range(9))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + table + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    tags = struct.pack(">I4sII4sII", 2, b"A2B0", 156, len(lut), b"wtpt", 156 + len(lut), 20)
    body = tags + lut + white
    illuminant = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    header = struct.pack(">I4xI4s4s4s", 128 + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s28x", 2020, 1, 1, 0, 0, 0, b"acsp") + illuminant
    return header.ljust(128, b"\0") + body
