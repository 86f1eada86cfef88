"""Conversion of decoded pictures to the one colour space used everywhere here: 8-bit sRGB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from nb_catalog.imaging import profiles
from nb_catalog.imaging.formats.base import PictureFile

Transform: TypeAlias = ImageCms.ImageCmsTransform

# Pixels of a strip: a few megabytes, whatever the picture's size.
STRIP_PIXELS: Final = 2**20
# Levels by which a profile may differ from sRGB and still pass for it: versions of sRGB itself do.
SAME: Final = 2
# Modes in which a picture is stored -> the mode it is read in, without and with transparency.
READ_AS: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("L", "LA"), "L": ("L", "LA"), "LA": ("LA", "LA"), "La": ("LA", "LA"),
    "P": ("RGB", "RGBA"), "PA": ("RGBA", "RGBA"), "RGB": ("RGB", "RGBA"), "RGBX": ("RGB", "RGB"),
    "RGBA": ("RGBA", "RGBA"), "RGBa": ("RGBA", "RGBA"), "YCbCr": ("RGB", "RGB"),
    "HSV": ("RGB", "RGB"), "CMYK": ("CMYK", "CMYK"), "LAB": ("LAB", "LAB"),
}  # fmt: skip
# Modes with more than 8 bits in a sample, all of them grey.
DEEP: Final = ("I", "F")
# Colour spaces that a profile for a picture of these channels may have.
PROFILE_SPACES: Final[Mapping[str, frozenset[bytes]]] = {
    "L": frozenset({b"GRAY", b"RGB "}),
    "RGB": frozenset({b"RGB "}),
    "CMYK": frozenset({b"CMYK"}),
    "LAB": frozenset(),
}
# Where the first rows of a picture go when it is turned.
FIRST_ROWS_LAST: Final = frozenset(
    {
        Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180,
        Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE,
    }
)  # fmt: skip
SIDEWAYS: Final = frozenset(
    {
        Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270,
    }
)  # fmt: skip


class Decoded(Protocol):
    """A decoded picture, of which strips are taken: an image, or an array of another decoder."""

    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def info(self) -> dict[Any, Any]: ...
    @property
    def has_transparency_data(self) -> bool: ...
    def load(self) -> Any: ...
    def crop(self, box: tuple[int, int, int, int]) -> Image.Image: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From stored samples to sRGB: by a transform, or by a table of grey levels, or neither."""

    transform: Transform | None = None
    greys: NDArray[np.uint8] | None = None

    @property
    def changes_nothing(self) -> bool:
        return self.transform is None and self.greys is None


