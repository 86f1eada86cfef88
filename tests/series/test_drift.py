"""Members of a series as workers store them: framed like each other, and compared with the anchor."""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog import series as catalog_series
from nb_catalog.admin.review.check_notes import CheckNote, notes_of
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Rect, Size
from nb_catalog.generation import runs
from nb_catalog.imaging.compose import compose
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.calibration.series_pictures import exposed
from tests.imaging.composing import SCENES, cutout_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.matrix]

SIZE = Size(1024, 1024)
FRAMING = {"fill": 0.6, "place": "centre", "baseline": 0.2}


def product_picture(number):
    """A product with a print of its own, transparent around it."""
    rng = np.random.default_rng(number)
    cells = rng.integers(20, 235, (24, 16 + 2 * number, 4), np.uint8)
    cells[..., 3] = 255
    return Image.fromarray(cells).resize((320 + 40 * number, 480), Image.Resampling.NEAREST)


def packshot(number):
    picture = product_picture(number)
    whole = Image.new("RGBA", (picture.width + 200, picture.height + 200))
    whole.paste(picture, (100, 100))
    file = BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def painted(number, *, scene="oak-table", seed=5, stops=0.0, window=(64, 64, 1024)):
    """What a model might return: the picture that is wanted, seen from further away or off to a side.

    ``window``, left, top and side, is the part of a larger picture that it shows; the default one is
    framed as the series asks for.
    """
    backdrop = _backdrop(scene, seed)
    box = replace(
        backdrop.box, centre=64 + 0.5 * 1024, bottom=64 + 0.8 * 1024, width=614, height=614,
        depth=0, exact=True,
    )  # fmt: skip
    product = cutout_of(product_picture(number))
    made = compose(product, replace(backdrop, box=box), pose="standing")
    left, top, side = window
    pixels = exposed(made.pixels[top : top + side, left : left + side], stops=stops)
    pixels = cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA)
    place = Rect(made.product.left - left, made.product.top - top, *made.product[2:])
    return place, encode(pixels, format="jpeg", quality=92)


@lru_cache
def _backdrop(scene, seed):
    recipe = SceneRecipe.from_mapping(SCENES[scene])
    return render(recipe, size=Size(1152, 1152), seed=seed, view="front")


@pytest.fixture
def script(settings):
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


def anchored(*members, place, data, **fields):
    """A painted series whose anchor is this picture."""
    series = factories.series(
        *members, tier="standard", treatment="painted", framing=FRAMING, **fields
    )
    image = factories.image(state=ImageState.APPROVED, size=SIZE, data=data)
    image.checks = {"product": list(place)}
    image.save(update_fields=["checks"])
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    return Series.objects.get()


def product_of(number):
    return factories.product(photo=packshot(number), name=f"Print {number:02}")


def answer_with(script, answers):
    """Let the model answer with the picture of the product that is requested."""

    def step(request):
        [number] = [each for each in answers if f"Print {each:02}" in request.prompt]
        return answers[number][1]

    script.add(*[step] * len(answers))


def digest(data):
    return sha256(data).hexdigest()


def run_of(series):
    run = runs.start_run(generation.plan_series(series))
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return ProductImage.objects.filter(job__run=run)


def test_painted_members_are_framed_alike_and_their_originals_kept(script):
    numbers = (1, 2, 3)
    mugs = [product_of(number) for number in numbers]
    series = anchored(*mugs, **dict(zip(("place", "data"), painted(7), strict=True)))
    pictures = {
        1: painted(1, window=(0, 0, 1152)),
        2: painted(2, window=(24, 0, 1110)),
        3: painted(3, window=(10, 50, 1090)),
    }
    answer_with(script, pictures)
    images = run_of(series)
    originals = images.filter(kind=ImageKind.UNFRAMED)
    assert {digest(storage.read(each.file.name)) for each in originals} == {
        digest(data) for _place, data in pictures.values()
    }
    framed = list(images.filter(kind=ImageKind.PICTURE))
    assert len(framed) == 3
    for image in framed:
        assert image.parent.kind == ImageKind.UNFRAMED
        assert image.digital_source_type == image.parent.digital_source_type
        assert "missing" not in image.checks["framing"]
        assert not image.checks["drift"]["score"] > 1, image.checks["drift"]
        left, top, width, height = image.checks["product"]
        number = numbers[[str(mug.pk) for mug in mugs].index(image.object_id)]
        true = _printed_box(np.asarray(Image.open(BytesIO(storage.read(image.file.name)))), number)
        assert (left, top, width, height) == pytest.approx(true, abs=0.008 * SIZE.width)
        # By the pixels themselves, not by what the package measured.
        assert (true[0] + true[2] / 2) / 1024 == pytest.approx(0.5, abs=0.01)
        assert (true[1] + true[3]) / 1024 == pytest.approx(0.8, abs=0.01)
        wide, tall = product_picture(number).size
        expected = min(0.6, 0.6 * tall / wide)
        assert true[3] / 1024 == pytest.approx(expected, abs=0.01)


