"""Edits in words of pictures of several products: beside them, with all their photos, and nowhere else."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import runs
from nb_catalog.models import ProductImage
from nb_catalog.registry import read_photo, source_for
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.imaging.pictures import saved
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def script(settings):
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": {
            "draft": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"},
            "local": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
        },
    }
    return script


@pytest.fixture
def parts():
    return [
        factories.product(photo=factories.photo_bytes(colour=colour), name=name)
        for name, colour in (("Red", (180, 30, 40)), ("Green", (30, 120, 60)))
    ]


@pytest.fixture
def image(parts):
    plan = generation.plan_backgrounds(
        [parts[0]], parts=parts, scenes=[factories.scene()], ratio="1:1", tier="local"
    )
    run = runs.start_run(plan)
    worker.drain()
    return ProductImage.objects.get(job__run=run)


def pixels(image):
    with Image.open(BytesIO(storage.read(image.file.name))) as picture:
        return np.asarray(picture.convert("RGB"))


def mask_beside(image):
    """The upper edge, above the box around all products."""
    _left, top, _width, _height = image.checks["product"]
    area = Image.new("L", (image.width, image.height), 0)
    area.paste(255, (0, 0, image.width, max(8, top - image.height // 16)))
    return saved(area)


def red(request):
    with Image.open(BytesIO(request.references[0].data)) as picture:
        return saved(Image.new("RGB", picture.size, (200, 30, 30)), "JPEG", quality=95)


def test_beside_the_products_all_photos_travel_and_every_part_keeps_its_pixels(
    image, parts, script
):
    script.add(red)
    plan = generation.plan_edit(image, "A red wall", mask=mask_beside(image))
    run = generation.start_run(plan)
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    child = ProductImage.objects.get(job__run=run, kind="picture")
    [request] = script.requests
    assert [each.role for each in request.references] == ["parent", "product", "product", "area"]
    colours = [each.mean(axis=(0, 1)).argmax() for each in map(decoded, request.references[1:3])]
    expected = [decoded_file(photo_of(each)).mean(axis=(0, 1)).argmax() for each in parts]
    assert colours == expected
    for words in (
        "second image is the shop's own photo of “Red”", "third image is the shop's own photo of “Green”",
        "fourth image is a mask", "A red wall.",
    ):  # fmt: skip
        assert words in request.prompt
    # To the last bit, for each part.
    before, after = pixels(image), pixels(child)
    for each in image.checks["parts"]:
        left, top, width, height = each["box"]
        box = (slice(top, top + height), slice(left, left + width))
        assert np.array_equal(before[box], after[box])
    assert (after[:4] != before[:4]).any()
    assert (child.spec["treatment"], child.parent) == ("locked", image)
    assert (
        child.spec["parts"] == image.spec["parts"]
        and child.checks["product"] == image.checks["product"]
    )
    assert plan.price_each_usd == plan.planner.tier.model_spec.estimate(size="1K", references=4)
    assert money_is_sound() > 0
    # The next step begins where this one ended.
    again = generation.plan_edit(child, "A blue wall", mask=mask_beside(child))
    [item] = again.items()
    assert item.is_wanted and "A red wall." in item.spec.prompt


def decoded(reference):
    return decoded_file(reference.data)


def decoded_file(data):
    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def photo_of(product):
    return read_photo(source_for(product).photos(product)[0])


def test_the_request_can_be_seen_before_it_is_sent(image, script):
    [preview] = generation.preview_requests(
        generation.plan_edit(image, "A red wall", mask=mask_beside(image))
    )
    assert not preview.problem and "fourth image is a mask" in preview.prompt


def test_what_a_model_would_draw_of_the_products_is_refused_with_a_sentence(image, parts, script):
    with pytest.raises(PlanRefused, match="leaves all of them out"):
        generation.plan_edit(image, "Warmer light")
    left, top, width, height = image.checks["parts"][1]["box"]
    area = Image.new("L", (image.width, image.height), 0)
    area.paste(255, (left, top, left + width // 2, top + height // 2))
    [item] = generation.plan_edit(image, "Warmer light", mask=saved(area)).items()
    assert item.status == "impossible" and "touches the products" in item.problem
    mask = mask_beside(image)
    parts[1].delete()
    [item] = generation.plan_edit(image, "A red wall", mask=mask).items()
    assert item.status == "impossible" and "Product 2 of the bundle no longer has" in item.problem
    with pytest.raises(PlanRefused, match="stores no sessions.*|in a session"):
        generation.plan_edit(image, "A red wall", mask=mask, session=True)
    ProductImage.objects.filter(pk=image.pk).update(spec={**image.spec, "treatment": "painted"})
    image.refresh_from_db()
    with pytest.raises(PlanRefused, match="A model drew the products"):
        generation.plan_edit(image, "A red wall", mask=mask)
    assert not script.requests
