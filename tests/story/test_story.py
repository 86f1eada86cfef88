"""The whole way of a picture, unchanged over providers, storages, databases and kinds of key."""

from functools import partial
from hashlib import sha256
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.template import Context, Template
from PIL import Image

from nb_catalog import generation, review, storefront, worker
from nb_catalog.generation import runs
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import PlacementEvent, ProductImage, ReviewEvent, Scene
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.publishing import placements
from nb_catalog.storage import catalog_storage
from tests import factories
from tests.catalog.models import Vase

pytestmark = pytest.mark.django_db(transaction=True)

RATIO = "4:5"
SIZE = pixel_size(RATIO, "1K")


def vase():
    """A vase (slug key), whose source names its photo in a storage by an alias."""
    made = Vase.objects.create(slug="blue-vase", name="Blue vase")
    storages["default"].save("vases/blue-vase.png", ContentFile(factories.photo_bytes()))
    return made


# Each provider meets each storage, and each of both meets each kind of key. Each provider, storage and
# kind of key once in every run and on every database.
ORDINARY = {"local": "files", "gemini locked": "s3 overwriting", "gemini painted": "s3 keeping"}
CHAPTERS = [
    pytest.param(
        maker,
        storage,
        product,
        id=f"{maker}, {storage}, {product.__name__}",
        marks=pytest.mark.story if ORDINARY[maker] == storage else pytest.mark.matrix,
    )
    for maker, storage, product in [
        ("local", "files", factories.product),
        ("local", "s3 overwriting", factories.poster),
        ("local", "s3 keeping", vase),
        ("gemini locked", "files", factories.poster),
        ("gemini locked", "s3 overwriting", vase),
        ("gemini locked", "s3 keeping", factories.product),
        ("gemini painted", "files", vase),
        ("gemini painted", "s3 overwriting", factories.product),
        ("gemini painted", "s3 keeping", factories.poster),
    ]
]


@pytest.fixture(autouse=True)
def large_photos(monkeypatch):
    """Photos that are large enough for a picture of the requested size."""
    monkeypatch.setattr(factories, "photo_bytes", partial(factories.photo_bytes, (900, 1200)))


@pytest.mark.parametrize(
    ("maker", "storage", "new_product"), CHAPTERS, indirect=["maker", "storage"]
)
def test_the_whole_way_of_a_picture(maker, storage, new_product):
    product = new_product()
    factories.scene()
    editor = factories.staff()

    first = the_only_wanted_picture_is_made(product, maker)
    it_is_kept_as_it_came(first, maker)
    asking_again_costs_nothing(product, maker)
    nothing_but_the_photo_is_shown(product)
    it_goes_live(first, product, actor=editor)
    its_files_are_marked_and_named_by_content(first)
    a_page_shows_it(first, product)
    a_rejected_variant_is_never_made_again(product, maker, actor=editor)
    second = a_changed_scene_makes_it_stale(product, maker)
    it_goes_live(second, product, actor=editor)
    it_can_be_rolled_back_step_by_step(product, to=first, actor=editor)
    every_decision_is_on_record(product, editor)


def asked(product, maker, **options):
    return generation.plan_backgrounds(
        [product], scenes=["marble"], ratio=RATIO, treatment=maker.treatment, **options
    )


def statuses(plan):
    return sorted(item.status.value for item in plan.items())


def worked_off(plan):
    """The picture of the one job that ``plan`` becomes."""
    run = runs.start_run(plan)
    assert runs.start_run(plan) == run, "the button pressed twice"
    job = run.jobs.get()
    worker.drain()
    job.refresh_from_db()
    assert (job.state, job.error) == ("succeeded", "")
    return job.images.get(kind="picture")


def the_only_wanted_picture_is_made(product, maker):
    plan = asked(product, maker)
    assert statuses(plan) == ["missing"]
    return worked_off(plan)


