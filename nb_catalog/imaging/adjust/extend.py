"""More ground around a picture whose scene the local renderer made: rendered on, and merged at the seam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.core.slots import aspect_of, is_close
from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import AdjustmentRefused
from nb_catalog.imaging.adjust.geometry import Bytes, Frame, check_size, then
from nb_catalog.imaging.adjust.kinds import Extend
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.backdrop import build_backdrop
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import smoothstep
from nb_catalog.imaging.scenery.stage import build_stage

# The name by which the translators' tools find texts.
_ = message

Floats = NDArray[np.float32]

VIEW_SIDE: Final = 320
"""Pixels of the longer side at which the scene is recognized."""
SAME: Final = 7.0
"""Mean difference in levels, product aside, up to which a render is the scene of the picture: those of
one version differ by less than 3, and the wrong view by more than 12."""
AROUND: Final = 0.25
"""Share of the product's box around it that its shadow may cover."""
MOST_WIDER: Final = 3.0
"""How much larger than before one side may become."""
SEAM: Final = 0.08
"""Width of the merged strip, as a share of the picture's side."""
EDGE: Final = 0.04
"""Width of the strip whose brightness the ground beyond it takes up, likewise."""
FADE: Final = 0.35
"""How far a shadow at the edge reaches into the new ground, as a share of the old side."""
LEAST: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedScene:
    """What the local renderer made a picture's background from: recipe, seed and, of a set, its camera."""

    recipe: Mapping[str, Any]
    seed: int
    camera: Mapping[str, Any]


def extend(frame: Frame, adjustment: Extend, *, scene: RenderedScene | None, most: int) -> Frame:
    """Return ``frame`` with more of ``scene`` evenly on two sides. ``most`` is the limit of its pixels.

    All of the picture stays as it is but a strip along the seams that the product does not reach. Raises
    ``AdjustmentRefused`` if the renderer did not make the scene, or makes another one of it today.
    """
    if scene is None or frame.pixels.shape[2] != 3:
        raise AdjustmentRefused(not_rendered())
    size = _extended_size(frame.size, adjustment.ratio)
    if size == frame.size:
        return frame
    check_size(size, most=most)
    try:
        recipe = SceneRecipe.from_mapping(scene.recipe)
        camera = Camera.from_mapping(scene.camera) if scene.camera else None
    except ValueError as error:
        raise AdjustmentRefused(
            _("The scene's recipe is not valid any more. %(error)s") % {"error": error}
        ) from error
    if camera is not None:
        recipe = camera.aimed_at(recipe)
    view = _view_of(frame, recipe, seed=scene.seed)
    left, top = (size.width - frame.size.width) // 2, (size.height - frame.size.height) // 2
    stage = build_stage(recipe, size=frame.size, seed=scene.seed, view=view)
    moved = replace(
        stage,
        size=size,
        centre=stage.centre + left,
        floor=stage.floor + top,
        edge=stage.edge + top,
        horizon=stage.horizon + top,
        box=replace(stage.box, centre=stage.box.centre + left, bottom=stage.box.bottom + top),
    )
    around = build_backdrop(recipe, size=size, seed=scene.seed, view=view, stage=moved).pixels
    old = Rect(left, top, *frame.size)
    wide = left > 0
    pixels = _merged(frame, around, old) if wide else _turned(_merged(
        _turned_frame(frame), _turned(around), Rect(top, left, frame.size.height, frame.size.width)
    ))  # fmt: skip
    product = frame.product
    margins = ((top, size.height - old.bottom), (left, size.width - old.right))
    return Frame(
        pixels=pixels,
        product=product and product._replace(left=product.left + left, top=product.top + top),
        mask=None if frame.mask is None else np.pad(frame.mask, margins),
        matrix=then(frame.matrix, np.array([[1.0, 0, left], [0, 1.0, top]])),
    )


def not_rendered() -> str:
    return _(
        "Only a scene that the local renderer made can be rendered on, in the picture as it was made. Ask a "
        "model for more ground in words, or make the picture in another ratio."
    )


def _extended_size(size: Size, ratio: str) -> Size:
    aspect = aspect_of(ratio)
    if is_close(size.width / size.height, aspect):
        return size
    wanted = Size(
        max(size.width, round(size.height * aspect)), max(size.height, round(size.width / aspect))
    )
    if wanted.width > MOST_WIDER * size.width or wanted.height > MOST_WIDER * size.height:
        raise AdjustmentRefused(
            _("Extended to %(ratio)s, more than two thirds of the picture would be new. Extend it less.")
            % {"ratio": ratio}
        )  # fmt: skip
    return wanted


