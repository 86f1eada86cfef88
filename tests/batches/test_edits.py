"""Edits in words in a provider's batch: half the price, merged and kept like single ones."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage
from nb_catalog.models import ProductImage, ProviderCall
from tests import factories
from tests.batches.conftest import drain
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def image(start):
    mug = factories.product(photo=factories.photo_bytes((300, 300)))
    return factories.image(
        mug,
        size=(300, 300),
        data=factories.photo_bytes((300, 300), ground="#d8c8b0"),
        asked=factories.spec(mug, photo=mug.packshot.name, ratio="1:1"),
    )


def pixels(image):
    with Image.open(BytesIO(storage.read(image.file.name))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_masked_edit_comes_back_from_a_batch_with_the_rest_put_back(image):
    mask = factories.mask_bytes((300, 300), box=(0, 0, 299, 30))
    options = {"mask": mask}
    direct = generation.plan_edit(image, "A red ceiling", **options)
    plan = generation.plan_edit(image, "A red ceiling", mode="batch", **options)
    assert plan.in_batch
    assert float(plan.price_each_usd) == pytest.approx(float(direct.price_each_usd) / 2, abs=1e-6)
    run = generation.start_run(plan)
    drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    child = ProductImage.objects.get(job__run=run, kind="picture")
    assert child.parent == image
    assert np.array_equal(pixels(child)[40:], pixels(image)[40:])
    assert (pixels(child)[:25] != pixels(image)[:25]).any()
    assert ProductImage.objects.get(job__run=run, kind="unmerged").parent == image
    assert ProviderCall.objects.get().batch is not None and money_is_sound() > 0


def test_google_gets_picture_photo_and_mask_in_this_order_and_stores_nothing(image, server):
    mask = factories.mask_bytes((300, 300), box=(0, 0, 299, 30))
    generation.start_run(generation.plan_edit(image, "A red ceiling", mask=mask))
    drain()
    [call] = [each for each in server.received if "contents" in (each.body or {})]
    assert call.body["store"] is False
    parts = call.body["contents"][0]["parts"]
    sent = [b64decode(part["inlineData"]["data"]) for part in parts if "inlineData" in part]
    assert len(sent) == 3
    shown = []
    for data in sent:
        with Image.open(BytesIO(data)) as picture:
            shown.append(np.asarray(picture.convert("RGB")))
    with image.catalog_object.packshot.open() as file, Image.open(file) as picture:
        photo = np.asarray(picture.convert("RGB"))
    assert np.array_equal(shown[0], pixels(image)) and np.array_equal(shown[1], photo)
    assert set(np.unique(shown[2])) == {0, 255} and shown[2][10, 10, 0] == 255
    assert not np.array_equal(shown[0], shown[1])
