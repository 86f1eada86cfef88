"""Composites in a photo of a place: the product's own pixels in a picture that a camera took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from nb_catalog.core.types import Size
from nb_catalog.imaging.compose import WHOLE, Composition, Framing, compose, estimate_pose
from nb_catalog.imaging.compose.pose import Pose
from nb_catalog.imaging.compose.sizing import fit_size
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, strongest
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace

SMALL_BACKDROP: Final = "small_backdrop"
"""The key of what a picture's checks report about a photo of a place that is too small."""


class InPhoto(NamedTuple):
    """A composite, the term of its origin, and what to report about its size."""

    composition: Composition
    term: DigitalSourceType
    report: Mapping[str, Any]


def compose_in_photo(
    cutout: Cutout,
    photo: bytes,
    *,
    place: BackdropPlace,
    size: Size,
    seed: int,
    pose: Pose | None = None,
    framing: Framing = WHOLE,
    origin: str = "",
    max_bytes: int,
    max_pixels: int,
) -> InPhoto:
    """Place the product in ``photo``, of which the part around its place is shown.

    Neither product nor photo is enlarged more than looks sharp: the picture gets smaller instead, as
    in ``compose.fit_scene``, and the report says so. ``origin`` is the photo's term if it is known;
    the mark in the file counts as well. Raises ``PictureError`` if the file does not open.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    facts = examine(photo, decode=False, **limits)
    full = Size(facts.width, facts.height)
    if place.view != "front":
        pose = "lying"
    pose = pose or estimate_pose(cutout.pixels[..., 3])
    shown = place.shown(full, ratio=size)
    box = place.box(full, shown=shown, size=size, pose=pose)
    enlargement = framing.enlargement(cutout.solid, box)
    product = fit_size(size, enlargement=enlargement).require_detail()
    behind = fit_size(size, enlargement=size.width / shown.width)
    fitted = min(product, behind, key=lambda each: each.size.width)
    shown = place.shown(full, ratio=fitted.size)
    backdrop = place.backdrop(
        photo, full=full, shown=shown, size=fitted.size, pose=pose, limits=limits
    )
    composition = compose(cutout, backdrop, seed=seed, pose=pose, framing=framing)
    report = {**product.report(), **framing.report(cutout.solid, backdrop.box)}
    for sizes in behind.report().values():
        report[SMALL_BACKDROP] = sizes
    return InPhoto(composition, term_for(photo, origin=origin), report)


def term_for(photo: bytes, *, origin: str = "") -> DigitalSourceType:
    """Return the term of a composite of two photos, one of which is ``photo``, with the most AI.

    A place that a model drew, in whole or in part, makes the picture one with elements of a model; the
    product in it is still the camera's.
    """
    terms = [DigitalSourceType.COMPOSITE]
    for term in (read_mark(photo), DigitalSourceType(origin) if origin else None):
        if term is not None:
            terms.append(DigitalSourceType.COMPOSITE_WITH_MODEL if term.made_with_ai else term)
    return strongest(*terms)
