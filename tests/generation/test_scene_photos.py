"""Pictures in a photo of a place, from the plan to the stored file."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from nb_catalog import generation, storage, worker
from nb_catalog.exceptions import PictureError, PlanRefused, RequestRefused
from nb_catalog.generation import runs, scene_photos
from nb_catalog.generation.plan import ItemStatus
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, xmp_packet
from nb_catalog.models import ImageJob, ProductImage, Scene
from nb_catalog.testing.gemini import GeminiServer
from tests import factories
from tests.catalog.models import Mug
from tests.factories import OUR_RULES
from tests.imaging.test_backdrop_photo import plain, room

MODEL = "gemini-nano-banana-2.1"


def photo(image=None, *, xmp=b""):
    return scene_photos.inspect(encode(image or room((1600, 1200)), format="jpeg", xmp=xmp))


def in_photo(image=None, *, xmp=b"", **fields):
    scene = factories.scene("room", **{"renderer": {}, **fields})
    scene_photos.attach(scene, photo(image, xmp=xmp))
    scene.save()
    return scene


def planned(scene, **options):
    return generation.plan_backgrounds(Mug.objects.all(), scenes=[scene], **options)


def made():
    return ProductImage.objects.filter(kind="picture").latest("pk")


@pytest.fixture
def gemini(settings):
    with GeminiServer(**OUR_RULES) as running:
        backend = "nb_catalog.providers.gemini.GeminiProvider"
        options = {"api_key": "k", "base_url": running.url}
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {"gemini": {"BACKEND": backend, "OPTIONS": options}},
            "TIERS": {"draft": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"}},
        }
        yield running


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (None, "compositeCapture"),
        ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_a_product_is_set_into_the_photo_and_the_picture_is_marked(term, expected):
    factories.product()
    xmp = xmp_packet(DigitalSourceType(term)) if term else b""
    scene = in_photo(xmp=xmp)
    runs.start_run(planned(scene, ratio="4:5"))
    worker.drain()
    picture = made()
    assert picture.digital_source_type == expected
    assert read_mark(storage.read(picture.file.name)) == expected
    assert picture.spec["backdrop"] == scene.backdrop_sha256
    assert picture.checks["product"][3] > 0.3 * picture.height
    opened = Image.open(BytesIO(storage.read(picture.file.name)))
    red, _green, blue = opened.getpixel((5, opened.height - 5))
    assert red > blue + 40, "the brown floor"


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_is_replaced_or_removed_makes_pictures_stale_and_loses_nothing():
    factories.product()
    scene = in_photo(renderer={"surface": {"kind": "paper"}})
    runs.start_run(planned(scene))
    worker.drain()
    picture, first = made(), str(scene.backdrop)
    (item,) = planned(scene).items()
    assert item.status == ItemStatus.PRESENT
    scene_photos.attach(scene, photo(room((1600, 1200), line=0.7)))
    scene.save()
    (item,) = planned(scene).items()
    assert item.status == ItemStatus.STALE and scene.version == 3
    scene_photos.detach(scene)
    scene.save()
    (item,) = planned(scene).items()
    assert item.status == ItemStatus.STALE
    assert storage.read(first) and storage.read(picture.file.name)


@pytest.mark.django_db(transaction=True)
def test_a_job_keeps_the_photo_that_it_was_planned_with():
    factories.product()
    scene = in_photo()
    runs.start_run(planned(scene))
    scene_photos.attach(scene, photo(plain((1600, 1200))))
    scene.save()
    worker.drain()
    assert made().spec["backdrop"] != scene.backdrop_sha256
    assert ImageJob.objects.get().state == "succeeded"


@pytest.mark.django_db
def test_another_photo_and_another_place_make_another_fingerprint():
    factories.product()
    scene = in_photo()
    prints = {next(iter(planned(scene).items())).fingerprint}
    scene.backdrop_place = {**scene.backdrop_place, "x": 0.3}
    scene.save()
    prints.add(next(iter(planned(Scene.objects.get()).items())).fingerprint)
    scene.backdrop_origin = "trainedAlgorithmicMedia"
    scene.save()
    prints.add(next(iter(planned(Scene.objects.get()).items())).fingerprint)
    assert len(prints) == 3 and scene.version == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("treatment", "pictures"), [("painted", 2), ("locked", 1)])
def test_a_model_gets_the_place_as_its_last_image(gemini, treatment, pictures):
    factories.product(name="Blue mug")
    plan = planned(in_photo(prompt=""), treatment=treatment)
    assert plan.planner.reference_count == pictures
    runs.start_run(plan)
    worker.drain()
    (received,) = gemini.received
    text, *sent = received.body["contents"][0]["parts"]
    assert len(sent) == pictures
    sizes = [Image.open(each).size for each in map(_bytes_of, sent)]
    assert sizes[-1] == (1600, 1200)
    words = "the second image shows a place" if pictures == 2 else "The image shows a place"
    assert words in text["text"]
    assert made().digital_source_type.endswith("rainedAlgorithmicMedia")


def _bytes_of(part):
    return BytesIO(base64.b64decode(part["inlineData"]["data"]))


@pytest.mark.django_db
def test_the_place_counts_in_the_price_and_in_what_a_model_takes(gemini, settings):
    factories.product()
    with_photo, without = in_photo(), factories.scene("bare")
    dearer, plain_price = (
        planned(scene, treatment="painted").planner.price_usd() for scene in (with_photo, without)
    )
    assert dearer > plain_price
    settings.NB_CATALOG = {**settings.NB_CATALOG, "CARDS": {MODEL: {"max_references": 1}}}
    with pytest.raises(PlanRefused, match="at most 1 reference pictures per request, not 2"):
        planned(with_photo, treatment="painted")
    assert planned(without, treatment="painted")


@pytest.mark.django_db
def test_a_product_is_not_relit_by_the_light_of_a_photo():
    factories.product()
    with pytest.raises(PlanRefused, match="is a photo, whose light is known too roughly"):
        planned(in_photo(), treatment="relit")


@pytest.mark.django_db
def test_a_scene_with_neither_recipe_nor_photo_is_not_for_the_local_renderer():
    factories.product()
    bare = factories.scene("bare", renderer={})
    with pytest.raises(PlanRefused, match="no recipe for the local renderer and no photo"):
        planned(bare)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"text", PictureError, "not a picture"),
        (encode(room((640, 400)), format="png"), RequestRefused, "at least 480 × 480"),
    ],
)
def test_a_file_that_is_no_good_is_refused_with_a_sentence(data, error, words):
    with pytest.raises(error, match=words):
        scene_photos.inspect(data)
