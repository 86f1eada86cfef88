"""Composites: a cut-out product placed in a scene, with shadow and reflection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, NamedTuple

from nb_catalog.core.proportions import LEAST_PROPORTION
from nb_catalog.core.schema import number
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.colour_shift import Shift
from nb_catalog.imaging.compose import merge, shadows
from nb_catalog.imaging.compose.flat import FlatCutout
from nb_catalog.imaging.compose.light_map import SceneLight
from nb_catalog.imaging.compose.merge import Rgba
from nb_catalog.imaging.compose.pose import Pose, estimate_pose
from nb_catalog.imaging.compose.relight import relight_product
from nb_catalog.imaging.compose.sizing import FittedSize, fit_size
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.scenery import Backdrop, Light, SceneRecipe
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.stage import (
    PLAIN_SQUASH,
    ProductBox,
    build_stage,
    plain_box,
    plain_unit,
)

__all__ = [
    "Composition", "FittedSize", "Framing", "Pose", "compose", "compose_on", "estimate_pose",
    "fit_picture", "fit_scene", "largest_size", "view_for", "TOO_WIDE", "WHOLE", "box_in_plain",
]  # fmt: skip

HANGING_DISTANCE: Final = 0.07
"""Units between the wall and a product that hangs in front of it."""
RIM: Final = 2
"""Pixels of the photo around the product that are pasted with it."""
EVER: Final = 99.0
"""Widths of the frame that no product takes."""
TOLERANCE: Final = 0.99
"""Share of its proportion that a product may have without a word about it."""
TOO_WIDE: Final = "proportion"
"""The key of what a picture's checks report about a product that is smaller than its proportion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """Size and position of a product in its box.

    ``fill`` is the share of the box it may take, 0.05 to 1.5; ``right`` and ``up`` shift it, in
    box widths and heights. ``proportion`` is the share of the box's height that it takes because it
    is smaller than others in reality. A product of a set is ``fixed``: on the line and in the middle
    of all others; ``to_scale`` is that of its ``Camera``.
    """

    fill: float = 1.0
    right: float = 0.0
    up: float = 0.0
    proportion: float = 1.0
    to_scale: bool = False
    fixed: bool = False

    def __post_init__(self) -> None:
        if not 0.05 <= self.fill <= 1.5:
            raise ValueError(f"fill: expected a number from 0.05 to 1.5, got {self.fill!r}.")
        number(LEAST_PROPORTION, 1)(self.proportion)

    @classmethod
    def of_camera(cls, camera: Camera | None, *, proportion: float = 1.0) -> Framing:
        """Return the framing of a product as the camera of a set sees it, if there is one."""
        return cls(
            proportion=proportion,
            to_scale=proportion < 1 or (camera is not None and camera.to_scale),
            fixed=camera is not None,
        )

    def enlargement(self, product: Rect, box: ProductBox) -> float:
        """Return pixels of the picture for each pixel of the photo."""
        wide = box.room if self.to_scale else box.width * self.fill
        tall = box.height * self.fill * self.proportion
        most = min(wide / product.width, tall / product.height)
        if box.area is None or self.to_scale:
            return most
        return min(most, self.fill * sqrt(box.area / (product.width * product.height)))

    def report(self, product: Rect, box: ProductBox) -> Mapping[str, Any]:
        """Return what a picture's checks hold about a product that is too wide for its proportion."""
        made = self.enlargement(product, box) * product.height / (box.height * self.fill)
        if not self.to_scale or made >= TOLERANCE * self.proportion:
            return {}
        return {TOO_WIDE: {"requested": self.proportion, "made": round(made, 4)}}

    def place(self, product: Rect, backdrop: Backdrop, *, pose: Pose, seed: int) -> Rect:
        """Return the rectangle that the product takes; ``seed`` shifts it a little sideways.

        ``product`` is the rectangle of its solid pixels in the cut-out. Everything is a share of the
        frame, so a product has the same place in a picture of every size.
        """
        box = backdrop.box
        scale = self.enlargement(product, box)
        wide, tall = product.width * scale, product.height * scale
        centre, bottom = box.centre + self.right * box.width, box.bottom - self.up * box.height
        if not box.exact and not self.fixed:
            centre += 0.02 * float(stream(seed, "place").random() - 0.5) * (box.width - wide)
        if backdrop.view == "top":
            bottom -= (box.height - tall) / 2
        elif not self.fixed:
            bottom -= max(0.0, min(box.depth, box.lift * (box.height - tall)))
            if pose == "lying":
                bottom -= 0.06 * backdrop.unit
            elif not box.exact:
                bottom += 0.05 * backdrop.squash * wide
        width, height = max(1, round(wide)), max(1, round(tall))
        return Rect(round(centre - wide / 2), round(bottom) - height, width, height)


WHOLE: Final = Framing()
"""The largest that fits."""


class Composition(NamedTuple):
    """A picture, (H, W, 3) sRGB uint8, and the rectangle that the product takes in it.

    ``shift`` is how far relighting changed the product; None if its pixels are its own.
    """

    pixels: Pixels
    product: Rect
    shift: Shift | None = None


def view_for(cutout: Cutout, *, pose: Pose | None = None) -> str:
    """Return the view that suits a product: "top" if it lies flat, "front" if it stands."""
    return "top" if (pose or estimate_pose(cutout.pixels[..., 3])) == "lying" else "front"


def fit_scene(
    cutout: Cutout,
    recipe: SceneRecipe,
    *,
    size: Size,
    seed: int,
    view: str,
    framing: Framing = WHOLE,
) -> FittedSize:
    """Return the largest size of the picture, up to ``size``, that the product's photo is good for."""
    view = view if recipe.view == "auto" else recipe.view
    box = build_stage(recipe, size=size, seed=seed, view=view).box
    return fit_size(size, enlargement=framing.enlargement(cutout.solid, box))


