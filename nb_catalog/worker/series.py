"""Pictures of a series: framed like the others, and compared with the anchor. Runs in pool threads."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core import logs
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Rect, Size
from nb_catalog.cutouts.finding import backend_of
from nb_catalog.exceptions import NBCatalogError, PictureError, StorageFailed
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import box_in_plain
from nb_catalog.imaging.cutout.backends import NetworkCutout
from nb_catalog.imaging.drift import DRIFT_CHECK, Drift, Look, look_of, look_of_file, measure_drift
from nb_catalog.imaging.inspect import OpenedPicture
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.imaging.reframe import FramedFile, frame_picture
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.models.series import Series
from nb_catalog.registry import read_photo, source_for
from nb_catalog.worker.types import ClaimedJob, SeriesAnchor

logger = logging.getLogger(__name__)

ANCHORS_KEPT: Final = 8
"""Looks of anchors that a process keeps, 400 kB each."""
UNCERTAIN: Final = 0.06
"""Share of the frame around a product's wanted box that it may cover where its place was not measured."""


def with_anchors(jobs: Iterable[ClaimedJob]) -> list[ClaimedJob]:
    """Look up the anchors of the series that ``jobs``, which request pictures, are for. One query at most."""
    jobs = list(jobs)
    keys = {job.image_spec.series for job in jobs} - {""}
    if not keys:
        return jobs
    rows = Series.objects.filter(key__in=keys, anchor__pruned_at=None).exclude(anchor=None)
    anchors = {
        row.key: SeriesAnchor(
            file=row.anchor.file.name,
            sha256=row.anchor.sha256,
            size=(row.anchor.width, row.anchor.height),
            product=tuple(row.anchor.checks.get("product") or ()),
        )
        for row in rows.select_related("anchor")
        if row.anchor is not None
    }
    return [replace(job, anchor=anchors.get(job.image_spec.series)) for job in jobs]


def framed_member(
    job: ClaimedJob, picture: OpenedPicture, *, mark: DigitalSourceType
) -> FramedFile | None:
    """Return the painted picture of a member as its series frames it; None if it is not one.

    What goes wrong is in the report: the picture is paid for, and kept as it is.
    """
    spec = job.image_spec
    if not spec.series or not spec.camera or not spec.redraws_product or spec.base or spec.edit:
        return None
    cutout, is_full_frame = job.found or job.cutout, spec.is_full_frame
    if job.photo is None or (
        not is_full_frame and (cutout is None or cutout.problem or not cutout.method)
    ):
        return FramedFile(report={"missing": "no_cutout"})
    backend = backend_of(source_for(spec.object_type))
    try:
        return frame_picture(
            picture.image,
            photo=read_photo(job.photo),
            mask=storage.read(cutout.mask) if cutout and cutout.mask else None,
            camera=spec.camera,
            proportion=spec.proportion,
            photo_kind=spec.photo_kind,
            mark=mark,
            # Colours alone do not find a product in a scene.
            backend=backend if isinstance(backend, NetworkCutout) else None,
            **picture_limits(),
        )
    except Exception as error:  # noqa: BLE001 - a host's cut-out backend; what was paid for is kept
        if not isinstance(error, NBCatalogError):
            logger.exception(
                "The picture of job %s cannot be framed.",
                job.job_id,
                extra=logs.fields(**job.labels),
            )
        return FramedFile(report={"missing": "failed"})


def drift_check(
    job: ClaimedJob, picture: OpenedPicture, *, product: Box | None, wanted: Box | None = None
) -> dict[str, Any]:
    """Return the check of how far a member's picture is from the anchor; empty for other pictures.

    ``product`` is the product's box in the picture, ``wanted`` the one that it should have. A series
    without an anchor has nothing to compare with yet.
    """
    anchor = job.anchor
    if anchor is None or job.image_spec.base:
        return {}
    drift = _drift(job.image_spec, anchor, picture, product, wanted)
    return {DRIFT_CHECK: {**drift.as_dict(), "anchor": anchor.sha256}}


def _drift(
    spec: ImageSpec,
    anchor: SeriesAnchor,
    picture: OpenedPicture,
    product: Box | None,
    wanted: Box | None,
) -> Drift:
    # Where it is not known, what it may cover is left out; about the product itself nothing is said.
    covered = product or (wanted and wanted.grown(UNCERTAIN))
    if covered is None:
        return Drift(score=None, missing="product")
    try:
        place = _place_in_anchor(spec, anchor)
        if place is None:
            return Drift(score=None, missing="anchor_product")
        first = _look_of_anchor(anchor.file, anchor.sha256, place)
    except (PictureError, StorageFailed, ValueError):
        return Drift(score=None, missing="anchor")
    try:
        member = look_of(picture.image, product=covered)
    except ValueError:
        return Drift(score=None, missing="too_small")
    return measure_drift(first, member, expected=wanted if product else None)


def _place_in_anchor(spec: ImageSpec, anchor: SeriesAnchor) -> Box | None:
    """Return what the anchor's product covers at most, as far as its checks or the series' framing say."""
    size = Size(*anchor.size)
    if len(anchor.product) == 4:
        return Box.of(Rect(*anchor.product), size)
    if not spec.camera:
        return None
    box = box_in_plain(size, camera=Camera.from_mapping(spec.camera))
    left, top = round(box.centre - box.width / 2), round(box.bottom - box.height)
    return Box.of(Rect(left, top, round(box.width), round(box.height)), size)


@lru_cache(maxsize=ANCHORS_KEPT)
def _look_of_anchor(file: str, sha256: str, place: Box) -> Look:
    """``sha256`` is part of the key: the look is that of these bytes."""
    return look_of_file(storage.read(file), product=place, **picture_limits())
