"""Which published picture one that is reviewed would take the place of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import F

from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, ProductImage

_STANDING: Final = (ImageState.PENDING, ImageState.APPROVED)


def previous_images(images: Sequence[ProductImage]) -> dict[int, Placement]:
    """By the key of each of ``images``, where a former picture of what it shows is published: made as it was,
    or with words in the same layout and language on the same picture, set or painted. Two queries at most."""
    standing = [image for image in images if image.state in _STANDING]
    found = _with_the_same_words([image for image in standing if image.spec.get("base")])
    rows = Placement.objects.filter(
        image__request_hash__in={image.request_hash for image in standing}
    )
    alike = {
        each.shown: each
        for each in rows.annotate(shown=F("image__request_hash")).defer("picture_data")
    }
    return found | {
        image.pk: alike[image.request_hash] for image in standing if image.request_hash in alike
    }


def _with_the_same_words(images: Sequence[ProductImage]) -> dict[int, Placement]:
    if not images:
        return {}
    rows = Placement.objects.filter(
        content_type__in={image.content_type_id for image in images},
        object_id__in={image.object_id for image in images},
        image__locale__in={image.locale for image in images},
    ).select_related("image")
    rows = rows.defer("picture_data", "image__provenance", "image__checks")
    alike = {_words_of(each.image): each for each in rows}
    return {image.pk: alike[_words_of(image)] for image in images if _words_of(image) in alike}


def _words_of(image: ProductImage) -> tuple[object, ...]:
    spec = image.spec
    return (
        image.content_type_id,
        image.object_id,
        image.locale,
        spec.get("layout"),
        spec.get("base"),
    )
