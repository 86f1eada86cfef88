"""Pictures of bundles: from the files of their parts to a JPEG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PIL import Image

from nb_catalog.core.types import PhotoKind, Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.colour_shift import RELIT_CHECK, worst
from nb_catalog.imaging.compose import estimate_pose
from nb_catalog.imaging.compose.bundle import (
    BundleComposition,
    BundlePart,
    compose_bundle,
    compose_bundle_on,
    fit_bundle,
    fit_bundle_on,
)
from nb_catalog.imaging.compose.flat import flat_cutout_photo
from nb_catalog.imaging.compose.light_map import scene_light
from nb_catalog.imaging.cutout import Cutout, CutoutBackend
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.encode import MASTER_QUALITY, encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.locked import Composed, cut_out_photo, report_on
from nb_catalog.imaging.provenance import source_type_for, xmp_packet
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.camera import Camera

PARTS_CHECK: Final = "parts"
"""The key of where each product of a bundle is in its picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One product of a bundle as files: its photo and, if there is one, its mask, a PNG file.

    ``refine``, ``backend``, ``pose`` and ``photo_kind`` are as in ``locked.compose_into``; ``height_cm`` is
    the real height, None if it is not known.
    """

    photo: bytes = field(repr=False)
    mask: bytes | None = field(default=None, repr=False)
    refine: bool = False
    backend: CutoutBackend | None = None
    pose: str = ""
    photo_kind: str = ""
    height_cm: float | None = None

    @property
    def is_full_frame(self) -> bool:
        return self.photo_kind == PhotoKind.FULL_FRAME


def render_bundle(
    files: Sequence[PartFile],
    recipe: SceneRecipe,
    *,
    size: Size,
    seed: int,
    camera: Camera | None = None,
    relit: bool = False,
    max_bytes: int,
    max_pixels: int,
) -> Composed:
    """Render the products together in a scene, ``relit`` in its light.

    They lie and are seen from above if one of them cannot stand and the scene allows it. The picture is
    smaller than ``size`` if a photo is too small for it. Raises ``PictureError``, also for a photo that is
    far too small for any picture.
    """
    if camera is not None:
        recipe = camera.aimed_at(recipe)
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    cut = {
        index: _cut_out(each, side=max(size), limits=limits)
        for index, each in enumerate(files)
        if not each.is_full_frame
    }
    view = recipe.view
    if view == "auto":
        poses = [each.pose for each in files if each.pose]
        poses += [
            estimate_pose(cutout.pixels[..., 3])
            for index, cutout in cut.items()
            if not files[index].pose
        ]
        view = "top" if "lying" in poses else "front"
    parts = _parts(files, cut, side=max(size), view=view, limits=limits)
    fitted = fit_bundle(parts, recipe, size=size, seed=seed, view=view).require_detail()
    backdrop = render(recipe, size=fitted.size, seed=seed, view=view)
    light = scene_light(recipe, size=fitted.size, seed=seed, view=view) if relit else None
    made = compose_bundle(
        parts, backdrop, recipe=recipe, seed=seed, light=light, is_fixed=camera is not None
    )
    term = source_type_for(model_drew_background=False, model_drew_product=False, procedural=True)
    data = encode(
        made.pixels, format="jpeg", quality=MASTER_QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return Composed(data, made.product, {**fitted.report(), **_report(parts, made)})


def compose_bundle_into(
    picture: bytes,
    files: Sequence[PartFile],
    *,
    view: str,
    camera: Mapping[str, Any] | None = None,
    max_bytes: int,
    max_pixels: int,
) -> Composed:
    """Place the products together in ``picture``, an empty background from a model seen from ``view``.

    Raises ``PictureError`` if a file does not open, a product cannot be cut out or the camera is invalid.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    try:
        seen_by = Camera.from_mapping(camera) if camera else None
    except ValueError as error:
        raise PictureError(f"The camera of the set is invalid. {error}") from error
    background = open_photo(picture, **limits).convert("RGB")
    side = max(background.size)
    cut = {
        index: _cut_out(each, side=side, limits=limits)
        for index, each in enumerate(files)
        if not each.is_full_frame
    }
    parts = _parts(files, cut, side=side, view=view, limits=limits)
    fitted = fit_bundle_on(parts, size=Size(*background.size), view=view, camera=seen_by)
    if fitted.is_reduced:
        background = background.resize(fitted.size, Image.Resampling.LANCZOS)
    made = compose_bundle_on(parts, np.asarray(background), view=view, camera=seen_by)
    term = source_type_for(model_drew_background=True, model_drew_product=False)
    data = encode(
        made.pixels, format="jpeg", quality=MASTER_QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return Composed(data, made.product, {**fitted.report(), **_report(parts, made)})


def _cut_out(file: PartFile, *, side: int, limits: Mapping[str, int]) -> Cutout:
    return cut_out_photo(
        file.photo,
        alpha=None if file.mask is None else read_mask(file.mask, **limits),
        refine=file.refine,
        backend=file.backend,
        picture_side=side,
        **limits,
    )


def _parts(
    files: Sequence[PartFile],
    cut: Mapping[int, Cutout],
    *,
    side: int,
    view: str,
    limits: Mapping[str, int],
) -> list[BundlePart]:
    """Return the products without their backgrounds; a photo that is all product becomes a board."""
    return [
        BundlePart(
            cutout=cut[index]
            if index in cut
            else flat_cutout_photo(
                each.photo, picture_side=side, is_turned=view == "front", **limits
            ),
            height_cm=each.height_cm,
        )
        for index, each in enumerate(files)
    ]


def _report(parts: Sequence[BundlePart], made: BundleComposition) -> Mapping[str, Any]:
    """Return where the products are, how far each was relit, and the doubts about their cut-outs."""
    places: list[dict[str, Any]] = [
        {"box": list(each.rect), "covered": round(each.covered, 3)} for each in made.parts
    ]
    doubts = report_on(*(part.cutout for part in parts))
    if not made.shifts:
        return {PARTS_CHECK: places, **doubts}
    for place, shift in zip(places, made.shifts, strict=True):
        place[RELIT_CHECK] = shift.report()
    return {PARTS_CHECK: places, RELIT_CHECK: worst(made.shifts).report(), **doubts}
