"""A picture's size is compared with what was requested."""

import pytest

from nb_catalog import review
from nb_catalog.conf import settings as our_settings
from nb_catalog.core.types import Permission, Size
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.models import ImageJob, ProductImage
from nb_catalog.testing.pictures import solid_png
from nb_catalog.worker import drain
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

REVIEW = "/admin/nb_catalog/productimage/review/"


def made(script, start, size):
    """The picture of a run for 4:5 at 1K (928 × 1152) to which the provider returns ``size``."""
    script.add(solid_png(Size(*size)))
    start(ratio="4:5")
    drain()
    return ProductImage.objects.get()


@pytest.mark.parametrize("size", [(928, 1152), (930, 1152), (920, 1150), (1856, 2304)])
def test_a_picture_as_requested_has_nothing_to_say(script, start, size):
    image = made(script, start, size)
    assert "size" not in image.checks
    assert not review.needs_individual_review(image)


@pytest.mark.parametrize("size", [(1376, 768), (1024, 1024), (464, 576), (820, 1016)])
def test_another_ratio_or_a_smaller_picture_needs_a_person(script, start, client, size):
    image = made(script, start, size)
    assert image.checks["size"] == {"requested": [928, 1152], "actual": list(size)}
    shown = "{} × {}".format(*size)
    result = review.approve_all([image], actor=None)
    assert result.decided == 0
    assert f"has {shown} pixels instead of 928 × 1152" in result.refused[0]
    client.force_login(factories.staff(Permission.REVIEW))
    page = client.get(REVIEW).content.decode()
    assert f"The picture has {shown} pixels; 928 × 1152 were requested." in page
    assert 'name="chosen"' not in page, "it cannot be ticked"
    review.approve(image, actor=None)


def test_what_deviates_a_little_is_shown_and_can_be_approved_with_others(script, start, client):
    image = made(script, start, (912, 1152))
    assert image.checks["size"]["actual"] == [912, 1152]
    assert review.approve_all([image], actor=None).decided == 1


def test_the_bound_is_a_setting(script, start, settings):
    image = made(script, start, (464, 576))
    settings.NB_CATALOG = {**settings.NB_CATALOG, "REQUIRE": {"SIZE_AT_LEAST": 0.5}}
    assert not review.needs_individual_review(image)
    settings.NB_CATALOG = {**settings.NB_CATALOG, "REQUIRE": {"SIZE_AT_LEAST": 0.51}}
    with pytest.raises(RequestRefused, match="decide about it individually"):
        review.require_individual_review(image)


@pytest.mark.parametrize("value", [{"SIZE": 1}, {"RATIO_WITHIN": -1}, {"SIZE_AT_LEAST": "x"}, 3])
def test_a_wrong_bound_is_an_error(settings, value):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "REQUIRE": value}
    with pytest.raises(InvalidSettings, match="REQUIRE"):
        _ = our_settings.REQUIRE


def test_a_picture_of_a_few_pixels_is_a_failed_answer(script, start, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_ATTEMPTS": 1}
    script.add(solid_png(Size(1, 1)))
    start(ratio="4:5")
    drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "no_picture")
    assert "1 × 1 pixels" in job.error
    assert not ProductImage.objects.exists()
