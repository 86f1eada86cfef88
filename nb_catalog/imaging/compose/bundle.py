"""Bundles: several products in one picture, each with its own pixels or in the light of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.colour_shift import Mask, Shift
from nb_catalog.imaging.compose import (
    ScaledProduct,
    box_in_plain,
    merge,
    scaled_product,
    shadows,
)
from nb_catalog.imaging.compose.arrangement import (
    Outline,
    Placed,
    arrange_lying,
    arrange_standing,
)
from nb_catalog.imaging.compose.light_map import SceneLight
from nb_catalog.imaging.compose.neighbours import Standing, shade_on
from nb_catalog.imaging.compose.relight import relight_product
from nb_catalog.imaging.compose.sizing import FittedSize, fit_size
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.scenery import Backdrop, Light, ProductBox, SceneRecipe
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.stage import PLAIN_SQUASH, STANDS, build_stage, plain_unit

FREE_DEPTH: Final = 0.8
"""Units between two rows on a ground that goes on behind them, at most."""
ON_STAND: Final = 0.42
"""The same on a podium, in its widths: the back row must not stand on the rim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """One product of a bundle, without its background. ``height_cm`` is its real height, if known."""

    cutout: Cutout = field(repr=False)
    height_cm: float | None = None

    @property
    def outline(self) -> Outline:
        solid = self.cutout.solid
        alpha = self.cutout.pixels[solid.top : solid.bottom, solid.left : solid.right, 3]
        return Outline(alpha=alpha, height_cm=self.height_cm)


