"""Pruning: delete files of pictures rejected long ago, and files that no row refers to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    CatalogPhoto,
    CutoutEvent,
    Export,
    GalleryDelivery,
    IdempotencyKey,
    ImageJob,
    PhotoCutout,
    PhotoRendition,
    Placement,
    PlacementEvent,
    ProductImage,
    Rendition,
    ReviewClaim,
    ReviewDecision,
    Scene,
    Series,
    SeriesMember,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import existing_keys
from nb_catalog.models.images import ImageKind
from nb_catalog.signals import events
from nb_catalog.storage import FOLDERS, ROOT, catalog_storage

logger = logging.getLogger(__name__)

# A file is stored before its row is committed: a younger file may be about to get one.
YOUNG: Final = timedelta(days=1)
BLOCK: Final = 500
# By folder: where specs of pictures and jobs name its files.
NAMED_BY_SPECS: Final[Mapping[str, tuple[str, ...]]] = {
    "backdrops": ("backdrop_file",),
    "masks": ("edit__mask__file", "edit__area__file"),
}

OnDelete = Callable[[str], None]
CatalogRow = TypeVar(
    "CatalogRow", Placement, CatalogPhoto, PhotoCutout, SeriesMember, GalleryDelivery
)


@dataclass(slots=True)
class Pruned:
    """What was deleted, or would be."""

    pictures: int = 0
    placements: int = 0
    orphans: int = 0
    bytes: int = 0
    names: list[str] = field(default_factory=list)


def rejected_before(moment: datetime) -> QuerySet[ProductImage]:
    """Return pictures rejected before ``moment`` whose files nothing refers to: never published, and
    no picture that remains was made from them or is a final of them, no series has them as its anchor."""
    referred = Q(pk__in=Placement.objects.values("image"))
    for name in ("image_before", "image_after"):
        events = PlacementEvent.objects.exclude(**{name: None})
        referred |= Q(pk__in=events.values(name))
    kept = ProductImage.objects.exclude(state=ImageState.REJECTED)
    referred |= Q(pk__in=kept.exclude(parent=None).values("parent"))
    referred |= Q(pk__in=kept.exclude(draft=None).values("draft"))
    referred |= Q(pk__in=Series.objects.exclude(anchor=None).values("anchor"))
    rejected = _rejected().annotate(decided=Max("review_events__at")).filter(decided__lt=moment)
    unreferenced: QuerySet[ProductImage] = rejected.exclude(referred).order_by("pk")
    return unreferenced


def _rejected() -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(state=ImageState.REJECTED, pruned_at=None)


def prune(
    *,
    days: int,
    orphans: bool = True,
    dry_run: bool = False,
    on_delete: OnDelete = lambda name: None,
) -> Pruned:
    """Delete the files of pictures rejected more than ``days`` ago, and orphans. Rows remain: they record
    what was made, what it cost and that it was rejected. Idempotency keys,
    decisions and claims of reviewers as old are forgotten, not what they did.
    Placements, photos and members of series whose catalog objects
    no longer exist are deleted; the history keeps an event for each placement.

    ``on_delete`` is called with each name. With ``dry_run`` nothing is deleted.
    """
    done = Pruned()
    cutoff = database_now() - timedelta(days=days)
    # All kinds are listed because the index with the creation time begins with the kind.
    old = _rejected().filter(kind__in=ImageKind.values, created_at__lt=cutoff)
    keys = sorted(old.order_by().values_list("pk", flat=True))
    # References are looked up block by block: in one query this takes long.
    for start in range(0, len(keys), BLOCK):
        for image in rejected_before(cutoff).filter(pk__in=keys[start : start + BLOCK]):
            prune_picture(image, cutoff, done, dry_run=dry_run, on_delete=on_delete)
    for rows in (
        Placement.objects.all(),
        CatalogPhoto.objects.all(),
        PhotoCutout.objects.all(),
        SeriesMember.objects.all(),
    ):
        for gone in _of_deleted_objects(rows):
            done.placements += len(gone) if rows.model is Placement else 0
            if not dry_run:
                _delete_rows(gone)
    if not dry_run:
        for deliveries in _of_deleted_objects(GalleryDelivery.objects.all()):
            keys = [each.pk for each in deliveries]
            # What was delivered for them is deleted when these are worked on.
            GalleryDelivery.objects.filter(pk__in=keys).update(image=None, due_at=database_now())
    if orphans:
        for name in orphaned_files():
            done.orphans += 1
            _delete_file(name, done, dry_run=dry_run, on_delete=on_delete)
    if not dry_run:
        IdempotencyKey.objects.filter(created_at__lt=cutoff).delete()
        # The history keeps the events; nobody sends these again, or undoes them.
        ReviewDecision.objects.filter(at__lt=cutoff).delete()
        ReviewClaim.objects.filter(until__lt=cutoff).delete()
    return done


def _of_deleted_objects(rows: QuerySet[CatalogRow]) -> Iterator[list[CatalogRow]]:
    """Yield those of ``rows`` whose catalog objects no longer exist, in blocks."""
    types = list(rows.order_by().values_list("content_type_id", flat=True).distinct())
    for type_id in types:
        keys = rows.filter(content_type_id=type_id).order_by().values_list("object_id", flat=True)
        for block in blocks(sorted(set(keys)), size=BLOCK):
            gone = set(block) - existing_keys(type_id, block)
            if gone:
                yield list(rows.filter(content_type_id=type_id, object_id__in=gone))


def _delete_rows(rows: Sequence[CatalogRow]) -> None:
    for row in rows:
        with transaction.atomic():
            if isinstance(row, Placement):
                event = PlacementEvent.objects.create(
                    content_type_id=row.content_type_id,
                    object_id=row.object_id,
                    slot=row.slot,
                    locale=row.locale,
                    position=row.position,
                    image_before_id=row.image_id,
                    move="prune",
                )
                events.record_places([(event, None)])
            row.delete()


def orphaned_files() -> Iterator[str]:
    """Yield the files in our folders that no row refers to and that are a day old."""
    storage, old = catalog_storage(), database_now() - YOUNG
    for folder in FOLDERS:
        names = list(files_below(storage, f"{ROOT}/{folder}"))
        for start in range(0, len(names), BLOCK):
            block = names[start : start + BLOCK]
            unknown = set(block) - _with_rows(block)
            candidates = [
                name for name in block if name in unknown and storage.get_modified_time(name) < old
            ]
            if candidates and (fields := NAMED_BY_SPECS.get(folder)):
                named = _named_by_specs(candidates, fields)
                candidates = [name for name in candidates if name not in named]
            yield from candidates


def _with_rows(names: Sequence[str]) -> set[str]:
    """Return those of ``names`` that are the file of a row."""
    known = set(
        ProductImage.objects.filter(file__in=names, pruned_at=None).values_list("file", flat=True)
    )
    # A decision about a mask can be undone, which brings the mask before it back.
    for model, column in (
        (Rendition, "file"),
        (PhotoRendition, "file"),
        (PhotoCutout, "mask"),
        (CutoutEvent, "mask"),
        (Scene, "backdrop"),
        (GalleryDelivery, "backup"),
        (Export, "file"),
    ):
        rows = model._default_manager.filter(**{f"{column}__in": names})
        known.update(rows.values_list(column, flat=True))
    # A series keeps the photo of its scene, whatever becomes of the scene.
    known.update(look["backdrop"] for look in Series.objects.values_list("look", flat=True))
    return known


def _named_by_specs(files: Collection[str], fields: Iterable[str]) -> set[str]:
    """Return those of ``files`` that a picture was made with, or a job may still be, by ``fields`` of specs.

    A scene may have another photo by now, or be gone; its pictures are made again with the photo of their
    spec, and an edit with its mask. Specs have no index, so this reads all of them, and only when a file is
    about to be deleted.
    """
    named: set[str] = set()
    for model in (ProductImage, ImageJob):
        for name in fields:
            path = f"spec__{name}"
            rows = model._default_manager.filter(**{f"{path}__in": list(files)})
            named.update(rows.order_by().values_list(path, flat=True).distinct())
    return named


def prune_picture(
    image: ProductImage, cutoff: datetime, done: Pruned, *, dry_run: bool, on_delete: OnDelete
) -> None:
    with transaction.atomic():
        if not dry_run:
            # Someone may have reconsidered it in the meantime.
            still = rejected_before(cutoff).filter(pk=image.pk).values("pk")
            keys = list(still.values_list("pk", flat=True))
            if not ProductImage.objects.filter(pk__in=keys, pruned_at=None).update(
                pruned_at=database_now()
            ):
                return
        names = {str(image.file.name), *image.renditions.values_list("file", flat=True)}
        if not dry_run:
            image.renditions.all().delete()
    done.pictures += 1
    for name in sorted(names):
        # The same bytes have the same name: another row may refer to the file.
        others = ProductImage.objects.filter(file=name, pruned_at=None).exclude(pk=image.pk)
        renditions = Rendition.objects.filter(file=name).exclude(image=image)
        photos = PhotoRendition.objects.filter(file=name)
        if not (others.exists() or renditions.exists() or photos.exists()):
            _delete_file(name, done, dry_run=dry_run, on_delete=on_delete)


def _delete_file(name: str, done: Pruned, *, dry_run: bool, on_delete: OnDelete) -> None:
    storage = catalog_storage()
    try:
        done.bytes += storage.size(name)
        if not dry_run:
            storage.delete(name)
    except FileNotFoundError:
        return
    except Exception:  # noqa: BLE001 - a storage may be any foreign code with any error
        logger.exception("%s could not be deleted; the next run treats it as an orphan.", name)
        return
    done.names.append(name)
    on_delete(name)


def files_below(storage: Storage, folder: str) -> Iterator[str]:
    """Yield the names of the files in ``folder`` and in the folders in it."""
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
    for each in sorted(folders):
        yield from files_below(storage, f"{folder}/{each}")
