"""The plan of an export: the name of each file, before anything is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.iteration import blocks
from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.names import NamePattern, Names
from nb_catalog.export.selection import BLOCK
from nb_catalog.export.types import ExportedFile, ExportedPicture, ExportOptions
from nb_catalog.imaging.exported import exported_size
from nb_catalog.models import ProductImage
from nb_catalog.models.generic import ObjectKey
from nb_catalog.registry import is_registered, source_for

# Pairs of pictures with one name that a refusal lists.
MOST_PAIRS: Final = 5
_OF_PRODUCTS: Final = frozenset({"sku", "slug", "title"})
# The most precise ratio that is meant by a size whose picture names none, such as 16:9.
_LARGEST_TERM: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """The files of an export, in their order, and its options."""

    files: tuple[ExportedFile, ...]
    options: ExportOptions


def plan_export(pictures: Sequence[ExportedPicture], options: ExportOptions) -> ExportPlan:
    """Return the plan of an export of ``pictures``. Two queries for each ``BLOCK`` at most.

    Raises ``RequestRefused`` if there are none, for options that are not valid, and for pictures that would
    have the same name, each pair with its numbers.
    """
    options.validate()
    if not pictures:
        raise RequestRefused(
            _("There are no pictures to export. Choose some that are approved or published.")
        )
    pattern, names = NamePattern(options.pattern), Names(number=options.number)
    files: list[ExportedFile] = []
    pairs: list[tuple[str, int, int]] = []
    for block in blocks(pictures, size=BLOCK):
        for picture, values in _values(block, fields=pattern.fields, options=options):
            stem, other = names.take(pattern.stem(values), image=picture.image)
            files.append(ExportedFile(picture, stem))
            if other is not None:
                pairs.append((stem, other, picture.image))
    if pairs:
        objections = [
            _("The pictures %(first)s and %(second)s would both be called “%(name)s”.")
            % {"first": first, "second": second, "name": stem}
            for stem, first, second in pairs[:MOST_PAIRS]
        ]
        if len(pairs) > MOST_PAIRS:
            objections.append(_("So would %(number)s more.") % {"number": len(pairs) - MOST_PAIRS})
        raise RequestRefused(
            *objections,
            _("Add a field to the pattern, such as {image}, or have them numbered."),
        )
    return ExportPlan(files=tuple(files), options=options)


def _values(
    pictures: Sequence[ExportedPicture], *, fields: frozenset[str], options: ExportOptions
) -> Iterable[tuple[ExportedPicture, Mapping[str, object]]]:
    """Yield each picture with the values of ``fields``."""
    columns = ["pk", "content_type_id", "object_id", "width", "height"]
    if "ratio" in fields:
        columns.append("spec__ratio")
    rows = {
        row["pk"]: row
        for row in ProductImage.objects.filter(pk__in={each.image for each in pictures})
        .order_by()
        .values(*columns)
    }
    keys = {(row["content_type_id"], row["object_id"]) for row in rows.values()}
    products = products_of(keys) if fields & _OF_PRODUCTS else {}
    for picture in pictures:
        row = rows.get(picture.image)
        if row is None:
            continue
        width, height = exported_size(
            row["width"], row["height"], longest_side=options.longest_side
        )
        key = (row["content_type_id"], row["object_id"])
        ratio = Fraction(width, height).limit_denominator(_LARGEST_TERM)
        yield (
            picture,
            {
                **_of_product(products.get(key), pk=row["object_id"], fields=fields),
                "pk": row["object_id"],
                "slot": picture.slot,
                "locale": picture.locale,
                # People count from 1, as the names of places do.
                "position": picture.position + 1,
                "width": width,
                "height": height,
                "ratio": (
                    row.get("spec__ratio") or f"{ratio.numerator}:{ratio.denominator}"
                ).replace(":", "x"),
                "image": picture.image,
            },
        )


def _of_product(product: Model | None, *, pk: str, fields: frozenset[str]) -> dict[str, object]:
    if product is None:
        return {"sku": pk, "slug": pk, "title": pk}
    values: dict[str, object] = {}
    source = source_for(product)
    if "sku" in fields:
        values["sku"] = sku_of(product) or pk
    if fields & {"slug", "title"}:
        title = source.title(product)
        values |= {"title": title or pk, "slug": slugify(title) or pk}
    return values


def sku_of(product: Model) -> str:
    """Return the article number of ``product`` as its source reports it; "" if it has none."""
    source = source_for(product)
    with host_code(f"{type(source).__name__}.sku()"):
        return str(source.sku(product))


def products_of(keys: Iterable[ObjectKey]) -> dict[ObjectKey, Any]:
    """Return the catalog objects with these ``keys`` that exist and whose models are registered.

    One query for each model, and those of ``CatalogSource.queryset``.
    """
    by_type: dict[int, list[str]] = defaultdict(list)
    for type_id, key in keys:
        by_type[type_id].append(key)
    products: dict[ObjectKey, Any] = {}
    for type_id, object_ids in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None and is_registered(model):
            rows = source_for(model).queryset().filter(pk__in=object_ids)
            products |= {(type_id, str(row.pk)): row for row in rows}
    return products
