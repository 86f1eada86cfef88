"""Which variants of its products a series shows: other colours and other sides, with the same look."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Variant
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import Series, SeriesMember
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import object_key
from nb_catalog.registry import subject_of, variants_of
from nb_catalog.series.members import BLOCK, Added, add, stream


def add_variants(
    series: Series, products: Iterable[models.Model], *, keys: Collection[str] | None = None
) -> Added:
    """Append the variants of ``products`` to ``series``, all or those with ``keys``, after the products
    themselves.

    Products that are not members yet are added too. All are added, or none. Variants that were removed are
    added again. Raises ``RequestRefused`` if a product does not have one of ``keys``, or none of them any
    variant; ``RegistryError`` for variants that are not valid, and whatever ``add`` raises.
    """
    added = present = 0
    warnings: tuple[str, ...] = ()
    with transaction.atomic():
        now = database_now()
        offered = 0
        for block in blocks(stream(products), size=BLOCK):
            whole = add(series, block)
            added, present, warnings = added + whole.added, present + whole.present, whole.warnings
            subjects = {object_key(product)[1]: subject_of(product) for product in block}
            rows = series.members.filter(object_id__in=subjects)
            known = {(row.object_id, row.variant): row for row in rows}
            last = series.members.aggregate(last=Max("position"))["last"]
            new: list[SeriesMember] = []
            for key, subject in subjects.items():
                variants = _chosen(subject, keys)
                offered += len(variants)
                for variant in variants:
                    member = known.get((key, variant.key))
                    if member is not None and member.removed_at is None:
                        present += 1
                        continue
                    new.append(
                        SeriesMember(
                            pk=member.pk if member else None,
                            added_at=member.added_at if member else now,
                            absences=member.absences_until(now) if member else [],
                            series=series,
                            content_type_id=series.content_type_id,
                            object_id=key,
                            variant=variant.key,
                            variant_name=variant.name,
                            position=last + 1 + len(new),
                            # Seen by the camera that sees the product.
                            group=known[key, ""].group,
                        )
                    )
            added += len(new)
            SeriesMember.objects.bulk_create([each for each in new if each.pk is None])
            SeriesMember.objects.bulk_update(
                [each for each in new if each.pk is not None],
                ["position", "group", "variant_name", "removed_at", "added_at", "absences"],
            )
        if not offered:
            raise RequestRefused(
                _(
                    "None of these products has variants: further photos, or what variants() of their "
                    "catalog source returns."
                )
            )
    return Added(added=added, present=present, warnings=warnings)


def remove_members(series: Series, keys: Collection[str]) -> int:
    """Remove the members with these ``SeriesMember.key`` and return how many there were. No rule adds them
    again.

    Variants of a product stay when the product itself is removed.
    """
    objects = {key.rpartition(":")[0] or key for key in keys} | set(keys)
    rows = [
        row.pk
        for row in series.members.filter(object_id__in=objects, removed_at=None)
        if row.key in keys
    ]
    removed: int = series.members.filter(pk__in=rows, removed_at=None).update(
        removed_at=database_now()
    )
    return removed


def _chosen(product: models.Model, keys: Collection[str] | None) -> list[Variant]:
    variants = variants_of(product)
    unknown = [key for key in keys or () if key not in variants]
    if unknown:
        raise RequestRefused(
            *(
                _("“%(product)s” has no variant %(key)r.") % {"product": product, "key": key}
                + nearest(key, variants)
                for key in unknown
            )
        )
    return [variant for key, variant in variants.items() if keys is None or key in keys]
