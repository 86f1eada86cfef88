"""Pruning: delete files of pictures rejected long ago, and files that no row refers to."""

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

# A file is stored before its row is committed: a younger file may be about to get one.
YOUNG: Final = timedelta(days=1)
BLOCK: Final = 500

OnDelete = Callable[[str], None]


@dataclass(slots=True)
class Pruned:
    """What was deleted, or would be."""

    pictures: int = 0
    orphans: int = 0
    bytes: int = 0
    names: list[str] = field(default_factory=list)


def rejected_before(moment: datetime) -> QuerySet[ProductImage]:
    """Return pictures rejected before ``moment`` whose files nothing refers to: never published, and
    no picture that remains was made from them."""
    referred = Q(pk__in=Placement.objects.values("image"))
    for name in ("image_before", "image_after"):
        events = PlacementEvent.objects.exclude(**{name: None})
        referred |= Q(pk__in=events.values(name))
    kept = ProductImage.objects.exclude(state=ImageState.REJECTED)
    referred |= Q(pk__in=kept.exclude(parent=None).values("parent"))
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
    what was made, what it cost and that it was rejected.

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
            _prune_picture(image, cutoff, done, dry_run=dry_run, on_delete=on_delete)
    if orphans:
        for name in orphaned_files():
            done.orphans += 1
            _delete_file(name, done, dry_run=dry_run, on_delete=on_delete)
    return done


def orphaned_files() -> Iterator[str]:
    """Yield the files in our folders that no row refers to and that are a day old."""
    storage, old = catalog_storage(), database_now() - YOUNG
    for folder in FOLDERS:
        names = list(_below(storage, f"{ROOT}/{folder}"))
        for start in range(0, len(names), BLOCK):
            block = names[start : start + BLOCK]
            images = ProductImage.objects.filter(file__in=block, pruned_at=None)
            renditions = Rendition.objects.filter(file__in=block)
            known = {
                *images.values_list("file", flat=True),
                *renditions.values_list("file", flat=True),
            }
            for name in block:
                if name not in known and storage.get_modified_time(name) < old:
                    yield name


def _prune_picture(
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
        if not others.exists() and not renditions.exists():
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


def _below(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}"
    for each in sorted(folders):
        yield from _below(storage, f"{folder}/{each}")
