"""Plans of the products' own photos: which can be pictures, which are there, which text can go on them."""

from dataclasses import replace

import pytest
from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from nb_catalog import generation
from nb_catalog.core.slots import Slot
from nb_catalog.core.specs import MAX_PHOTOS, ImageSpec
from nb_catalog.core.types import OWN_PHOTO, Photo
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import photos, planning, runs
from nb_catalog.models import ImageJob
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource
from tests.catalog.models import Poster, Vase
from tests.imaging.pictures import saved

pytestmark = pytest.mark.django_db

TIERS = {"draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch):
    monkeypatch.setattr(photos, "_known", type(photos._known)())


@pytest.fixture
def mug():
    return factories.product(photo=factories.photo_bytes((400, 500)))


def wide_photo():
    """A product that takes nearly all of the width."""
    image = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(image).rectangle((20, 120, 580, 280), fill=(30, 60, 160))
    return saved(image)


def items_of(*products, **options):
    return list(generation.plan_photos(products, **options).items())


def problems_of(*products, **options):
    return [item.problem for item in items_of(*products, **options)]


def store(item, about, **fields):
    return factories.image(about, asked=item.spec, size=(400, 500), **fields)


def test_the_first_photo_is_a_picture_without_a_scene_free_of_charge(mug):
    plan = generation.plan_photos([mug])
    (item,) = plan.items()
    assert (item.status, item.problem) == ("missing", "")
    spec = item.spec
    assert (spec.treatment, spec.scene, spec.ratio, spec.size) == ("photo", "", "", "")
    assert (spec.provider, spec.model, spec.variant) == ("photo", "photo", 1)
    assert (spec.photo, spec.prompt, spec.renderer) == (mug.packshot.name, "", {})
    summary = plan.summary()
    assert (plan.is_free, summary.price_usd, plan.tier) == (True, 0, "")
    assert plan.title == "Mugs: the photos themselves"
    assert generation.plan_photos([mug], ratio="1:1").title == "Mugs: the photos themselves, 1:1"


def test_every_photo_is_a_variant_if_it_is_asked_for():
    poster = factories.poster(photos=3)
    assert [item.spec.variant for item in items_of(poster)] == [1]
    items = items_of(poster, every=True)
    assert [item.spec.variant for item in items] == [1, 2, 3]
    assert [item.spec.photo for item in items] == [each.image.name for each in poster.photos.all()]


def test_a_long_list_of_photos_ends_somewhere(mug, monkeypatch):
    names = [f"a/{number}.png" for number in range(MAX_PHOTOS + 5)]
    monkeypatch.setattr(MugSource, "photos", lambda self, product: [Photo(name=n) for n in names])
    assert len(items_of(mug, every=True)) == MAX_PHOTOS


def test_a_picture_that_is_there_is_present_and_not_made_again(mug):
    (item,) = items_of(mug)
    store(item, mug)
    assert [each.status for each in items_of(mug)] == ["present"]
    assert [each.status for each in items_of(mug, ratio="1:1")] == ["missing"]


@pytest.mark.parametrize("change", ["name", "version"])
def test_a_replaced_photo_makes_its_picture_stale(mug, monkeypatch, change):
    photos = [Photo(name=mug.packshot.name, version="1")]
    monkeypatch.setattr(MugSource, "photos", lambda self, product: photos)
    (item,) = items_of(mug)
    store(item, mug)
    if change == "name":
        mug.packshot.save("another.png", ContentFile(factories.photo_bytes()))
        photos[0] = Photo(name=mug.packshot.name, version="1")
    else:
        photos[0] = replace(photos[0], version="2")
    (changed,) = items_of(mug)
    assert (changed.status, changed.spec.request_hash) == ("stale", item.spec.request_hash)


def test_photos_in_another_order_are_the_same_pictures(monkeypatch):
    poster = factories.poster(photos=3)
    for item in items_of(poster, every=True):
        store(item, poster)
    photos = PosterSource.photos
    monkeypatch.setattr(PosterSource, "photos", lambda *args: photos(*args)[::-1])
    assert [item.status for item in items_of(poster, every=True)] == ["present"] * 3


def test_a_rejected_photo_that_is_asked_for_again_is_made_again(mug):
    (item,) = items_of(mug)
    for attempt in (1, 2):
        store(item, mug, state="rejected")
        (item,) = items_of(mug)
        assert (item.status, item.spec.variant) == ("missing", 1 + attempt * MAX_PHOTOS)
        assert item.spec.photo == mug.packshot.name


def test_a_locked_picture_and_the_photo_never_share_a_fingerprint(mug):
    factories.scene()
    (locked,) = generation.plan_backgrounds([mug], scenes=["marble"]).items()
    (photo,) = items_of(mug)
    assert photo.fingerprint != locked.fingerprint
    same = ImageSpec(**photo.spec.as_dict() | {"treatment": "locked"})
    assert same.fingerprint != photo.fingerprint
    assert same.request_hash != photo.spec.request_hash
    crop = replace(photo.spec, ratio="1:1")
    assert len({photo.fingerprint, crop.fingerprint, same.fingerprint}) == 3


def test_only_of_photos_the_variant_is_a_position():
    about = factories.product()
    photo = factories.spec(about, treatment="photo", scene="", provider="photo")
    assert replace(photo, variant=2).fingerprint == photo.fingerprint
    assert replace(photo, variant=1 + MAX_PHOTOS).fingerprint != photo.fingerprint
    locked = factories.spec(about)
    assert replace(locked, variant=2).fingerprint != locked.fingerprint
    text = replace(photo, base="a" * 64)
    assert replace(text, variant=2).fingerprint != text.fingerprint


# What cannot be a picture.


@pytest.mark.parametrize(
    ("photo", "problem"),
    [
        (False, "The product has no photo. Upload one."),
        (b"no picture at all", "not a picture in a known format"),
        (factories.photo_bytes((400, 400), kind="JPEG")[:700], "damaged or cut off"),
        (factories.photo_bytes((20, 400)), "would have 20 × 400 pixels"),
    ],
    ids=["none", "no picture", "half", "tiny"],
)
def test_the_plan_says_what_cannot_be_a_picture(photo, problem):
    items = items_of(factories.product(photo=photo), factories.product())
    assert [item.status for item in items] == ["impossible", "missing"]
    assert problem in items[0].problem


def test_the_plan_says_that_a_photo_is_too_large(mug, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_PIXELS": 150_000}
    (problem,) = problems_of(mug)
    assert "MAX_PICTURE_PIXELS" in problem


def test_the_plan_says_that_a_file_is_gone(mug):
    mug.packshot.storage.delete(mug.packshot.name)
    (problem,) = problems_of(mug)
    assert "is not in its storage" in problem


def test_a_product_that_a_crop_would_cut_is_not_possible():
    mug = factories.product(photo=wide_photo())
    (problem,) = problems_of(mug, ratio="1:1")
    assert "cropped to 1:1" in problem and "cut off" in problem
    assert problems_of(mug, ratio="16:9") == problems_of(mug) == [""]


def test_of_several_photos_only_the_unusable_ones_are_missing(monkeypatch):
    poster = factories.poster(photos=2)
    poster.photos.first().image.storage.delete(poster.photos.first().image.name)
    items = items_of(poster, every=True)
    assert [item.status for item in items] == ["impossible", "missing"]


def test_a_slot_gives_its_ratio_and_what_does_not_fit_it_is_not_possible(mug, monkeypatch):
    slots = (Slot("hero", ratio="1:1", min_width=300), Slot("wide", min_width=900))
    monkeypatch.setattr(MugSource, "slots", slots)
    (item,) = items_of(mug, slot="hero")
    assert (item.status, item.spec.ratio) == ("missing", "1:1")
    (problem,) = problems_of(mug, slot="hero", ratio="4:5")
    assert "takes pictures of 1:1" in problem
    (problem,) = problems_of(mug, slot="wide")
    assert "at least 900 pixels wide" in problem


def test_a_photo_that_fits_no_slot_is_made_with_a_warning(mug, monkeypatch):
    monkeypatch.setattr(MugSource, "slots", (Slot("hero", ratio="1:1"),))
    summary = generation.plan_photos([mug]).summary()
    assert summary.wanted == 1
    (warning,) = summary.warnings
    assert "fits none of the slots" in warning
    assert generation.plan_photos([mug], slot="hero").summary().warnings == {}


@pytest.mark.parametrize(
    ("options", "objection"),
    [
        ({"ratio": "wide"}, "'wide' is not a ratio"),
        ({"ratio": "0:4"}, "'0:4' is not a ratio"),
        ({"slot": "heroo"}, "Did you mean 'hero'?"),
    ],
)
def test_what_no_photo_can_be_is_refused_at_once(mug, options, objection):
    with pytest.raises(PlanRefused, match=objection.replace("?", r"\?")):
        generation.plan_photos([mug], **options)


def test_each_photo_is_read_once_and_only_while_there_is_time(mug, monkeypatch):
    read = []
    known = photos.read_photo
    monkeypatch.setattr(photos, "read_photo", lambda photo: [read.append(photo), known(photo)][1])
    for _ in range(2):
        assert problems_of(mug) == [""]
    assert len(read) == 1
    broken = factories.product(photo=b"no picture at all")
    planner = replace(generation.plan_photos([broken]).planner, photo_seconds=0.0)
    (item,) = replace(generation.plan_photos([broken]), planner=planner).items()
    assert item.status == "missing" and len(read) == 1, "the worker finds it"


def test_planning_takes_the_same_queries_for_any_number_of_products(django_assert_num_queries):
    for _ in range(4):
        factories.poster(photos=2)
    with django_assert_num_queries(5):
        few = list(generation.plan_photos(Poster.objects.all()[:1], every=True).items())
    with django_assert_num_queries(5):
        many = list(generation.plan_photos(Poster.objects.all(), every=True).items())
    assert (len(few), len(many)) == (2, 8)


def test_a_broken_source_is_named(mug, monkeypatch):
    monkeypatch.setattr(MugSource, "photos", lambda self, product: 1 / 0)
    (problem,) = problems_of(mug)
    assert "MugSource.photos()" in problem


# Runs.


def test_starting_it_writes_a_free_job(mug):
    run = runs.start_run(generation.plan_photos([mug], ratio="1:1"))
    job = ImageJob.objects.get()
    assert (job.run, job.is_free, job.provider, job.spec["treatment"]) == (
        run,
        True,
        "photo",
        "photo",
    )
    assert run.request == {"model": "testcatalog.mug", "ratio": "1:1", "slot": "", "every": False}
    assert [each.status for each in items_of(mug, ratio="1:1")] == ["underway"]


def test_a_large_run_is_planned_again_as_it_was_without_reading_photos(mug, monkeypatch):
    plan = generation.plan_photos([mug], slot="hero", ratio="1:1", every=True)
    request = planning.stored_request(plan.planner)
    monkeypatch.setattr(photos, "read_photo", lambda photo: pytest.fail("a photo was read"))
    again = planning.plan_again(request, [mug])
    assert again.planner.as_request() == plan.planner.as_request()
    assert [item.status for item in again.items()] == ["missing"]


# Text on them.


@pytest.fixture
def layout(monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    monkeypatch.setattr(PosterSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    return factories.layout()


def text_items(about, **options):
    options = {"layouts": ["banner"], "locales": ["en"], **options}
    return list(generation.plan_texts([about], **options).items())


def test_text_goes_on_photos_and_scenes_and_each_can_be_named(mug, layout):
    (item,) = items_of(mug)
    photo = store(item, mug, state="approved")
    scene = factories.image(mug, scene="marble", size=(400, 500), state="approved")
    factories.scene()
    assert [each.spec.base for each in text_items(mug, scenes=[OWN_PHOTO])] == [photo.sha256]
    assert [each.spec.base for each in text_items(mug, scenes=["marble"])] == [scene.sha256]
    for scenes in ([], [OWN_PHOTO, "marble"]):
        bases = {each.spec.base for each in text_items(mug, scenes=scenes)}
        assert bases == {photo.sha256, scene.sha256}
    (item,) = text_items(mug, scenes=[OWN_PHOTO])
    assert (item.spec.treatment, item.spec.scene) == ("photo", "")
    assert not item.spec.is_own_photo and item.spec.sets_text


def test_a_plan_for_text_on_photos_is_planned_again_as_it_was(mug, layout):
    (item,) = items_of(mug)
    store(item, mug, state="approved")
    plan = generation.plan_texts([mug], layouts=["banner"], locales=["en"], scenes=[OWN_PHOTO])
    again = planning.plan_again(planning.stored_request(plan.planner), [mug])
    assert [each.fingerprint for each in again.items()] == [
        each.fingerprint for each in plan.items()
    ]


def test_of_several_photos_text_goes_on_the_first_one(layout):
    poster = factories.poster(photos=3)
    first, *_others = [
        store(item, poster, state="approved") for item in items_of(poster, every=True)
    ]
    assert [each.spec.base for each in text_items(poster)] == [first.sha256]
    newer = store(items_of(poster, ratio="1:1")[0], poster, state="approved")
    assert [each.spec.base for each in text_items(poster)] == [newer.sha256]


def test_no_model_paints_text_on_a_photo(mug, layout, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": TIERS}
    (item,) = items_of(mug)
    store(item, mug, state="approved")
    (painted,) = text_items(mug, text="painted")
    assert painted.status == "impossible"
    assert "is always typeset" in painted.problem


def test_photos_from_a_method_are_looked_for_too():
    vase = Vase.objects.create(slug="tall", name="Tall")
    (item,) = items_of(vase)
    assert item.status == "impossible" and "vases/tall.png" in item.problem
