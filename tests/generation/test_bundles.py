"""Plans of several products together: which parts, which photos, which words, and what is refused."""

import re
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import generation
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import PlanRefused, RegistryError
from nb_catalog.generation.planning import plan_again, stored_request
from nb_catalog.generation.prompts.bundle import BundledProduct, bundle_prompt
from nb_catalog.registry import bundle_of
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(monkeypatch):
    """bundle(parts): a mug whose source names them."""

    def bundle(parts, **fields):
        mug = factories.product(name="Gift set", **fields)
        monkeypatch.setattr(
            MugSource, "bundle", lambda self, product: parts if product.pk == mug.pk else ()
        )
        return mug

    return bundle


def plan(*products, **options):
    options = {"scenes": [factories.scene()], "bundles": True, **options}
    return generation.plan_backgrounds(list(products), **options)


def spec_of(made):
    (item,) = made.items()
    assert not item.problem, item.problem
    return item.spec


def problem_of(made):
    (item,) = made.items()
    return item.problem


def test_objects_of_several_models_become_the_parts_in_order(bundle, monkeypatch):
    heights = {"Tall": 24.0, "Gift set": 99.0}
    monkeypatch.setattr(MugSource, "height_cm", lambda self, product: heights.get(product.name))
    tall, poster = factories.product(name="Tall"), factories.poster()
    mug = bundle([poster, tall])
    spec = spec_of(plan(mug))
    assert [part["object_type"] for part in spec.parts] == ["testcatalog.poster", "testcatalog.mug"]
    assert [part["object_id"] for part in spec.parts] == [str(poster.pk), str(tall.pk)]
    assert [part["height_cm"] for part in spec.parts] == [0.0, 24.0]
    assert spec.photo == poster.photos.get().image.name and spec.object_id == str(mug.pk)
    single = spec_of(plan(mug, bundles=False))
    assert not single.parts and single.fingerprint != spec.fingerprint
    # A picture of the bundle does not replace one of the product's own photo.
    assert single.request_hash != spec.request_hash


def test_photos_of_one_object_are_parts_too(bundle, monkeypatch):
    monkeypatch.setattr(PosterSource, "bundle", lambda self, product: self.photos(product))
    poster = factories.poster(photos=3)
    spec = spec_of(plan(poster))
    assert [part["photo"] for part in spec.parts] == [row.image.name for row in poster.photos.all()]
    assert {part["object_id"] for part in spec.parts} == {str(poster.pk)}


def test_products_that_are_no_bundles_get_pictures_of_their_own(bundle):
    other = factories.product()
    mug = bundle([factories.product(), factories.product()])
    specs = {item.object_id: item.spec for item in plan(mug, other).items()}
    assert len(specs[str(mug.pk)].parts) == 2 and not specs[str(other.pk)].parts


def test_the_photo_and_the_mask_of_each_part_are_in_the_fingerprint(bundle):
    one, two = factories.product(), factories.product()
    mug = bundle([one, two])
    spec = spec_of(plan(mug))
    seen = {spec.fingerprint}
    for index in range(2):
        for name in ("photo_version", "cutout", "pose", "photo", "height_cm"):
            parts = [dict(part) for part in spec.parts]
            parts[index][name] = 7.0 if name == "height_cm" else "changed"
            seen.add(replace(spec, parts=tuple(parts)).fingerprint)
    assert len(seen) == 11
    assert replace(spec, parts=spec.parts[::-1]).fingerprint not in seen


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (lambda: [factories.product() for _ in range(7)], "2 to 6 products together.* has 7"),
        (lambda: [factories.product()], "2 to 6 products together.* has 1"),
        (lambda: [factories.product(), factories.product(name="Bare", photo=False)],
         "“Bare”, a part of the bundle, has no photo"),
    ],
)  # fmt: skip
def test_parts_that_cannot_be_shown_together_are_told(bundle, parts, said):
    assert re.search(said, problem_of(plan(bundle(parts()))))


def test_the_same_product_twice_is_refused(bundle):
    twin = factories.product(name="Twin")
    assert "“Twin” is in the bundle twice" in problem_of(plan(bundle([twin, twin])))


def test_a_bundle_in_a_bundle_is_refused(bundle, monkeypatch):
    inner = factories.product(name="Inner")
    outer = factories.product(name="Outer")
    parts = {inner.pk: [factories.product(), factories.product()]}
    parts[outer.pk] = [inner, factories.product()]
    monkeypatch.setattr(MugSource, "bundle", lambda self, product: parts.get(product.pk, ()))
    assert "“Inner” is a bundle itself" in problem_of(plan(outer))


def test_what_is_no_part_at_all_is_the_sources_mistake(bundle):
    mug = bundle(["a mug"])
    with pytest.raises(RegistryError, match="must be objects of registered models"):
        bundle_of(mug)
    assert "'a mug'" in problem_of(plan(mug))


def test_the_part_whose_photo_cannot_be_used_is_named(bundle):
    good, busy = factories.product(name="Good"), factories.product(name="Busy")
    factories.cutout(busy, state="refused", problem="The outline is not certain.")
    assert problem_of(plan(bundle([good, busy]))) == "“Busy”: The outline is not certain."


def test_a_file_that_is_no_picture_names_its_part(bundle):
    torn = factories.product(name="Torn", photo=b"no picture at all")
    assert problem_of(plan(bundle([factories.product(), torn]))).startswith("“Torn”: ")


