"""A photo as the scene: where the product stands in it, which part of it is shown, and its light."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from threading import Lock
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.schema import check, number, one_of, part
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.backdrop import Backdrop
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import LUMINANCE, Light
from nb_catalog.imaging.scenery.stage import BESIDE, ProductBox

VIEWS: Final = ("front", "wall", "top")
WIDEST: Final = 1.6
"""Width of the product's box, in heights: a wider product gets lower instead."""
CLEAR: Final = 0.05
"""Share of the shown part's height that stays free above the product."""
GAP: Final = 0.02
"""Share of the height between the ground line and what hangs on the wall above it."""
ROOM: Final = 0.3
"""Share of the height above the ground line from which a product that cannot stand hangs there."""
SQUASH: Final = (0.14, 0.5)
"""Height divided by width of a circle on the ground: seen from nearly its level, and from 30 degrees."""
TINT: Final = 0.35
"""How much of the colour of the bright parts is taken for that of the light; the rest is paint."""
MAX_CACHED: Final = 3
MAX_CACHED_PIXELS: Final = 1_700_000
"""As many as ``scenery.render`` keeps, of the same size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackdropPlace:
    """Where the product goes in a photo, and the light there. All places are shares of the whole photo.

    ``view`` is "front" for a product that stands on the ground, "wall" for one that hangs in front of
    what is seen, "top" for one that lies on what is seen from above. Above ``ground``, the row where
    the ground ends, no shadow falls; the other views have none. ``x`` is the middle of the product,
    ``bottom`` its foot, ``height`` the most that it takes.

    ``azimuth`` in degrees is where the light comes from: 0 from the camera, 90 from the right, -90 from
    the left, 180 from behind; ``elevation`` is its height. ``softness`` 0 is bare sun and 1 an overcast
    sky, ``strength`` how dark a shadow gets, ``gloss`` how much the ground mirrors.
    """

    view: str = "front"
    ground: float = 0.6
    x: float = 0.5
    bottom: float = 0.82
    height: float = 0.5
    azimuth: float = -45.0
    elevation: float = 48.0
    softness: float = 0.6
    strength: float = 0.55
    gloss: float = 0.0

    def __post_init__(self) -> None:
        unit = number(0, 1)
        check(
            self,
            view=one_of(*VIEWS),
            ground=unit,
            x=number(0.02, 0.98),
            bottom=number(0.05, 1),
            height=number(0.03, 0.98),
            azimuth=number(-180, 180),
            elevation=number(15, 85),
            softness=unit,
            strength=unit,
            gloss=unit,
        )
        if self.height > self.bottom:
            text = _("the product would leave the photo at the top; at most %(most)s fits.")
            raise ValueError("height: " + text % {"most": f"{self.bottom:.2f}"})
        if self.view == "front" and self.bottom <= self.ground:
            text = _(
                "the product's foot is above the ground line at %(ground)s. Move one of them, or "
                "choose that it hangs."
            )
            raise ValueError("bottom: " + text % {"ground": f"{self.ground:.2f}"})

    @classmethod
    def from_mapping(cls, mapping: Any) -> BackdropPlace:
        """Return the place for a mapping such as a scene's JSON. Raises ``ValueError``."""
        return part(cls, mapping, path="backdrop")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {
            name: value if isinstance(value, str) else round(value, 4)
            for name, value in asdict(self).items()
        }

    def shown(self, photo: Size, *, ratio: Size) -> Rect:
        """Return the largest part of a photo that has the ratio of a picture, around the product."""
        scale = min(photo.width / ratio.width, photo.height / ratio.height)
        width = min(photo.width, round(ratio.width * scale))
        height = min(photo.height, round(ratio.height * scale))
        middle = (self.bottom - self.height / 2) * photo.height
        if self.view == "front":
            # The ground in front of the product is seen, as much as the air above it.
            middle += 0.06 * height
        left = min(max(0, round(self.x * photo.width - width / 2)), photo.width - width)
        top = min(max(0, round(middle - height / 2)), photo.height - height)
        return Rect(left, top, width, height)

    def box(self, photo: Size, *, shown: Rect, size: Size, pose: str) -> ProductBox:
        """Return where the product goes in a picture of ``size`` of the part ``shown``.

        A product that cannot stand hangs above the ground line, if there is room. What does not fit
        into the part gets smaller.
        """
        scale = size.height / shown.height
        bottom, height = self.bottom * photo.height, self.height * photo.height
        if self.view == "front" and pose == "lying" and self.ground > ROOM:
            wall = (self.ground - GAP) * photo.height
            height = min(height, wall - CLEAR * shown.height)
            bottom = min(bottom, wall)
        bottom = min((bottom - shown.top) * scale, size.height * (1 - GAP))
        tall = max(1.0, min(height * scale, bottom - CLEAR * size.height))
        centre = (self.x * photo.width - shown.left) * scale
        beside = 2 * (min(centre, size.width - centre) - BESIDE * size.width)
        return ProductBox(
            centre=centre, bottom=bottom, height=tall,
            width=max(0.1 * size.width, min(WIDEST * tall, beside)), room=beside,
        )  # fmt: skip

    def light(self, pixels: Pixels) -> Light:
        """Return the light, in the colour that the bright parts of ``pixels`` have."""
        small = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_AREA)
        linear = np.power(small.reshape(-1, 3).astype(np.float64) / 255, 2.2)
        luminance = linear @ LUMINANCE
        bright = linear[luminance >= np.quantile(luminance, 0.6)].mean(0) + 1e-3
        hue = np.clip((bright / (bright @ LUMINANCE)) ** TINT, 0.9, 1.1)
        return Light(
            azimuth=self.azimuth,
            elevation=self.elevation,
            softness=self.softness,
            strength=self.strength,
            colour=(float(hue[0]), float(hue[1]), float(hue[2])),
        )

    def backdrop(
        self,
        photo: bytes,
        *,
        full: Size,
        shown: Rect,
        size: Size,
        pose: str,
        limits: Mapping[str, int],
    ) -> Backdrop:
        """Return the part ``shown`` of ``photo``, which has ``full`` pixels, at ``size``.

        Raises ``PictureError`` if the file does not open.
        """
        pixels = _pixels(photo, full=full, shown=shown, size=size, limits=limits)
        box = self.box(full, shown=shown, size=size, pose=pose)
        ground = (self.ground * full.height - shown.top) * size.height / shown.height
        rise = (box.bottom - ground) / box.height
        low, high = SQUASH
        return Backdrop(
            pixels=pixels, light=self.light(pixels), box=box,
            view="top" if self.view == "top" else "front", unit=box.height,
            squash=0.27 if self.view != "front" else min(high, max(low, 0.12 + 0.34 * rise)),
            edge=max(0.0, ground) if self.view == "front" else 0.0,
            gloss=self.gloss if self.view == "front" else 0.0,
        )  # fmt: skip


_kept: OrderedDict[tuple[Any, ...], Pixels] = OrderedDict()
_kept_lock = Lock()


def _pixels(
    photo: bytes, *, full: Size, shown: Rect, size: Size, limits: Mapping[str, int]
) -> Pixels:
    """Return a part of a photo, (H, W, 3) sRGB, read-only; that of a series is decoded once."""
    key = (sha256(photo).digest(), shown, size, *sorted(limits.items()))
    with _kept_lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    needed = math.ceil(max(full) * size.width / shown.width)
    opened = open_photo(photo, longest_side=min(max(full), max(64, needed)), **limits)
    image = flatten(opened)
    across, down = image.width / full.width, image.height / full.height
    area = (shown.left * across, shown.top * down, shown.right * across, shown.bottom * down)
    pixels = np.array(image.resize(size, Image.Resampling.LANCZOS, box=area))
    pixels.setflags(write=False)
    if size.width * size.height <= MAX_CACHED_PIXELS:
        with _kept_lock:
            _kept[key] = pixels
            while len(_kept) > MAX_CACHED:
                _kept.popitem(last=False)
    return pixels
