"""Surface materials. Colours are sRGB hex and converted to linear light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A surface; ``print`` is an RGBA texture (linear, 0..1) over the colour, across the part's grid.

    ``tint`` is a tiling texture of one channel that multiplies the colour, ``bump`` one that tilts
    the normals; ``tiles`` is how often they repeat along columns and rows. ``glow`` is emitted
    light, ``sheen`` the soft rim of cloth, ``glass`` the depth of tinted glass.
    """

    colour: str = "#cccccc"
    rough: float = 0.5
    reflect: float = 0.04
    metal: bool = False
    sheen: float = 0.0
    glass: float = 0.0
    glow: float = 0.0
    alpha: float = 1.0
    print: Texture | None = None
    print_box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    print_rough: float | None = None
    tint: Texture | None = None
    bump: Texture | None = None
    bump_depth: float = 0.0
    tiles: tuple[float, float] = (1.0, 1.0)

    @property
    def linear(self) -> NDArray[np.float32]:
        return linear(self.colour)


def linear(colour: str) -> NDArray[np.float32]:
    """Return ``"#rrggbb"`` as linear light, float32 of shape (3,) (curve of IEC 61966-2-1)."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )
