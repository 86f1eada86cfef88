"""A model that ignores the look now and then, over the wire: its pictures are flagged, the others are not."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.generation import runs
from nb_catalog.imaging.compose import compose
from nb_catalog.imaging.encode import encode
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.series import drift_strip
from nb_catalog.testing.gemini import BatchScript, GeminiServer, Rate
from nb_catalog.worker.batches import schedule
from tests import factories
from tests.calibration.series_pictures import SIZE, backdrop_of, exposed, grainy, recipe_of
from tests.factories import OUR_RULES
from tests.imaging.composing import cutout_of
from tests.series.test_drift import FRAMING, packshot, painted, product_of, product_picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.matrix]

MODEL = "gemini-nano-banana-2.1"
SCENE = "oak-table"
WILD = "other_look"


def within_tolerance(pixels, number):
    """What nobody minds: a little more or less light, a soft lens, some grain."""
    rng = np.random.default_rng(number)
    pixels = exposed(pixels, stops=rng.uniform(-0.05, 0.05))
    if rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.5)
    return encode(grainy(pixels, sigma=rng.uniform(0, 1), rng=rng), format="jpeg", quality=92)


class Painter:
    """Draws what the model is asked for: the look of the scene, each time with small differences."""

    def __init__(self, *, shows_product):
        self.shows_product = shows_product
        self.drawn = 0

    def __call__(self, request):
        self.drawn += 1
        if not self.shows_product:
            return within_tolerance(backdrop_of(recipe_of(SCENE)).pixels, self.drawn)
        number = next(each for each in range(99) if f"Print {each:02}" in request.prompt)
        # With room around it, and not where it belongs.
        window = (10 + 3 * number, 20 - 2 * number, 1090 + 4 * number)
        return within_tolerance(pixels_of(painted(number, window=window)[1]), self.drawn)


def pixels_of(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


@pytest.fixture
def gemini(settings, monkeypatch):
    """gemini(painter, faults=...): a running server, which the tier "standard" uses."""
    running = []
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(schedule, "GRACE", 0.0)

    def start(painter, **options):
        server = GeminiServer(**OUR_RULES, picture=painter, mime_type="image/jpeg", **options)
        running.append(server.__enter__())
        options = {"api_key": "k", "base_url": server.url}
        backend = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "gemini": backend},
            "TIERS": {"standard": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"}},
        }
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


def anchored(*members, treatment):
    """A series whose anchor shows another product in the look of the scene."""
    series = factories.series(*members, tier="standard", treatment=treatment, framing=FRAMING)
    place, data = painted(9)
    if treatment == "locked":
        # The background that the others are asked for, with a product in it.
        shown = compose(
            cutout_of(product_picture(9)), backdrop_of(recipe_of(SCENE)), pose="standing"
        )
        place, data = shown.product, encode(shown.pixels, format="jpeg", quality=92)
    image = factories.image(state=ImageState.APPROVED, size=SIZE, data=data)
    image.checks = {"product": list(place)}
    image.save(update_fields=["checks"])
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    return Series.objects.get()


def made(series, mode="direct"):
    run = runs.start_run(generation.plan_series(series, mode=mode))
    for _turn in range(12):
        worker.drain()
        if not worker.work_is_waiting():
            break
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return list(ProductImage.objects.filter(job__run=run, kind=ImageKind.PICTURE).order_by("pk"))


def is_wild(image, anchor):
    """By the pixels that the server sent, not by what was measured: the corners have other colours."""
    sent, wanted = (
        pixels_of(storage.read(each.file.name)) for each in (image.parent or image, anchor)
    )
    corners = (np.s_[:80, :80], np.s_[:80, -80:], np.s_[-60:, :80], np.s_[-60:, -80:])
    return (
        max(np.abs(sent[each].mean((0, 1)) - wanted[each].mean((0, 1))).max() for each in corners)
        > 25
    )


def strip_of(series, images):
    """Which of ``images`` are wild, and which of them the page of the series flags."""
    wild = {image.pk for image in images if is_wild(image, series.anchor)}
    flagged = {each.image_id for each in drift_strip(series, images) if each.is_outlier}
    return wild, flagged


def test_every_outlier_among_locked_members_is_flagged_and_one_in_twenty_others_at_most(gemini):
    members = [factories.product(photo=packshot(number % 6 + 1)) for number in range(44)]
    faults = Rate(0.25, seed=3, kinds=[WILD])
    server = gemini(Painter(shows_product=False), faults=faults)
    images = made(series := anchored(*members, treatment="locked"))
    assert len(images) == 44
    wild, flagged = strip_of(series, images)
    assert len(wild) == sum(entry.fault == WILD for entry in server.request_log.entries)
    assert len(wild) >= 6
    assert wild <= flagged
    assert len(flagged - wild) <= (len(images) - len(wild)) / 20


def test_every_outlier_among_painted_members_is_flagged_and_the_others_are_not(gemini):
    numbers = range(1, 7)
    members = [product_of(number) for number in numbers]
    server = gemini(Painter(shows_product=True), faults=Rate(0.4, seed=1, kinds=[WILD]))
    images = made(series := anchored(*members, treatment="painted"))
    wild, flagged = strip_of(series, images)
    assert 2 <= len(wild) == sum(entry.fault == WILD for entry in server.request_log.entries)
    assert flagged == wild


# Google's library sends files in chunks of 8 MB, which aiohttp does not like.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
def test_outliers_in_a_batch_are_flagged_like_direct_ones(gemini):
    members = [factories.product(photo=packshot(number)) for number in range(1, 7)]
    server = gemini(Painter(shows_product=False))
    server.batches.script(BatchScript(items={1: WILD, 4: WILD}))
    images = made(series := anchored(*members, treatment="locked"), mode="batch")
    wild, flagged = strip_of(series, images)
    assert (len(wild), len(images)) == (2, 6)
    assert flagged == wild
