"""Which pictures are exported: chosen ones, or what is published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from django.db.models import Model, Q
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.types import ExportedPicture
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.generic import ObjectKey, content_type_of, key_condition
from nb_catalog.models.images import ImageKind

# Pictures that are looked up together.
BLOCK: Final = 500
# Keys that a refusal names.
_MOST_NAMED: Final = 20


def chosen(keys: Iterable[int]) -> list[ExportedPicture]:
    """Return the pictures with these ``keys``, each once, in their first place if they are published.

    Two queries for each ``BLOCK``. Raises ``RequestRefused`` for keys that do not exist, and for pictures
    that are not approved.
    """
    pictures: list[ExportedPicture] = []
    missing: list[int] = []
    unapproved: list[int] = []
    for block in blocks(dict.fromkeys(keys), size=BLOCK):
        rows = ProductImage.objects.filter(pk__in=block, kind=ImageKind.PICTURE).order_by()
        states = {
            pk: (state, code) for pk, state, code in rows.values_list("pk", "state", "locale")
        }
        places: dict[int, tuple[str, str, int]] = {}
        placed = Placement.objects.filter(image__in=block).order_by("slot", "locale", "position")
        for image, *place in placed.values_list("image_id", "slot", "locale", "position"):
            places.setdefault(image, (place[0], place[1], place[2]))
        for key in block:
            if key not in states:
                missing.append(key)
            elif states[key][0] != ImageState.APPROVED:
                unapproved.append(key)
            else:
                slot, locale, position = places.get(key, ("", "", 0))
                pictures.append(ExportedPicture(key, slot, locale or states[key][1], position))
    objections = []
    if missing:
        objections.append(
            _("There are no pictures with these numbers: %(numbers)s.")
            % {"numbers": _named(missing)}
        )
    if unapproved:
        objections.append(
            _(
                "Only approved pictures are exported. Approve these first, or leave them out: %(numbers)s."
            )
            % {"numbers": _named(unapproved)}
        )
    if objections:
        raise RequestRefused(*objections)
    return pictures


def approved(*, run: int | None = None, series: str = "") -> list[ExportedPicture]:
    """Return the approved pictures of a ``run`` or a ``series``, as ``chosen`` does."""
    condition = {"series": series} if run is None else {"job__run": run}
    rows = ProductImage.objects.filter(
        **condition, kind=ImageKind.PICTURE, state=ImageState.APPROVED
    )
    return chosen(rows.order_by("content_type", "object_id", "pk").values_list("pk", flat=True))


def published(
    *,
    models: Collection[type[Model]] | None = None,
    keys: Iterable[ObjectKey] | None = None,
    slots: Sequence[str] = (),
    locales: Sequence[str] = (),
    placements: Iterable[int] | None = None,
    run: int | None = None,
    series: str = "",
) -> list[ExportedPicture]:
    """Return what is published now, in the order of products and places. One query.

    Each argument restricts it: to objects of ``models``, to the objects ``keys``, to ``slots`` and
    ``locales`` ("" for pictures of all languages), to the ``placements`` with these keys, to pictures of a
    ``run`` and of a ``series``.
    """
    condition = Q()
    if models is not None:
        condition &= Q(content_type__in=[content_type_of(model) for model in models])
    if keys is not None:
        condition &= key_condition(keys)
    if slots:
        condition &= Q(slot__in=slots)
    if locales:
        condition &= Q(locale__in=locales)
    if placements is not None:
        condition &= Q(pk__in=list(placements))
    if run is not None:
        condition &= Q(image__job__run=run)
    if series:
        condition &= Q(image__series=series)
    rows = Placement.objects.filter(condition).order_by(
        "content_type", "object_id", "slot", "locale", "position"
    )
    columns = ("image_id", "slot", "locale", "position")
    return [ExportedPicture(*row) for row in rows.values_list(*columns)]


def _named(keys: Sequence[int]) -> str:
    more = ["…"] if len(keys) > _MOST_NAMED else []
    return ", ".join([*map(str, keys[:_MOST_NAMED]), *more])
