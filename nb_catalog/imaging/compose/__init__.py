"""The product's own pixels set into surroundings: size, place, shadow, reflection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.compose import merge, shadows
from nb_catalog.imaging.compose.pose import Pose, estimate_pose
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.scenery import Backdrop, Light
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.stage import Box, plain_box

__all__ = ["Composed", "Framing", "Pose", "compose", "compose_on", "estimate_pose", "view_for"]

MOST_ENLARGED: Final = 1.5
"""Beyond this a photo looks soft beside a sharp ground."""
HANGS: Final = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How a product sits in its place: ``fill`` of the box 0..1, shifts in box widths and heights."""

    fill: float = 1.0
    right: float = 0.0
    up: float = 0.0

    def __post_init__(self) -> None:
        if not 0.05 <= self.fill <= 1.5:
            raise ValueError(f"fill: expected a number from 0.05 to 1.5, got {self.fill!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    left: int
    top: int
    width: int
    height: int


def view_for(cutout: Cutout, *, rests: Pose | None = None) -> str:
    """The view that suits a product: "top" for what lies flat, "front" for what stands."""
    return "top" if (rests or _judged(cutout)) == "lying" else "front"


def _judged(cutout: Cutout) -> Pose:
    return estimate_pose(cutout.pixels[..., 3])


class Composed(NamedTuple):
    """A picture, (H, W, 3) sRGB uint8, and where on it the product is."""

    pixels: Pixels
    product: Rect


def compose(
    cutout: Cutout,
    backdrop: Backdrop,
    *,
    seed: int = 0,
    framing: Framing | None = None,
    rests: Pose | None = None,
) -> Composed:
    """The product in the scene, of the backdrop's size.

    Where the scaled cut-out is solid, the result is the cut-out. It is enlarged at most 1.5
    times. A product that cannot stand, in a scene seen from the front, hangs before the wall.
    ``rests`` overrules what the outline says.
    """
    rests = "lying" if backdrop.view == "top" else rests or _judged(cutout)
    place = _place(cutout, backdrop, rests=rests, framing=framing or Framing(), seed=seed)
    product = merge.scaled(cutout.pixels, width=place.width, height=place.height)
    pixels = backdrop.pixels.copy()
    outline = shadows.figure(product[..., 3], left=place.left, top=place.top, backdrop=backdrop)
    if rests == "standing":
        if backdrop.gloss > 0:
            merge.mirrored(pixels, shadows.reflection(product, shape=outline, backdrop=backdrop))
        dark = shadows.standing(outline, backdrop=backdrop)
    elif backdrop.view == "top":
        dark = shadows.lying(outline, backdrop=backdrop)
    else:
        dark = shadows.lying(outline, backdrop=backdrop, thickness=HANGS)
    merge.darken(pixels, dark, light=backdrop.light)
    merge.pasted(pixels, product, left=place.left, top=place.top)
    return Composed(pixels, Rect(place.left, place.top, place.width, place.height))


def compose_on(
    cutout: Cutout,
    picture: Pixels,
    *,
    light: Light | None = None,
    view: str = "front",
    seed: int = 0,
    framing: Framing | None = None,
    rests: Pose | None = None,
) -> Composed:
    """The product on surroundings that a model painted, whose light is not known.

    ``picture`` is (H, W, 3) sRGB uint8. Shadows are those of a softbox unless ``light`` says
    better.
    """
    size = Size(picture.shape[1], picture.shape[0])
    box = plain_box(size)
    backdrop = Backdrop(
        pixels=picture, light=light or Light.default(), box=box, view=view,
        unit=min(box.height, box.width * 1.35), squash=0.27, edge=0.0,
    )  # fmt: skip
    return compose(cutout, backdrop, seed=seed, framing=framing, rests=rests)


def _place(
    cutout: Cutout, backdrop: Backdrop, *, rests: Pose, framing: Framing, seed: int
) -> _Place:
    tall, wide = cutout.pixels.shape[:2]
    box = _moved(backdrop.box, framing)
    scale = min(box.width * framing.fill / wide, box.height * framing.fill / tall, MOST_ENLARGED)
    width, height = max(1, round(wide * scale)), max(1, round(tall * scale))
    shift = 0.02 * float(stream(seed, "place").random() - 0.5) * (box.width - width)
    if backdrop.view == "top":
        bottom = box.bottom - (box.height - height) / 2
    elif rests == "standing":
        bottom = box.bottom + 0.05 * backdrop.squash * width
    else:
        bottom = box.bottom - 0.06 * backdrop.unit
    return _Place(
        left=round(box.centre + shift - width / 2),
        top=round(bottom) - height,
        width=width,
        height=height,
    )


def _moved(box: Box, framing: Framing) -> Box:
    return replace(
        box,
        centre=box.centre + framing.right * box.width,
        bottom=box.bottom - framing.up * box.height,
    )
