"""Pictures of series as workers make them: the same place for every product, and what a model is sent."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.generation import runs, scene_photos
from nb_catalog.imaging.encode import encode
from nb_catalog.models import ProductImage, Series
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.imaging.test_backdrop_photo import room

pytestmark = pytest.mark.django_db(transaction=True)

# Of the frame's height or width: what members may differ by.
WITHIN = 0.01
FRAMING = {"fill": 0.6, "place": "centre", "baseline": 0.2}


@pytest.fixture
def script(settings):
    """A paid provider's script; its tier is "standard"."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "paid": script.as_setting()},
        "TIERS": {
            "draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
            "standard": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"},
        },
    }
    return script


def run_of(series):
    run = runs.start_run(generation.plan_series(series))
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return ProductImage.objects.filter(job__run=run, kind="picture").order_by("object_id")


def pixels_of(image):
    return np.asarray(Image.open(BytesIO(storage.read(image.file.name))).convert("RGB"), np.int16)


def test_members_stand_on_one_baseline_in_one_place_before_one_background():
    sizes = [(900, 1100), (1400, 900), (700, 1400)]
    mugs = [factories.product(photo=factories.photo_bytes(size)) for size in sizes]
    images = list(run_of(factories.series(*mugs, framing=FRAMING)))
    assert [image.series for image in images] == ["autumn"] * 3
    boxes = []
    for image in images:
        left, top, width, height = image.checks["product"]
        boxes.append(
            {
                "centre": (left + width / 2) / image.width,
                "baseline": (top + height) / image.height,
                "larger side": max(width / image.width, height / image.height),
            }
        )
    for name, expected in (("centre", 0.5), ("baseline", 0.8), ("larger side", 0.6)):
        assert [box[name] for box in boxes] == pytest.approx([expected] * 3, abs=WITHIN), name
    # The corners are the same wall and ground, up to the noise of the encoder.
    for part in (np.s_[:100, :100], np.s_[-60:, :60], np.s_[:100, -100:]):
        corners = [pixels_of(image)[part] for image in images]
        assert max(np.abs(each - corners[0]).mean() for each in corners) < 1.5


def test_a_product_that_is_added_later_gets_the_look_that_the_others_have():
    first = factories.product(photo=factories.photo_bytes((900, 1100)))
    series = factories.series(first, framing=FRAMING)
    [before] = run_of(series)
    series.scene.renderer = {"surface": {"kind": "velvet", "tone": "#401020"}}
    series.scene.save()
    series.scene.delete()
    added = factories.product(photo=factories.photo_bytes((900, 1100), colour=(200, 30, 30)))
    series = Series.objects.get()
    catalog_series.add(series, [added])
    [after] = run_of(series)
    assert after.object_id == str(added.pk)
    assert after.checks["product"] == before.checks["product"]
    corner = np.s_[:100, :100]
    assert np.abs(pixels_of(after)[corner] - pixels_of(before)[corner]).mean() < 1.5


def anchored(*members, **fields):
    series = factories.series(*members, tier="standard", **fields)
    size = (1024, 1024)
    image = factories.image(
        state=ImageState.APPROVED, size=size, data=factories.photo_bytes(size, colour=(90, 30, 30))
    )
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    return Series.objects.get()


def sent(script):
    return [[each.role for each in request.references] for request in script.requests]


def test_a_model_gets_the_product_then_the_anchor_and_no_other_member(script):
    mugs = [factories.product() for _ in range(2)]
    series = anchored(*mugs, treatment="painted")
    images = run_of(series)
    assert sent(script) == [["product", "anchor"]] * 2
    anchor = storage.read(series.anchor.file.name)
    for request in script.requests:
        assert request.references[1].data == anchor
        assert request.references[0].data != anchor
    assert {image.spec["anchor"] for image in images} == {series.anchor.sha256}


def test_the_place_is_sent_after_the_anchor_as_the_prompt_says(script):
    scene = factories.scene(renderer={})
    photo = encode(room((800, 600)), format="jpeg")
    scene_photos.attach(scene, scene_photos.inspect(photo))
    scene.save()
    series = anchored(factories.product(), treatment="painted", framing={})
    run_of(series)
    assert sent(script) == [["product", "anchor", "backdrop"]]
    assert "the third image shows a place" in script.requests[0].prompt


def test_the_background_of_a_locked_product_follows_the_anchor_alone(script):
    run_of(anchored(factories.product(), treatment="locked"))
    assert sent(script) == [["anchor"]]


def test_the_preview_shows_what_would_be_sent(script):
    series = anchored(factories.product(), treatment="painted")
    [preview] = generation.preview_requests(generation.plan_series(series))
    assert not preview.problem
    assert len(preview.body["request"]["references"]) == 2