def convert(
    image: Decoded,
    *,
    file: PictureFile,
    factor: int = 1,
    turn: Image.Transpose | None = None,
) -> Image.Image:
    """Return ``image`` as "RGB", or "RGBA" if any pixel is transparent, and close it.

    It is reduced by a whole ``factor`` (premultiplied, so that hidden colours do not show) and
    turned. Strips of rows are converted one after the other: at most one copy of the picture is
    made, and none if it is RGB that has to be neither reduced nor turned. 16-bit and float samples
    are scaled, never clipped. Raises what Pillow raises for a mode that it cannot convert.
    """
    width, height = image.size
    mode = mode_of(image)
    to_8_bits = _scaling(image) if image.mode.startswith(DEEP) else None
    conversion = conversion_of(image, file=file)
    if to_8_bits and conversion.greys is not None and len(conversion.greys) > 256:
        to_8_bits, conversion = _table(conversion.greys, image.info), Conversion()
    is_grey = mode in {"L", "LA"} and conversion.transform is None
    target = mode if is_grey else "RGBA" if mode in {"RGBA", "LA"} else "RGB"
    in_place = factor == 1 and turn is None and isinstance(image, Image.Image)
    in_place = in_place and image.mode == target and "transparency" not in image.info
    if in_place and isinstance(image, Image.Image):
        if not conversion.changes_nothing:
            for top, strip in strips(image):
                image.paste(_converted(strip, conversion), (0, top))
        # The same pixels as a plain image, without the file and what it says.
        result = image._new(image.im)
    else:
        size = -(-width // factor), -(-height // factor)
        result = Image.new(target, size if turn not in SIDEWAYS else size[::-1])
        for top, strip in strips(image, factor=factor):
            strip = to_8_bits(strip) if to_8_bits else strip
            if strip.mode != mode:
                strip = strip.convert(mode)
            if factor > 1:
                strip = _reduced(strip, factor)
            strip = _converted(strip, conversion)
            start = top // factor
            if turn is not None:
                if turn in FIRST_ROWS_LAST:
                    start = size[1] - start - strip.height
                strip = strip.transpose(turn)
            result.paste(strip, (start, 0) if turn in SIDEWAYS else (0, start))
        image.close()
    result.info = {}
    has_alpha = result.mode in {"LA", "RGBA"} and result.getchannel("A").getextrema() != (255, 255)
    wanted = "RGBA" if has_alpha else "RGB"
    return result if result.mode == wanted else result.convert(wanted)


def strips(image: Decoded, *, factor: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield the rows of ``image`` from the top, and where they begin, in multiples of ``factor`` rows."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // max(width, 1) // factor) * factor
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _reduced(strip: Image.Image, factor: int) -> Image.Image:
    premultiplied = {"LA": "La", "RGBA": "RGBa"}.get(strip.mode)
    if premultiplied is None:
        return strip.reduce(factor)
    if premultiplied == "La":  # which cannot be reduced
        return strip.convert("RGBA").convert("RGBa").reduce(factor).convert("RGBA").convert("LA")
    return strip.convert(premultiplied).reduce(factor).convert(strip.mode)


def _converted(strip: Image.Image, conversion: Conversion) -> Image.Image:
    if conversion.greys is not None:
        table = conversion.greys[:: len(conversion.greys) // 256].tolist()
        if strip.mode == "LA":
            grey, alpha = strip.split()
            return Image.merge("LA", (grey.point(table), alpha))
        if strip.mode == "RGBA":
            grey, _, _, alpha = strip.split()
            return Image.merge("LA", (grey.point(table), alpha)).convert("RGBA")
        return strip.point(table)
    if conversion.transform is None:
        return strip.convert("RGB") if strip.mode in {"CMYK", "LAB"} else strip
    if strip.mode in {"L", "LA"}:
        strip = strip.convert("RGB" if strip.mode == "L" else "RGBA")
    converted = conversion.transform.apply(strip)
    if strip.mode == "RGBA":
        converted.putalpha(strip.getchannel("A"))
    return converted


def mode_of(image: Decoded) -> str:
    """Return the mode in which ``image`` is converted."""
    if image.mode.startswith(DEEP):
        return "LA" if "transparency" in image.info else "L"
    return READ_AS[image.mode][image.has_transparency_data]


def conversion_of(image: Decoded, *, file: PictureFile) -> Conversion:
    """Return how the samples of ``image`` become sRGB, by the most binding way in which ``file`` says it.

    A profile that is damaged or belongs to other channels is passed over for what else is said.
    """
    mode, is_16_bit = mode_of(image), image.mode.startswith("I;16")
    channels = {"LA": "L", "RGBA": "RGB"}.get(mode, mode)
    if channels == "LAB":
        lab = ImageCms.createProfile("LAB")
        return Conversion(transform=_build(lab, mode="LAB"))
    spaces = PROFILE_SPACES[channels] | ({b"GRAY"} if file.is_grey else frozenset())
    if file.override is None and (space := profiles.space_of(file.profile)) in spaces:
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(file.profile))
            if space == b"GRAY":
                sampled, kind = ("I;16", np.uint16) if is_16_bit else ("L", np.uint8)
                levels = np.arange(65536 if is_16_bit else 256, dtype=kind).reshape(-1, 256)
                converted = _build(profile, mode=sampled).apply(Image.fromarray(levels))
                greys = np.asarray(converted)[..., 1].reshape(-1)
                same = levels.reshape(-1).astype(np.float64) / (257 if is_16_bit else 1)
                changes = bool(np.abs(greys - same).max() > SAME)
                return Conversion(greys=greys) if changes else Conversion()
            return _by_transform(profile, mode="CMYK" if channels == "CMYK" else mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    stated = file.override or file.space or profiles.stated_space(file.camera)
    made = profiles.profile_for(stated) if stated and channels != "CMYK" else None
    if made is None:
        return Conversion()
    return _by_transform(ImageCms.ImageCmsProfile(BytesIO(made)), mode=mode)


def _build(profile: Any, *, mode: str) -> Transform:
    # Between the 33 points per axis of its table, Little CMS misses saturated colours from Lab by ten levels.
    flags = ImageCms.Flags.NOOPTIMIZE if mode == "LAB" else ImageCms.Flags.NONE
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(profile, srgb, mode, "RGB", flags=flags)


def _by_transform(profile: ImageCms.ImageCmsProfile, *, mode: str) -> Conversion:
    if mode == "CMYK":
        return Conversion(transform=_build(profile, mode="CMYK"))
    transform = _build(profile, mode="RGBA" if mode in {"LA", "RGBA"} else "RGB")
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    sample = Image.fromarray(colours)
    if mode in {"LA", "RGBA"}:
        sample.putalpha(255)
    converted = transform.apply(sample)
    if np.abs(np.asarray(converted)[..., :3].astype(int) - colours).max() <= SAME:
        return Conversion()
    return Conversion(transform=transform)


def _table(
    greys: NDArray[np.uint8], info: Mapping[Any, Any]
) -> Callable[[Image.Image], Image.Image]:
    """Return what looks up 16-bit samples in ``greys``."""
    hidden = info.get("transparency")

    def look_up(strip: Image.Image) -> Image.Image:
        values = np.asarray(strip)
        grey = Image.fromarray(greys[values])
        return _with_hidden(grey, values, hidden)

    return look_up


def _with_hidden(grey: Image.Image, values: NDArray[Any], hidden: object) -> Image.Image:
    if hidden is None:
        return grey
    opaque = np.where(values == hidden, 0, 255).astype(np.uint8)
    return Image.merge("LA", (grey, Image.fromarray(opaque)))


def _scaling(image: Decoded) -> Callable[[Image.Image], Image.Image]:
    """Return what scales strips of a picture with more than 8 bits in a sample."""
    if image.mode.startswith("I;16"):
        return _table((np.arange(65536) / 257).round().astype(np.uint8), image.info)
    # 32-bit files do not record what white is: assume the smallest depth that holds the brightest
    # pixel.
    brightest = max(
        float(np.nan_to_num(np.asarray(strip), posinf=0.0).max(initial=0.0))
        for _top, strip in strips(image)
    )
    white = next((depth for depth in (1.0, 255.0, 65535.0) if brightest <= depth), brightest)
    white = 255.0 if image.mode == "I" and white == 1.0 else white
    hidden = image.info.get("transparency")

    def scale(strip: Image.Image) -> Image.Image:
        values = np.asarray(strip)
        scaled = np.nan_to_num(values.astype(np.float64)) * (255.0 / white)
        grey = Image.fromarray(np.clip(scaled, 0, 255).round().astype(np.uint8))
        return _with_hidden(grey, values, hidden)

    return scale
