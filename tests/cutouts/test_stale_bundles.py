"""Published pictures of bundles and the masks that a person makes of their parts."""

import pytest

from nb_catalog.core.specs import PartSpec
from nb_catalog.cutouts.stale import mark_pictures_stale, with_outdated_mask
from nb_catalog.models import Placement
from nb_catalog.models.cutouts import PERSON
from nb_catalog.registry import source_for
from tests import factories

pytestmark = pytest.mark.django_db


def part(product, *, number=0, cutout=""):
    photo = source_for(product).photos(product)[number]
    described = PartSpec(
        object_type=source_for(product).label,
        object_id=str(product.pk),
        photo=photo.name,
        cutout=cutout,
    )
    return described.as_dict()


def published(product, parts):
    asked = factories.spec(product, treatment="locked", photo=parts[0]["photo"], parts=parts)
    return factories.published(product, asked=asked)


def by_person(product, **options):
    row = factories.cutout(product, state="confirmed", method=PERSON, **options)
    return row, row.person_mask


def test_a_mask_of_a_part_makes_the_picture_of_the_bundle_outdated():
    one, two = factories.product(), factories.product()
    placement = published(one, [part(one), part(two)])
    assert with_outdated_mask([placement]) == set()
    by_person(two)
    assert with_outdated_mask([placement]) == {placement.pk}


def test_a_bundle_made_with_the_masks_of_its_parts_is_fresh():
    poster = factories.poster(photos=2)
    rows = [by_person(poster, number=number) for number in range(2)]
    parts = [part(poster, number=number, cutout=rows[number][1]) for number in range(2)]
    placement = published(poster, parts)
    assert with_outdated_mask([placement]) == set()
    assert mark_pictures_stale([row for row, _mask in rows]) == 0
    older = [parts[0], {**parts[1], "cutout": ""}]
    outdated = published(factories.poster(), older)
    assert with_outdated_mask([outdated]) == {outdated.pk}
    placement.image.spec = {**placement.image.spec, "parts": older}
    placement.image.save()
    assert mark_pictures_stale([rows[1][0]]) == 1
    assert Placement.objects.get(pk=placement.pk).stale_since is not None
