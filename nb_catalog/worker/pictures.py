"""Rows of pictures that lie in the storage: every one that came, and what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from nb_catalog import signals
from nb_catalog.models import ProductImage
from nb_catalog.worker.types import ClaimedJob, JobOutcome, StoredImage


def save_images(endings: Sequence[JobOutcome], ended: set[int]) -> None:
    """A row for every picture. One that arrives after its lease was lost is kept as well,
    unless somebody has stored the same bytes for the same job already."""
    orders = [ending.order for ending in endings]
    twice = [order.job_id for order in orders if order.job_id not in ended or order.epoch > 1]
    known = set(ProductImage.objects.filter(job_id__in=twice).values_list("job_id", "sha256"))
    parents = _bases(orders)
    for depth in range(max((len(ending.images) for ending in endings), default=0)):
        rows = {
            ending.order.job_id: _row(
                ending, ending.images[depth], parents.get(ending.order.job_id)
            )
            for ending in endings
            if depth < len(ending.images)
            and (ending.order.job_id, ending.images[depth].sha256) not in known
        }
        _create(list(rows.values()))
        parents = rows


def _bases(orders: Sequence[ClaimedJob]) -> dict[int, ProductImage]:
    """Of each job that works on a picture, that picture."""
    wanted = {order.spec.base for order in orders} - {""}
    pictures = ProductImage.objects.filter(sha256__in=wanted).order_by("-pk") if wanted else ()
    by_place = {(each.sha256, each.content_type_id, each.object_id): each for each in pictures}
    places = {
        order.job_id: (order.spec.base, order.content_type_id, order.object_id) for order in orders
    }
    return {job: by_place[place] for job, place in places.items() if place in by_place}


def _create(images: list[ProductImage]) -> None:
    if connection.features.can_return_rows_from_bulk_insert:
        ProductImage.objects.bulk_create(images)
    else:
        # MySQL does not tell the keys, which composites and signals need.
        for image in images:
            image.save(force_insert=True)
    for image in images:
        signals.send_on_commit(
            signals.image_made, sender=ProductImage, image_id=image.pk, job_id=image.job_id
        )


def _row(ending: JobOutcome, image: StoredImage, parent: ProductImage | None) -> ProductImage:
    order = ending.order
    return ProductImage(
        job_id=order.job_id,
        parent=parent,
        content_type_id=order.content_type_id,
        object_id=order.object_id,
        kind=image.kind,
        file=image.name,
        sha256=image.sha256,
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        byte_size=image.byte_size,
        spec=_spec(order),
        fingerprint=order.fingerprint,
        request_hash=order.spec.request_hash,
        scene=order.spec.scene,
        tier=order.tier,
        locale=order.spec.locale,
        checks=dict(image.checks),
        digital_source_type=image.digital_source_type,
        provenance=dict(image.provenance),
    )


def _spec(order: ClaimedJob) -> dict[str, Any]:
    """The recipe, and beside it what became of the photo on its way to the model."""
    told = {"photo_sent": dict(order.photo_sent)} if order.photo_sent else {}
    return {**order.spec.as_dict(), **told}