def it_is_kept_as_it_came(image, maker):
    assert (image.state, image.width, image.height) == ("pending", *SIZE)
    assert image.digital_source_type == maker.origin
    data = stored(image.file.name)
    assert image.sha256 == sha256(data).hexdigest() and image.sha256 in image.file.name
    if maker.server is None or maker.treatment == "locked":
        assert read_mark(data) == maker.origin, "what we compose says so in the file"
    if maker.server is not None:
        original = image.parent or image
        parts = maker.server.received[-1].body["contents"][0]["parts"]
        assert stored(original.file.name) == maker.server.picture_for(maker.server.received[-1])
        assert any("inlineData" in part for part in parts) == (maker.treatment == "painted")


def asking_again_costs_nothing(product, maker):
    plan = asked(product, maker)
    assert statuses(plan) == ["present"]
    assert plan.summary().price_usd == 0
    assert runs.start_run(plan).jobs.count() == 0


def nothing_but_the_photo_is_shown(product):
    assert storefront.picture_for(product, "hero").image_id is None
    assert storefront.pictures_for(product, "hero") == []


def it_goes_live(image, product, *, actor):
    review.approve(image, actor=actor)
    placements.publish(image, slot="hero", actor=actor)
    assert storefront.picture_for(product, "hero").image_id == image.pk


def its_files_are_marked_and_named_by_content(image):
    made = list(image.renditions.all())
    assert {(each.format, each.width) for each in made} == {
        (kind, width) for kind in ("avif", "webp", "jpeg") for width in (160, 320)
    }
    for rendition in made:
        data = stored(rendition.file.name)
        assert read_mark(data) == image.digital_source_type
        assert sha256(data).hexdigest() in rendition.file.name
        assert rendition.file.name in rendition.url
        assert Image.open(BytesIO(data)).size == (rendition.width, rendition.height)


def a_page_shows_it(image, product):
    template = Template('{% load nb_catalog %}{% catalog_picture product "hero" %}')
    html = template.render(Context({"product": product}))
    for rendition in image.renditions.all():
        assert f"{rendition.url} {rendition.width}w" in html
    assert f'data-digital-source-type="{image.digital_source_type}"' in html


def a_rejected_variant_is_never_made_again(product, maker, *, actor):
    plan = asked(product, maker, variants=2)
    assert statuses(plan) == ["missing", "present"]
    unwanted = worked_off(plan)
    assert unwanted.spec["variant"] == 2
    review.reject(unwanted, actor=actor, note="The shadow is wrong.")
    (item,) = asked(product, maker, variants=2).wanted()
    assert item.fingerprint != unwanted.fingerprint
    assert item.spec.variant == 4, "variant 3 may be what replaces the first one"


def a_changed_scene_makes_it_stale(product, maker):
    scene = Scene.objects.get(key="marble")
    scene.prompt = "Rough slate in evening light."
    scene.renderer = {"surface": {"kind": "paper", "tone": "#c8b8a8"}}
    scene.save()
    plan = asked(product, maker)
    assert statuses(plan) == ["stale"]
    image = worked_off(plan)
    assert image.spec["scene_version"] == 2
    return image


def it_can_be_rolled_back_step_by_step(product, *, to, actor):
    assert placements.roll_back(product, slot="hero", actor=actor).image == to
    assert storefront.picture_for(product, "hero").image_id == to.pk
    assert placements.roll_back(product, slot="hero", actor=actor) is None
    assert storefront.picture_for(product, "hero").image_id is None


def every_decision_is_on_record(product, actor):
    images = ProductImage.objects.about(product)
    decided = ReviewEvent.objects.filter(image__in=images, actor=actor)
    assert [event.move for event in decided] == ["approve", "reject", "approve"]
    changes = PlacementEvent.objects.about(product).filter(actor=actor)
    assert [event.move for event in changes] == ["publish", "publish", "roll_back", "roll_back"]


def stored(name):
    with catalog_storage().open(name, "rb") as file:
        return file.read()
