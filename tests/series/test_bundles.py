"""A series of bundles: each member is its products together, and all groups have one framing."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog import series as catalog_series
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import ProductImage, Series
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db(transaction=True)

FRAMING = {"fill": 0.6, "place": "centre", "baseline": 0.2}
RED = (200, 20, 30)


def red(size):
    """A red product that is transparent around it."""
    whole = Image.new("RGBA", (size[0] + 40, size[1] + 40))
    whole.paste(Image.new("RGBA", size, (*RED, 255)), (20, 20))
    file = BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def sets(monkeypatch):
    """Two sets without a photo of their own: of a low and a tall product, and of two low ones."""
    low, tall, wide = (
        factories.product(photo=red(size)) for size in ((600, 300), (300, 700), (700, 350))
    )
    first, second = (factories.product(name=name, photo=False) for name in ("First", "Second"))
    named = {first.pk: [low, tall], second.pk: [low, wide]}
    monkeypatch.setattr(MugSource, "bundle", lambda self, mug: named.get(mug.pk, ()), raising=False)
    return first, second


def box_in(image):
    """What is red in the stored picture: middle, foot, and the larger of width and height, in shares."""
    data = storage.read(image.file.name)
    pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)
    rows, columns = (
        np.flatnonzero((np.abs(pixels - RED).max(2) < 40).any(axis)) for axis in (1, 0)
    )
    height, width = pixels.shape[:2]
    return (
        (columns[0] + columns[-1] + 1) / 2 / width,
        (rows[-1] + 1) / height,
        (columns[-1] + 1 - columns[0]) / width,
        (rows[-1] + 1 - rows[0]) / height,
    )


def test_every_group_stands_on_one_line_in_one_middle(sets):
    series = factories.series(*sets, framing=FRAMING, bundles=True)
    plan = generation.plan_series(series)
    assert [len(item.spec.parts) for item in plan.items()] == [2, 2]
    [first, *_more] = generation.preview_requests(plan)
    assert not first.problem
    run = runs.start_run(plan)
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    images = list(ProductImage.objects.filter(job__run=run).order_by("object_id"))
    boxes = [box_in(image) for image in images]
    assert len(boxes) == 2
    for centre, foot, _width, _height in boxes:
        assert (centre, foot) == pytest.approx((0.5, 0.8), abs=0.01)
    # A group takes up to the width between the framing and the free width, or the framing's height.
    assert all(0.55 < max(width, height) < 0.8 for *_place, width, height in boxes)
    assert {image.series for image in images} == {"autumn"}
    assert {len(image.checks["parts"]) for image in images} == {2}
    current = list(generation.member_pictures(series))
    assert [each.image for each in current] == images


def test_a_product_that_is_no_bundle_is_shown_alone(sets):
    alone = factories.product()
    series = factories.series(sets[0], alone, framing=FRAMING, bundles=True)
    parts = [len(item.spec.parts) for item in generation.plan_series(series).items()]
    assert parts == [2, 0]


def test_showing_bundles_together_is_part_of_the_look(sets, monkeypatch):
    Mug.objects.filter(pk=sets[0].pk).update(packshot=factories.product().packshot.name)
    series = factories.series(sets[0], framing=FRAMING)
    [item] = generation.plan_series(series).items()
    assert not item.spec.parts
    factories.image(sets[0], asked=item.spec)
    changed = catalog_series.with_changes(series, bundles=True)
    assert generation.plan_series(changed).summary().count_of("stale") == 1
    catalog_series.save_look(changed)
    stored = Series.objects.get()
    assert (stored.bundles, stored.version) == (True, 2)


def test_what_is_wrong_with_a_bundle_is_said_of_its_member(sets, monkeypatch):
    parts = [factories.product(), factories.product(name="Bare", photo=False)]
    named = {sets[0].pk: parts}
    monkeypatch.setattr(MugSource, "bundle", lambda self, mug: named.get(mug.pk, ()))
    series = factories.series(sets[0], framing=FRAMING, bundles=True)
    [item] = generation.plan_series(series).items()
    assert item.spec is None and "Bare" in item.problem and "no photo" in item.problem


def test_models_and_photos_of_places_show_no_bundles_in_a_series(sets, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {
            "standard": {"PROVIDER": "gemini", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"}
        },
    }
    series = factories.series(*sets, tier="standard", bundles=True)
    with pytest.raises(RequestRefused) as refusal:
        generation.plan_series(series)
    assert "A series of bundles is put together here" in " ".join(refusal.value.objections)