def test_painted_members_take_one_area_if_the_series_says_so(script):
    numbers = (1, 8)
    mugs = [product_of(number) for number in numbers]
    place, data = painted(4)
    series = anchored(*mugs, place=place, data=data)
    framing = {**FRAMING, "fill": 0.8, "by": "area"}
    catalog_series.save_look(catalog_series.with_changes(series, framing=framing))
    answer_with(script, {number: painted(number, window=(0, 0, 1152)) for number in numbers})
    images = run_of(Series.objects.get()).filter(kind=ImageKind.PICTURE)
    for image in images:
        assert "missing" not in image.checks["framing"], image.checks["framing"]
        number = numbers[[str(mug.pk) for mug in mugs].index(image.object_id)]
        pixels = np.asarray(Image.open(BytesIO(storage.read(image.file.name))))
        _left, _top, width, height = _printed_box(pixels, number)
        assert width * height / 1024**2 == pytest.approx(0.5 * 0.8**2, rel=0.04)


def _printed_box(pixels, number):
    """The box of the print, where saturated cells end; the scene has no such colours."""
    lab = pixels.astype(int)
    spread = (lab.max(2) - lab.min(2)) > 95
    rows, columns = (np.flatnonzero(spread.mean(axis) > 0.08) for axis in (1, 0))
    return (
        columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    )  # fmt: skip


def test_every_outlier_of_a_wild_provider_is_flagged_and_the_others_are_not(script):
    """A provider that ignores the look in every second answer."""
    wild = [
        {"scene": "dark-marble"},
        {"seed": 77},
        {"stops": -0.5},
    ]
    numbers = range(1, 7)
    mugs = [product_of(number) for number in numbers]
    series = anchored(*mugs, **dict(zip(("place", "data"), painted(9), strict=True)))
    changes = {number: wild[number // 2 - 1] if number % 2 == 0 else {} for number in numbers}
    answer_with(
        script,
        {number: painted(number, window=(20, 15, 1120), **changes[number]) for number in numbers},
    )
    images = run_of(series).filter(kind=ImageKind.PICTURE)
    flagged = {image.object_id for image in images if image.checks["drift"].get("score", 0) > 1}
    assert flagged == {
        str(mug.pk) for number, mug in zip(numbers, mugs, strict=True) if changes[number]
    }


def test_a_picture_without_the_product_is_not_framed_by_a_guess(script):
    mug = factories.product(photo=packshot(1))
    series = anchored(mug, **dict(zip(("place", "data"), painted(7), strict=True)))
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    empty = encode(np.array(render(recipe, size=SIZE, seed=5).pixels), format="jpeg", quality=92)
    script.add(empty)
    [image] = run_of(series)
    assert digest(storage.read(image.file.name)) == digest(empty)
    assert image.checks["framing"] == {"missing": "not_measured"}
    assert "product" not in image.checks
    assert not {"height", "centre", "baseline"} & set(image.checks["drift"]["parts"])


def test_local_members_have_no_drift(script):
    mugs = [factories.product(photo=packshot(number)) for number in (1, 4)]
    series = factories.series(*mugs, framing=FRAMING)
    first, _second = run_of(series)
    assert "drift" not in first.checks
    ProductImage.objects.filter(pk=first.pk).update(state=ImageState.APPROVED)
    first.refresh_from_db()
    catalog_series.save_look(catalog_series.with_anchor(Series.objects.get(), first))
    added = factories.product(photo=packshot(6))
    catalog_series.add(Series.objects.get(), [added])
    [image] = run_of(Series.objects.get())
    assert image.checks["drift"]["score"] < 0.5
    assert image.checks["drift"]["anchor"] == first.sha256


def test_the_strip_names_outliers_and_reasons_without_queries(django_assert_num_queries):
    mugs = [factories.product() for _ in range(4)]
    anchor = factories.image(state=ImageState.APPROVED, size=(64, 64))
    series = factories.series(*mugs)
    series.anchor = anchor
    checks = [
        {"drift": {"score": 0.4, "worst": "light", "parts": {}, "anchor": anchor.sha256}},
        {"drift": {"score": 2.1, "worst": "tilt", "parts": {}, "anchor": "older"}},
        {"drift": {"missing": "ratio", "anchor": anchor.sha256}},
        {"framing": {"missing": "not_measured"}},
    ]
    images = [factories.image(each) for each in mugs]
    for image, found in zip(images, checks, strict=True):
        image.checks = found
    with django_assert_num_queries(0):
        strip = catalog_series.drift_strip(series, images)
    assert [each.score for each in strip] == [0.4, 2.1, None, None]
    assert [each.is_outlier for each in strip] == [False, True, True, True]
    assert [each.is_stale for each in strip] == [False, True, False, False]
    assert strip[0].reason == ""
    assert strip[1].reason == "The light differs."
    assert strip[2].reason == "The anchor has another aspect ratio."
    assert strip[3].reason == "It is not certain where the product is in the picture."


@pytest.mark.parametrize(
    ("checks", "text", "is_warning"),
    [
        ({"drift": {"score": 0.9, "worst": "light"}}, "has the look of its series", False),
        (
            {"drift": {"score": 1.4, "worst": "cast"}},
            "differs from the anchor of its series: The colours are warmer, cooler or tinted.",
            True,
        ),
        (
            {"drift": {"missing": "covered"}},
            "not compared with the anchor: The products leave too little of the background to compare.",
            True,
        ),
        ({"framing": {"ways": ["outline"]}}, "framed like the other pictures of its series", False),
        (
            {"framing": {"missing": "not_measured"}},
            "It is not certain where the product is in the picture.",
            True,
        ),
    ],
)
def test_the_review_page_says_why_a_member_is_flagged(checks, text, is_warning):
    assert notes_of(ProductImage(checks=checks)) == [CheckNote(text, is_warning)]
