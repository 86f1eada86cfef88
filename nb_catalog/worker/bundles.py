"""The parts of a bundle on their way into its picture: each one as a job about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType

from nb_catalog.core.text import message as _
from nb_catalog.core.types import Reference
from nb_catalog.cutouts.finding import backend_of
from nb_catalog.exceptions import NBCatalogError, NotRegistered, ObjectGone, PictureMissing
from nb_catalog.imaging.bundles import PartFile
from nb_catalog.registry import read_photo, source_for
from nb_catalog.worker import cutouts
from nb_catalog.worker.types import ClaimedJob


class PartFiles(NamedTuple):
    """The photo of a part, and its stored cut-out for a provider that composites."""

    photo: bytes
    masks: tuple[Reference, ...] = ()


def bundles_with_photos(
    jobs: Sequence[ClaimedJob], *, look_up: Callable[[Sequence[ClaimedJob]], list[ClaimedJob]]
) -> list[ClaimedJob]:
    """Return jobs about bundles with their parts, whose photos and cut-outs are looked up together.

    A part that is gone is the ``problem`` of its job.
    """
    expanded: dict[tuple[int, int], ClaimedJob] = {}
    out: list[ClaimedJob] = []
    for number, job in enumerate(jobs):
        try:
            for position, spec in enumerate(job.image_spec.part_specs):
                model = source_for(spec.object_type).model
                expanded[number, position] = replace(
                    job,
                    spec=spec,
                    # Unique in this block, so that the results find back to their places.
                    job_id=number,
                    epoch=position,
                    content_type_id=ContentType.objects.get_for_model(model).pk,
                    object_id=spec.object_id,
                )
        except NotRegistered as error:
            job = replace(job, problem=ObjectGone(str(error)))
        out.append(job)
    found = {each.fence: each for each in look_up(list(expanded.values()))}
    for number, job in enumerate(out):
        if job.problem is not None:
            continue
        parts = tuple(
            replace(found[number, position], job_id=job.job_id, epoch=job.epoch)
            for position in range(len(job.image_spec.parts))
        )
        problem = next((_named(part.problem, part) for part in parts if part.problem), None)
        out[number] = replace(job, parts=parts, photo=parts[0].photo, problem=problem)
    return out


def read_parts(job: ClaimedJob) -> tuple[ClaimedJob, tuple[PartFiles, ...]]:
    """Return ``job`` with the cut-outs of its parts, and their files in order. Runs in a pool thread.

    If a part cannot be cut out, the job's ``problem`` names its photo, and there are no files. Raises
    ``PictureError``, ``StorageFailed``.
    """
    parts: list[ClaimedJob] = []
    files: list[PartFiles] = []
    for part in job.parts:
        if part.photo is None:
            raise PictureMissing("A part of the bundle has no photo. Plan its pictures again.")
        photo = read_photo(part.photo)
        masks: tuple[Reference, ...] = ()
        if part.image_spec.needs_cutout:
            part, masks = cutouts.with_masks(part, photo)
        parts.append(part)
        files.append(PartFiles(photo, masks))
    problem = next((_named(part.problem, part) for part in parts if part.problem), None)
    job = replace(job, parts=tuple(parts), problem=problem)
    return job, () if problem is not None else tuple(files)


def part_files(job: ClaimedJob, files: Sequence[PartFiles]) -> list[PartFile]:
    """Return the files of a bundle as the composer takes them."""
    return [
        PartFile(
            photo=each.photo,
            mask=each.masks[0].data if each.masks else None,
            refine=bool(each.masks) and each.masks[0].role == "found_mask",
            backend=backend_of(source_for(part.image_spec.object_type)),
            pose=part.image_spec.pose,
            photo_kind=part.image_spec.photo_kind,
            height_cm=described.get("height_cm") or None,
        )
        for part, each, described in zip(job.parts, files, job.image_spec.parts, strict=True)
    ]


def _named(problem: NBCatalogError | None, part: ClaimedJob) -> NBCatalogError:
    """Return ``problem`` with the photo that it is about."""
    assert problem is not None  # noqa: S101 - asked of parts with one only
    text = _("The part with the photo %(photo)s: %(problem)s")
    return type(problem)(text % {"photo": part.image_spec.photo, "problem": problem})
