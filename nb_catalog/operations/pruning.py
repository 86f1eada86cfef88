"""Taking away what nobody needs: files of pictures rejected long ago, and files that no row knows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, PlacementEvent, ProductImage, Rendition
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind
from nb_catalog.storage import FOLDERS, ROOT, catalog_storage

logger = logging.getLogger(__name__)

# A file is stored before its row is committed: what is young may be about to get one.
YOUNG: Final = timedelta(days=1)
BLOCK: Final = 500

Report = Callable[[str], None]


@dataclass(slots=True)
class Pruned:
    """What was taken away, or would be."""

    pictures: int = 0
    orphans: int = 0
    bytes: int = 0
    names: list[str] = field(default_factory=list)


def rejected_before(moment: datetime) -> QuerySet[ProductImage]:
    """Pictures rejected before ``moment`` whose files nobody refers to: never published, and nothing
    that is kept was made from them."""
    referred = Q(pk__in=Placement.objects.values("image"))
    for name in ("image_before", "image_after"):
        events = PlacementEvent.objects.exclude(**{name: None})
        referred |= Q(pk__in=events.values(name))
    kept = ProductImage.objects.exclude(state=ImageState.REJECTED)
    referred |= Q(pk__in=kept.exclude(parent=None).values("parent"))
    rejected = _rejected().annotate(decided=Max("review_events__at")).filter(decided__lt=moment)
    found: QuerySet[ProductImage] = rejected.exclude(referred).order_by("pk")
    return found


def _rejected() -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(state=ImageState.REJECTED, pruned_at=None)


def prune(
    *, days: int, orphans: bool = True, dry_run: bool = False, told: Report = lambda name: None
) -> Pruned:
    """Take away files of pictures rejected more than ``days`` ago, and orphans. Rows stay: they say
    what was made, what it cost and that it is not wanted again.

    ``told`` is called with each name. With ``dry_run`` nothing is taken away.
    """
    done = Pruned()
    cutoff = database_now() - timedelta(days=days)
    # Every kind is named because the index of when they were made begins with it.
    old = _rejected().filter(kind__in=ImageKind.values, created_at__lt=cutoff)
    keys = sorted(old.order_by().values_list("pk", flat=True))
    # Who refers to them is asked for a block at a time: for all at once it takes long.
    for start in range(0, len(keys), BLOCK):
        for image in rejected_before(cutoff).filter(pk__in=keys[start : start + BLOCK]):
            _prune_picture(image, cutoff, done, dry_run=dry_run, told=told)
    if orphans:
        for name in _orphans(catalog_storage()):
            done.orphans += 1
            _delete_file(name, done, dry_run=dry_run, told=told)
    return done


def _prune_picture(
    image: ProductImage, cutoff: datetime, done: Pruned, *, dry_run: bool, told: Report
) -> None:
    with transaction.atomic():
        if not dry_run:
            # Somebody may have reconsidered it since it was looked for.
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
        if not _is_known(name, but=image):
            _delete_file(name, done, dry_run=dry_run, told=told)


def _is_known(name: str, *, but: ProductImage | None = None) -> bool:
    """Whether a row refers to the file: the same bytes have the same name, whoever made them."""
    images = ProductImage.objects.filter(file=name, pruned_at=None)
    renditions = Rendition.objects.filter(file=name)
    if but is not None:
        images, renditions = images.exclude(pk=but.pk), renditions.exclude(image=but)
    return images.exists() or renditions.exists()


def _delete_file(name: str, done: Pruned, *, dry_run: bool, told: Report) -> None:
    storage = catalog_storage()
    try:
        done.bytes += storage.size(name)
        if not dry_run:
            storage.delete(name)
    except FileNotFoundError:
        return
    except Exception:  # noqa: BLE001 - a storage may be any foreign code with any error
        logger.exception("%s could not be taken away; the next time it is an orphan.", name)
        return
    done.names.append(name)
    told(name)


def _orphans(storage: Storage) -> Iterator[str]:
    """Files below our folders that no row knows and that are a day old."""
    old = database_now() - YOUNG
    for folder in FOLDERS:
        names = list(_below(storage, f"{ROOT}/{folder}"))
        for start in range(0, len(names), BLOCK):
            block = names[start : start + BLOCK]
            known = set(
                ProductImage.objects.filter(file__in=block, pruned_at=None).values_list(
                    "file", flat=True
                )
            ) | set(Rendition.objects.filter(file__in=block).values_list("file", flat=True))
            for name in block:
                if name not in known and storage.get_modified_time(name) < old:
                    yield name


def _below(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
    for each in sorted(folders):
        yield from _below(storage, f"{folder}/{each}")
