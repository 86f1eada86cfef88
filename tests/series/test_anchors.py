"""An anchor is an approved picture with a product, of the ratio of its series, and its bytes stay."""

import os
import time

import pytest
from django.core.files.base import ContentFile

from nb_catalog import review
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.operations import pruning
from nb_catalog.storage import catalog_storage
from tests import factories
from tests.operations.test_pruning import rejected

pytestmark = pytest.mark.django_db

SQUARE = {"size": (50, 50), "state": ImageState.APPROVED}


def test_an_approved_picture_becomes_the_anchor():
    made, image = factories.series(), factories.image(**SQUARE)
    catalog_series.save_look(catalog_series.with_anchor(made, image))
    stored = Series.objects.get()
    assert (stored.anchor, stored.version) == (image, 2)
    catalog_series.save_look(catalog_series.with_anchor(stored, None))
    assert Series.objects.get().anchor is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"state": ImageState.PENDING},
            "is not approved. Approve it before it becomes the anchor.",
        ),
        ({"state": ImageState.REJECTED}, "was rejected. Choose another anchor"),
        ({"state": ImageState.RETIRED}, "was retired. Choose another anchor"),
        ({"kind": ImageKind.BACKDROP}, "shows a background without a product."),
        ({"locale": "de"}, "has text on it."),
        ({"size": (40, 50)}, "has 40 × 50 pixels, and the series the ratio 1:1."),
    ],
)
def test_what_cannot_stand_for_a_look_is_refused(fields, sentence):
    made, image = factories.series(), factories.image(**SQUARE | fields)
    with pytest.raises(RequestRefused, match=sentence):
        catalog_series.with_anchor(made, image)


def test_a_picture_whose_file_was_deleted_is_no_anchor():
    made, image = factories.series(), rejected(size=(50, 50))
    pruning.prune(days=30, orphans=False)
    image.refresh_from_db()
    with pytest.raises(RequestRefused, match="The file of picture .* was deleted."):
        catalog_series.with_anchor(made, image)


def test_an_anchor_s_file_is_never_pruned():
    image = rejected(size=(50, 50))
    made = factories.series()
    Series.objects.filter(pk=made.pk).update(anchor=image)
    assert pruning.prune(days=30, orphans=False).pictures == 0
    assert catalog_storage().exists(image.file.name)
    Series.objects.update(anchor=None)
    assert pruning.prune(days=30, orphans=False).pictures == 1


def test_an_anchor_that_is_retired_later_is_said():
    image = factories.image(**SQUARE)
    made = factories.series()
    catalog_series.save_look(catalog_series.with_anchor(made, image))
    review.retire(image, actor=None)
    [sentence] = catalog_series.anchor_objections(Series.objects.get())
    assert (
        sentence
        == f"Picture {image.pk} was retired. Choose another anchor, or restore the picture."
    )
    assert ProductImage.objects.get().state == ImageState.RETIRED


def test_members_of_deleted_products_are_pruned():
    mug, other = factories.product(), factories.product()
    made = factories.series(mug, other)
    mug.delete()
    pruning.prune(days=30, orphans=False)
    assert list(made.members.values_list("object_id", flat=True)) == [str(other.pk)]


def test_the_photo_of_a_scene_that_was_deleted_stays_while_a_series_has_it():
    name = catalog_storage().save("nb_catalog/backdrops/ab/terrace.jpg", ContentFile(b"a photo"))
    past = time.time() - 3 * 86_400
    os.utime(catalog_storage().path(name), (past, past))
    factories.scene(
        renderer={}, backdrop=name, backdrop_sha256="5" * 64, backdrop_place={"view": "front"}
    )
    made = factories.series()
    made.scene.delete()
    assert name not in pruning.prune(days=30).names
    made.delete()
    assert name in pruning.prune(days=30).names