class BundleComposition(NamedTuple):
    """A picture, (H, W, 3) sRGB uint8, and where its products are, in their order.

    ``shifts`` are how far relighting changed what is visible of each; none if their pixels are their own.
    """

    pixels: Pixels
    parts: list[Placed]
    shifts: Sequence[Shift] = ()

    @property
    def product(self) -> Rect:
        """The rectangle around all products."""
        rects = [each.rect for each in self.parts]
        left, top = min(each.left for each in rects), min(each.top for each in rects)
        right, bottom = max(each.right for each in rects), max(each.bottom for each in rects)
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What decides where products stand, in pixels and units of the stage."""

    box: ProductBox
    view: str
    unit: float
    squash: float
    depth: float
    on_stand: bool = False

    def arrange(self, parts: Sequence[BundlePart], *, seed: int) -> list[Placed]:
        outlines = [each.outline for each in parts]
        if self.view == "top":
            return arrange_lying(outlines, box=self.box)
        return arrange_standing(
            outlines, box=self.box, unit=self.unit, squash=self.squash, seed=seed,
            depth=self.depth, on_stand=self.on_stand,
        )  # fmt: skip


def fit_bundle(
    parts: Sequence[BundlePart], recipe: SceneRecipe, *, size: Size, seed: int, view: str
) -> FittedSize:
    """Return the largest size of the picture that the photos of all parts are good for."""
    return _fitted(parts, _ground_of(recipe, size=size, seed=seed, view=view), size=size, seed=seed)


def compose_bundle(
    parts: Sequence[BundlePart], backdrop: Backdrop, *, recipe: SceneRecipe, seed: int,
    light: SceneLight | None = None, is_fixed: bool = False,
) -> BundleComposition:  # fmt: skip
    """Place the products in a rendered scene, ``recipe`` at ``seed``, all standing or all lying.

    A bundle of a set ``is_fixed``: its foot is on the line of all others, however low it is.

    Where a scaled cut-out is opaque and nothing is in front of it, its pixels are copied unchanged; for
    this reason products have shadows on the ground, and none on each other. With ``light``, that of the
    backdrop, they are relit, and those in front shade those behind.
    """
    size = Size(backdrop.pixels.shape[1], backdrop.pixels.shape[0])
    ground = _ground_of(recipe, size=size, seed=seed, view=backdrop.view)
    if is_fixed:
        ground = replace(ground, box=replace(ground.box, depth=0.0))
    return _composed(parts, backdrop, ground=ground, seed=seed, light=light)


def fit_bundle_on(
    parts: Sequence[BundlePart], *, size: Size, view: str, camera: Camera | None = None
) -> FittedSize:
    """Return the same as ``fit_bundle`` for a picture of which only the size is known."""
    return _fitted(parts, _plain_ground(size, view=view, camera=camera), size=size, seed=0)


def compose_bundle_on(
    parts: Sequence[BundlePart], picture: Pixels, *, view: str, camera: Camera | None = None
) -> BundleComposition:
    """Place the products in a background that a model painted, as ``compose_bundle`` does."""
    ground = _plain_ground(Size(picture.shape[1], picture.shape[0]), view=view, camera=camera)
    backdrop = Backdrop(
        pixels=picture, light=Light(), box=ground.box, view=ground.view, unit=ground.unit,
        squash=ground.squash, edge=0.0,
    )  # fmt: skip
    return _composed(parts, backdrop, ground=ground, seed=0)


def _ground_of(recipe: SceneRecipe, *, size: Size, seed: int, view: str) -> _Ground:
    view = view if recipe.view == "auto" else recipe.view
    stage = build_stage(recipe, size=size, seed=seed, view=view)
    widths = [each.width for each in recipe.props if each.kind in STANDS]
    depth = ON_STAND * widths[-1] if widths else FREE_DEPTH
    if view != "top" and recipe.edge == "table":
        depth = min(depth, stage.wall_distance)
    return _Ground(
        box=stage.box, view=view, unit=stage.unit, squash=stage.squash, depth=depth,
        on_stand=bool(widths),
    )  # fmt: skip


def _plain_ground(size: Size, *, view: str, camera: Camera | None) -> _Ground:
    camera = camera or Camera(view=view)
    box = box_in_plain(size, camera=camera)
    return _Ground(
        box=box, view=camera.view, unit=plain_unit(size), squash=PLAIN_SQUASH, depth=FREE_DEPTH
    )


def _fitted(parts: Sequence[BundlePart], ground: _Ground, *, size: Size, seed: int) -> FittedSize:
    placed = ground.arrange(parts, seed=seed)
    enlargement = max(
        at.rect.height / part.cutout.solid.height for at, part in zip(placed, parts, strict=True)
    )
    return fit_size(size, enlargement=enlargement)


def _composed(
    parts: Sequence[BundlePart], backdrop: Backdrop, *, ground: _Ground, seed: int,
    light: SceneLight | None = None,
) -> BundleComposition:  # fmt: skip
    placed = ground.arrange(parts, seed=seed)
    pixels: Pixels = np.array(backdrop.pixels)
    scaled = [
        scaled_product(part.cutout, place=at.rect) for part, at in zip(parts, placed, strict=True)
    ]
    shapes = [
        shadows.silhouette(each.seen[..., 3], left=at.rect.left, top=at.rect.top, backdrop=backdrop)
        for each, at in zip(scaled, placed, strict=True)
    ]
    from_behind = sorted(range(len(parts)), key=lambda index: -placed[index].away)
    for index in from_behind:
        if backdrop.view != "top" and backdrop.gloss > 0:
            mirrored = shadows.reflection(
                scaled[index].seen, shape=shapes[index], backdrop=backdrop
            )
            merge.add_reflection(pixels, mirrored)
    draw = shadows.lying_shadow if backdrop.view == "top" else shadows.standing_shadow
    merge.darken(
        pixels,
        shadows.together([draw(each, backdrop=backdrop) for each in shapes]),
        light=backdrop.light,
    )
    if light is None:
        for index in from_behind:
            each = scaled[index]
            merge.paste(pixels, each.pixels, left=each.left, top=each.top)
        return BundleComposition(pixels, placed)
    standing = [Standing(shape, at.away) for shape, at in zip(shapes, placed, strict=True)]
    shifts: dict[int, Shift] = {}
    for rank, index in enumerate(from_behind):
        product, _, left, top = scaled[index]
        frame = Rect(left, top, product.shape[1], product.shape[0])
        relit, shifts[index] = relight_product(
            product, pixels, left=left, top=top, light=light, stands=backdrop.view != "top",
            shade=shade_on(
                standing[index], standing, frame=frame, backdrop=backdrop, centre=light.stage.centre
            ),
            visible=_visible(frame, [scaled[other] for other in from_behind[rank + 1 :]]),
        )  # fmt: skip
        merge.paste(pixels, relit, left=left, top=top)
    return BundleComposition(pixels, placed, [shifts[index] for index in range(len(parts))])


def _visible(frame: Rect, before: Sequence[ScaledProduct]) -> Mask:
    """Return which pixels of ``frame`` no part of the products ``before`` it covers."""
    visible = np.ones((frame.height, frame.width), bool)
    for each in before:
        covers = each.pixels[..., 3] > 0
        down, right = each.top - frame.top, each.left - frame.left
        part = visible[
            max(0, down) : max(0, down + covers.shape[0]),
            max(0, right) : max(0, right + covers.shape[1]),
        ]
        part &= ~covers[max(0, -down) :, max(0, -right) :][: part.shape[0], : part.shape[1]]
    return visible
