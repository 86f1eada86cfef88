"""Composites: a cut-out product placed in a scene, with shadow and reflection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.compose import merge, shadows
from nb_catalog.imaging.compose.pose import Pose, estimate_pose
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.scenery import Backdrop, Light
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.stage import plain_box

__all__ = ["Composition", "Framing", "Pose", "compose", "compose_on", "estimate_pose", "view_for"]

MAX_ENLARGEMENT: Final = 1.5
"""Enlarged further, a photo looks soft in front of a sharp scene."""
HANGING_DISTANCE: Final = 0.07
"""Units between the wall and a product that hangs in front of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """Size and position of a product in its box.

    ``fill`` is the share of the box it may take, 0.05 to 1.5; ``right`` and ``up`` shift it, in
    box widths and heights.
    """

    fill: float = 1.0
    right: float = 0.0
    up: float = 0.0

    def __post_init__(self) -> None:
        if not 0.05 <= self.fill <= 1.5:
            raise ValueError(f"fill: expected a number from 0.05 to 1.5, got {self.fill!r}.")

    def place(self, cutout: Cutout, backdrop: Backdrop, *, pose: Pose, seed: int) -> Rect:
        """Return the rectangle of the scaled product; ``seed`` shifts it a little sideways."""
        tall, wide = cutout.pixels.shape[:2]
        box = backdrop.box
        centre, bottom = box.centre + self.right * box.width, box.bottom - self.up * box.height
        scale = min(box.width * self.fill / wide, box.height * self.fill / tall, MAX_ENLARGEMENT)
        width, height = max(1, round(wide * scale)), max(1, round(tall * scale))
        shift = 0.02 * float(stream(seed, "place").random() - 0.5) * (box.width - width)
        if backdrop.view == "top":
            bottom -= (box.height - height) / 2
        elif pose == "standing":
            bottom += 0.05 * backdrop.squash * width
        else:
            bottom -= 0.06 * backdrop.unit
        return Rect(round(centre + shift - width / 2), round(bottom) - height, width, height)


class Composition(NamedTuple):
    """A picture, (H, W, 3) sRGB uint8, and the rectangle that the product takes in it."""

    pixels: Pixels
    product: Rect


def view_for(cutout: Cutout, *, pose: Pose | None = None) -> str:
    """Return the view that suits a product: "top" if it lies flat, "front" if it stands."""
    return "top" if (pose or estimate_pose(cutout.pixels[..., 3])) == "lying" else "front"


def compose(
    cutout: Cutout,
    backdrop: Backdrop,
    *,
    seed: int = 0,
    framing: Framing | None = None,
    pose: Pose | None = None,
) -> Composition:
    """Place the product in the scene; the result has the backdrop's size.

    Where the scaled cut-out is opaque, its pixels are copied unchanged. It is enlarged at most
    1.5 times. A product that cannot stand hangs in front of the wall if the scene is seen from
    the front. ``pose`` overrides the estimate from the outline.
    """
    pose = "lying" if backdrop.view == "top" else pose or estimate_pose(cutout.pixels[..., 3])
    place = (framing or Framing()).place(cutout, backdrop, pose=pose, seed=seed)
    product = merge.scale(cutout.pixels, width=place.width, height=place.height)
    pixels = backdrop.pixels.copy()
    outline = shadows.silhouette(product[..., 3], left=place.left, top=place.top, backdrop=backdrop)
    if pose == "standing":
        if backdrop.gloss > 0:
            reflection = shadows.reflection(product, shape=outline, backdrop=backdrop)
            merge.add_reflection(pixels, reflection)
        dark = shadows.standing_shadow(outline, backdrop=backdrop)
    elif backdrop.view == "top":
        dark = shadows.lying_shadow(outline, backdrop=backdrop)
    else:
        dark = shadows.lying_shadow(outline, backdrop=backdrop, thickness=HANGING_DISTANCE)
    merge.darken(pixels, dark, light=backdrop.light)
    merge.paste(pixels, product, left=place.left, top=place.top)
    return Composition(pixels, place)


def compose_on(
    cutout: Cutout,
    picture: Pixels,
    *,
    light: Light | None = None,
    view: str = "front",
    seed: int = 0,
    framing: Framing | None = None,
    pose: Pose | None = None,
) -> Composition:
    """Place the product in a background that a model painted and whose light is unknown.

    ``picture`` is (H, W, 3) sRGB uint8. Without ``light``, shadows are those of a softbox from
    the upper left.
    """
    size = Size(picture.shape[1], picture.shape[0])
    box = plain_box(size)
    backdrop = Backdrop(
        pixels=picture, light=light or Light(), box=box, view=view,
        unit=min(box.height, box.width * 1.35), squash=0.27, edge=0.0,
    )  # fmt: skip
    return compose(cutout, backdrop, seed=seed, framing=framing, pose=pose)