def fit_picture(
    cutout: Cutout,
    *,
    size: Size,
    camera: Camera | None = None,
    framing: Framing = WHOLE,
    at: Box | None = None,
) -> FittedSize:
    """Return the largest size of a picture of which only the size is known, as ``fit_scene`` does."""
    box = box_in_plain(size, camera=camera, at=at)
    return fit_size(size, enlargement=framing.enlargement(cutout.solid, box))


def box_in_plain(size: Size, *, camera: Camera | None, at: Box | None = None) -> ProductBox:
    """Return where a product goes in a picture of which only the size is known: ``at`` a place, if it is
    given, as high as that and however wide."""
    if at is not None:
        return ProductBox(
            centre=at.centre * size.width, bottom=at.bottom * size.height, width=EVER * size.width,
            height=at.height * size.height, room=EVER * size.width, depth=0.0, exact=True,
        )  # fmt: skip
    if camera is None:
        return plain_box(size)
    return plain_box(size, wish=camera.framing, view=camera.view)


def largest_size(photo: Size, *, requested: Size) -> FittedSize:
    """Return the size of the picture if the product took up its whole photo, as ``fit_scene`` does."""
    whole = Rect(0, 0, *photo)
    return fit_size(requested, enlargement=Framing().enlargement(whole, plain_box(requested)))


def compose(
    cutout: Cutout,
    backdrop: Backdrop,
    *,
    seed: int = 0,
    framing: Framing | None = None,
    pose: Pose | None = None,
    light: SceneLight | None = None,
) -> Composition:
    """Place the product in the scene; the result has the backdrop's size.

    Where the scaled cut-out is opaque, its pixels are copied unchanged. However small the photo,
    the product has the same share of the picture; ``fit_scene`` returns the largest picture that
    it is good for. A product that cannot stand hangs in front of the wall if the scene is seen from
    the front. ``pose`` overrides the estimate from the outline. With ``light``, that of the
    backdrop, the product is relit.
    """
    pose = "lying" if backdrop.view == "top" else pose or estimate_pose(cutout.pixels[..., 3])
    solid = cutout.solid
    place = (framing or Framing()).place(solid, backdrop, pose=pose, seed=seed)
    product, seen, left, top = scaled_product(cutout, place=place)
    pixels = backdrop.pixels.copy()
    outline = shadows.silhouette(seen[..., 3], left=place.left, top=place.top, backdrop=backdrop)
    if pose == "standing":
        if backdrop.gloss > 0:
            reflection = shadows.reflection(seen, shape=outline, backdrop=backdrop)
            merge.add_reflection(pixels, reflection)
        shadow = shadows.standing_shadow(outline, backdrop=backdrop)
    elif backdrop.view == "top":
        shadow = shadows.lying_shadow(outline, backdrop=backdrop)
    else:
        shadow = shadows.lying_shadow(outline, backdrop=backdrop, thickness=HANGING_DISTANCE)
    merge.darken(pixels, shadow, light=backdrop.light)
    shift = None
    if light is not None:
        stands = pose == "standing"
        product, shift = relight_product(
            product, pixels, left=left, top=top, light=light, stands=stands
        )
    merge.paste(pixels, product, left=left, top=top)
    return Composition(pixels, place, shift)


class ScaledProduct(NamedTuple):
    """A product at its size in the picture: (H, W, 4) ``pixels`` with their corner at (left, top), and
    what is ``seen`` of them in its rectangle."""

    pixels: Rgba
    seen: Rgba
    left: int
    top: int


def scaled_product(cutout: Cutout, *, place: Rect) -> ScaledProduct:
    """Return the product so that its solid pixels take up ``place``."""
    solid = cutout.solid
    # With a rim for the edge's softness. A host's own cutter may return the whole frame of the photo.
    left, top = max(0, solid.left - RIM), max(0, solid.top - RIM)
    near = cutout.pixels[top : solid.bottom + RIM, left : solid.right + RIM]
    across, down = place.width / solid.width, place.height / solid.height
    size = {
        "width": max(1, round(near.shape[1] * across)),
        "height": max(1, round(near.shape[0] * down)),
    }
    # A board is drawn at its final size from the photo, not scaled after it was drawn.
    product = cutout.drawn(**size) if isinstance(cutout, FlatCutout) else merge.scale(near, **size)
    right, below = round((solid.left - left) * across), round((solid.top - top) * down)
    seen = product[below:, right:][: place.height, : place.width]
    return ScaledProduct(product, seen, place.left - right, place.top - below)


def compose_on(
    cutout: Cutout,
    picture: Pixels,
    *,
    light: Light | None = None,
    view: str = "front",
    seed: int = 0,
    framing: Framing | None = None,
    pose: Pose | None = None,
    camera: Camera | None = None,
    at: Box | None = None,
) -> Composition:
    """Place the product in a background that a model painted and whose light is unknown.

    ``picture`` is (H, W, 3) sRGB uint8. Without ``light``, shadows are those of a softbox from
    the upper left. The view of a ``camera`` overrides ``view``, and ``at`` is as in ``box_in_plain``.
    """
    size = Size(picture.shape[1], picture.shape[0])
    view = view if camera is None else camera.view
    box = box_in_plain(size, camera=camera, at=at)
    backdrop = Backdrop(
        pixels=picture, light=light or Light(), box=box, view=view,
        unit=plain_unit(size), squash=PLAIN_SQUASH, edge=0.0,
    )  # fmt: skip
    return compose(cutout, backdrop, seed=seed, framing=framing, pose=pose)