def test_a_part_that_lies_needs_a_scene_that_can_be_seen_from_above(bundle, monkeypatch):
    flat = factories.product(name="Shirt")
    monkeypatch.setattr(
        MugSource, "pose", lambda self, product: "lying" if product.pk == flat.pk else ""
    )
    mug = bundle([factories.product(), flat])
    scene = factories.scene()
    assert spec_of(plan(mug, scenes=[scene])).seen_from == "top"
    scene.renderer = {**scene.renderer, "view": "front"}
    assert "“Shirt” lies flat" in problem_of(plan(mug, scenes=[scene]))


def test_bundles_are_relit_by_the_local_renderer(bundle):
    mug = bundle([factories.product(), factories.product()])
    relit, locked = (spec_of(plan(mug, treatment=treatment)) for treatment in ("relit", "locked"))
    assert (relit.treatment, len(relit.parts)) == ("relit", 2)
    assert relit.fingerprint != locked.fingerprint


def test_chosen_products_become_one_picture_under_a_stated_one():
    stated, one, two = (factories.product() for _ in range(3))
    made = plan(stated, bundles=False, parts=[one, ("testcatalog.mug", str(two.pk))])
    spec = spec_of(made)
    assert spec.object_id == str(stated.pk)
    assert [part["object_id"] for part in spec.parts] == [str(one.pk), str(two.pk)]
    again = plan_again(stored_request(made.planner), [stated])
    assert spec_of(again).fingerprint == spec.fingerprint


def test_chosen_products_are_refused_before_there_is_a_plan():
    one, two = factories.product(), factories.product()
    for parts, said in (
        ([one], "has 1"),
        ([one, one], "twice"),
        ([one, ("testcatalog.mug", "987654")], "no testcatalog.mug 987654"),
        ([one, ("testcatalog.mug", "x")], "no testcatalog.mug x"),
    ):
        with pytest.raises(PlanRefused, match=said):
            plan(one, bundles=False, parts=parts)
    with pytest.raises(PlanRefused, match="exactly one"):
        plan(one, two, bundles=False, parts=[one, two])


def test_a_plan_again_of_bundles_is_of_bundles(bundle):
    mug = bundle([factories.product(), factories.product()])
    made = plan(mug)
    again = plan_again(stored_request(made.planner), [mug])
    assert spec_of(again).fingerprint == spec_of(made).fingerprint


def test_plans_of_many_bundles_make_no_query_for_each(monkeypatch):
    pairs = {factories.product().pk: [factories.product(), factories.product()] for _ in range(6)}
    monkeypatch.setattr(MugSource, "bundle", lambda self, product: pairs.get(product.pk, ()))
    scene, counts = factories.scene(), []
    # What is looked up once in a process.
    list(plan(Mug.objects.get(pk=next(iter(pairs))), scenes=[scene]).items())
    for keys in (list(pairs)[:2], list(pairs)):
        products = list(Mug.objects.filter(pk__in=keys))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(list(plan(*products, scenes=[scene]).items())) == len(keys)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Words for models


PRODUCTS = [
    BundledProduct(title="Mug", facts={"colour": "blue"}, height_cm=9.5),
    BundledProduct(title="Tea", facts={}),
    BundledProduct(title='The "best" book', facts={}),
]


def prompt(**options):
    options = {
        "treatment": "painted", "products": PRODUCTS, "scene_prompt": "On oak", "ratio": "4:5",
        **options,
    }  # fmt: skip
    return bundle_prompt(**options)


def test_a_painted_prompt_says_which_image_shows_what():
    text = prompt()
    assert text.startswith("The first three images show three different products, one each.")
    assert "The first image shows “Mug” (colour: “blue”)." in text
    assert "The third image shows “The 'best' book”." in text
    assert "the product of the first image is 9.5 cm high" in text and "On oak." in text
    assert "the fourth image shows a place" in prompt(has_backdrop=True)
    assert "seen straight from above" in prompt(view="top")


def test_a_locked_prompt_asks_for_an_empty_set_for_all_of_them():
    text = prompt(treatment="locked")
    assert "empty surroundings in which three products" in text and "“Tea”" in text
    assert "first image" not in text
    assert "looks straight down" in prompt(treatment="locked", view="top")


def test_a_photo_that_is_not_described_has_no_name():
    assert "The first image shows the product." in prompt(
        products=[BundledProduct(title="", facts={}), PRODUCTS[1]]
    )


def test_photos_named_alike_are_told_apart_by_their_files(monkeypatch):
    monkeypatch.setattr(
        PosterSource, "bundle", lambda self, product: [Photo(name="posters/gone.png")] * 2
    )
    assert "“gone.png” is in the bundle twice" in problem_of(plan(factories.poster()))


def test_a_model_does_not_paint_text_into_a_picture_of_several_products(bundle, settings):
    one, two = factories.product(), factories.product()
    spec = spec_of(plan(one, bundles=False, parts=[one, two]))
    factories.image(one, asked=spec, state="approved")
    layout = factories.layout()
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": GEMINI_TIERS}
    made = generation.plan_texts([one], layouts=[layout], locales=["en"], text="painted")
    assert any("several products is always typeset" in item.problem for item in made.items())