def _view_of(frame: Frame, recipe: SceneRecipe, *, seed: int) -> str:
    """Return from where the scene of ``frame`` is seen. Raises ``AdjustmentRefused`` if it is another."""
    scale = min(1.0, VIEW_SIDE / max(frame.size))
    size = Size(*(max(1, round(side * scale)) for side in frame.size))
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    seen = np.ones((size.height, size.width), np.bool_)
    if frame.product is not None:
        box = frame.product
        by = AROUND * max(box.width, box.height)
        left, top = int(scale * (box.left - by)), int(scale * (box.top - by))
        right, bottom = int(scale * (box.right + by)), int(scale * (box.bottom + by))
        seen[max(0, top) : bottom, max(0, left) : right] = False
        if seen.mean() < 0.05:
            seen[:] = False
            seen[: max(1, size.height // 20)] = True
    views = ("front", "top") if recipe.view == "auto" else (recipe.view,)
    off = {
        view: float(np.abs(
            small - render(recipe, size=size, seed=seed, view=view).pixels
        )[seen].mean())
        for view in views
    }  # fmt: skip
    best = min(off, key=lambda view: off[view])
    if off[best] > SAME:
        raise AdjustmentRefused(
            _(
                "Today the renderer draws this scene differently, so new ground would not match. Make the "
                "picture again, in the ratio that is needed."
            )
        )
    return best


def _merged(frame: Frame, around: Pixels, old: Rect) -> Pixels:
    """Return ``around`` with the picture at ``old``, which is as high, merged at its left and right."""
    new = around.astype(np.float32)
    picture = frame.pixels.astype(np.float32)
    width = frame.size.width
    room = width if frame.product is None else min(frame.product.left, width - frame.product.right)
    seam = int(min(SEAM * width, max(0, room - 2)))
    strip = max(2, round(EDGE * width))
    inside = new[:, old.left : old.right]
    for side in ("left", "right"):
        near = slice(0, strip) if side == "left" else slice(width - strip, width)
        # By how much the picture is brighter along the edge, (H, 3), a little smoothed.
        ratio = (picture[:, near].mean(axis=1) + 4) / (inside[:, near].mean(axis=1) + 4)
        gain = _smooth(ratio, share=0.03)
        lasting = _smooth(gain, share=0.5)
        columns = np.arange(0, old.left + seam) if side == "left" else np.arange(
            old.right - seam, around.shape[1]
        )  # fmt: skip
        far = old.left - columns if side == "left" else columns - (old.right - 1)
        fade = np.clip(1 - np.maximum(far, 0) / (FADE * width), 0, 1).astype(np.float32)
        fade = (fade * fade * (3 - 2 * fade))[None, :, None]
        new[:, columns] *= lasting[:, None] * (1 - fade) + gain[:, None] * fade
    out = np.clip(np.rint(new), 0, 255).astype(np.uint8)
    at = np.arange(width, dtype=np.float32)
    near_edge = np.minimum(at, width - 1 - at)
    share = smoothstep(near_edge, start=0.0, stop=max(float(seam), LEAST))[None, :, None]
    region = out[:, old.left : old.right].astype(np.float32)
    mixed = np.clip(np.rint(region + (picture - region) * share), 0, 255).astype(np.uint8)
    own = near_edge >= seam
    mixed[:, own] = frame.pixels[:, own]
    out[:, old.left : old.right] = mixed
    return out


def _smooth(profile: Floats, *, share: float) -> Floats:
    sigma = max(1.0, share * profile.shape[0])
    # Along the rows only: the columns are channels.
    blurred = cv2.GaussianBlur(
        profile,
        (1, 2 * int(3 * sigma) + 1),
        sigmaX=1,
        sigmaY=sigma,
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.asarray(blurred, np.float32)


def _turned(pixels: Bytes) -> Bytes:
    return np.ascontiguousarray(pixels.transpose(1, 0, 2))


def _turned_frame(frame: Frame) -> Frame:
    box = frame.product
    return replace(
        frame,
        pixels=_turned(frame.pixels),
        product=box and Rect(box.top, box.left, box.height, box.width),
        mask=None,
    )
