"""Words in a model's hand: asked for, read back, told where they differ, set exactly instead."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog import generation, review, storage, worker
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import runs, scene_photos
from nb_catalog.imaging.encode import encode
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.publishing import placements, staleness
from nb_catalog.review import verification
from nb_catalog.testing.scripted import matching_picture
from nb_catalog.typesetting import fonts, ocr_detect, typeset
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.ocr_diff import OcrComparison
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug
from tests.imaging.test_backdrop_photo import room
from tests.worker.conftest import PAID_TIERS, money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


SAID = {"en": {"headline": "Autumn offer", "price": "€12.50"}, "ar": {"headline": "عرض الخريف"}}
reads = pytest.mark.skipif(
    not ocr_detect.is_supported("en"), reason="The extra ocr is not installed."
)


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What the shop says; a test may change it."""
    words = {locale: dict(roles) for locale, roles in SAID.items()}
    monkeypatch.setattr(MugSource, "copy", lambda self, product, locale: words.get(locale, {}))
    return words


@pytest.fixture
def with_picture(script, start):
    """A mug with an approved picture by the paid model."""

    def with_picture(treatment):
        run = start(treatment=treatment)
        worker.drain()
        image = ProductImage.objects.get(job__run=run, kind="picture")
        review.approve(image, actor=None)
        return image

    return with_picture


def in_hand(**words):
    """A model that writes ``words`` on what it is given."""
    layout = Layout.from_mapping(factories.layout().content)

    def paint(request):
        given = request.references[0].data if request.references else matching_picture(request)
        ground = np.asarray(Image.open(BytesIO(given)).convert("RGB").resize((1024, 1024)))
        made = typeset(ground, layout=layout, texts=words, locale="en", chain=fonts.chain_for("en"))
        file = BytesIO()
        Image.fromarray(made.pixels).save(file, "PNG")
        return file.getvalue()

    return paint


def asked(image, locales=("en",), **options):
    factories.layout()
    mugs = Mug.objects.filter(pk=image.object_id)
    return generation.plan_texts(
        mugs, layouts=["banner"], locales=locales, text="painted", **options
    )


def painted(plan, script, **words):
    """The picture of the run that ``plan`` becomes, in a hand that writes ``words``."""
    script.add(in_hand(**words))
    run = runs.start_run(plan)
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return ProductImage.objects.get(job__run=run, kind="picture")


@reads
@pytest.mark.parametrize("treatment", ["painted", "locked"])
def test_what_a_model_wrote_right_is_read_back_letter_by_letter(with_picture, script, treatment):
    base = with_picture(treatment)
    plan = asked(base)
    assert plan.summary().price_usd > 0
    image = painted(plan, script, **SAID["en"])
    request = script.requests[-1]
    assert "“Autumn offer”" in request.prompt and "“€12.50”" in request.prompt
    reading = OcrComparison.from_dict(image.checks["ocr"])
    assert reading.is_exact and reading.said == SAID["en"], reading
    assert image.locale == "en" and image.spec["renderer"]["texts"] == SAID["en"]
    if treatment == "painted":
        assert len(request.references) == 2
        assert request.references[0].data == storage.read(base.file.name), (
            "the picture to change first"
        )
        assert image.parent == base
    else:
        assert [each.data for each in request.references] == [storage.read(base.parent.file.name)]
        assert image.parent.kind == "backdrop" and image.parent.parent == base
        assert image.checks["product"] == base.checks["product"], "its own pixels, where they were"
    assert ProviderCall.objects.count() == 2 and money_is_sound() > 0


@reads
def test_one_wrong_letter_is_told_and_one_call_sets_the_words_exactly(with_picture, script):
    base = with_picture("locked")
    image = painted(asked(base), script, headline="Autum offer", price="€12.50")
    reading = OcrComparison.from_dict(image.checks["ocr"])
    assert not reading.is_exact and 0.9 < reading.share < 1
    assert reading.said == {"headline": "Autum offer", "price": "€12.50"}
    spent = money_is_sound()

    run = runs.start_run(generation.plan_replacement([image]))
    worker.drain()
    exact = ProductImage.objects.get(job__run=run)
    assert exact.parent == base and exact.locale == "en" and exact.spec["provider"] == "typesetter"
    assert all(each.is_proved for each in verification.verify_text(exact)[exact.file.name])
    assert money_is_sound() == spent and script.count == 2, "setting words costs nothing"
    again = generation.plan_replacement([image])
    assert [item.status for item in again.items()] == ["present"]


@reads
def test_words_that_nobody_asked_for_are_told(with_picture, script):
    base = with_picture("painted")
    image = painted(asked(base), script, headline="Autumn offer FREE", price="€12.50")
    reading = OcrComparison.from_dict(image.checks["ocr"])
    assert not reading.is_exact and (reading.extra or "FREE" in reading.said["headline"])


def test_what_nobody_here_can_read_is_said_to_be_unread(with_picture, script):
    image = painted(asked(with_picture("painted"), ["ar"]), script, headline="Autumn offer")
    assert not OcrComparison.from_dict(image.checks["ocr"]).reader


def test_a_reader_that_breaks_costs_no_picture(with_picture, script, monkeypatch, caplog):
    def breaks(*args, **options):
        raise RuntimeError("no network")

    base = with_picture("painted")
    monkeypatch.setattr("nb_catalog.typesetting.ocr_detect.check_texts", breaks)
    image = painted(asked(base), script, **SAID["en"])
    assert image.checks["ocr"]["reader"] == ""
    assert "cannot be read back" in caplog.text and "Autumn" not in caplog.text


def test_a_rejected_one_is_painted_once_more(with_picture, script):
    base = with_picture("painted")
    image = painted(asked(base), script, **SAID["en"])
    assert [item.status for item in asked(base).items()] == ["present"]
    review.reject(image, actor=None)
    [item] = asked(base).items()
    assert item.status == "missing" and item.spec.variant == 2


@pytest.fixture
def rendered(script, settings):
    """Returns a picture of a mug that was rendered here, in the scene that it is given."""
    local = {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}
    providers = {
        **settings.NB_CATALOG["PROVIDERS"],
        "local": {"BACKEND": "nb_catalog.providers.local.LocalProvider"},
    }
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": providers,
        "TIERS": {"rendered": local, **PAID_TIERS},
    }

    def rendered(scene):
        plan = generation.plan_backgrounds([factories.product()], scenes=[scene], tier="rendered")
        run = runs.start_run(plan)
        worker.drain()
        return run.jobs.get().images.get()

    return rendered


def test_a_locked_picture_that_was_rendered_here_gets_new_surroundings_with_words(rendered, script):
    """Nothing was kept of its surroundings alone: the model paints them anew, words and all."""
    base = rendered(factories.scene())
    image = painted(asked(base), script, **SAID["en"])
    assert script.requests[-1].references == ()
    assert "A quiet surface in soft light" in script.requests[-1].prompt
    assert image.parent.kind == "backdrop" and image.parent.parent == base
    with pytest.raises(PlanRefused, match="renders scenes and cannot paint text"):
        asked(base, tier="rendered")


def test_the_photo_that_a_picture_was_made_on_goes_along_to_be_painted_with_words(rendered, script):
    """The scene may have another photo by now: the words are for the picture that a person chose."""
    scene = factories.scene("room", renderer={}, prompt="")
    scene_photos.attach(scene, scene_photos.inspect(encode(room((800, 600)), format="jpeg")))
    scene.save()
    base = rendered(scene)
    scene_photos.attach(scene, scene_photos.inspect(encode(room((640, 640)), format="jpeg")))
    scene.save()
    [item] = asked(base).items()
    assert item.spec.backdrop == base.spec["backdrop"] != scene.backdrop_sha256
    painted(asked(base), script, **SAID["en"])
    [place] = script.requests[-1].references
    assert place.role == "backdrop"
    assert Image.open(BytesIO(place.data)).size == (800, 600)
    assert script.requests[-1].prompt.startswith("The image shows a place.")


def test_a_picture_that_a_model_edits_needs_no_photo_of_its_place(with_picture):
    [item] = asked(with_picture("painted")).items()
    assert item.spec.canvas and not item.spec.backdrop


def test_a_changed_price_makes_it_stale_and_is_set_in_its_place(with_picture, script, said):
    base = with_picture("locked")
    image = painted(asked(base), script, **SAID["en"])
    review.approve(image, actor=None)
    placements.publish(image, slot="hero", locale="en", position=0, actor=None)
    mug = Mug.objects.get(pk=image.object_id)
    assert staleness.mark_stale([mug]) == []
    said["en"]["price"] = "€9.90"
    [placement] = staleness.mark_stale([mug])
    assert placement.image == image
    renewed = staleness.refresh([mug], actor=None)
    worker.drain()
    new = ProductImage.objects.get(job__run=renewed.runs[0])
    assert new.spec["provider"] == "typesetter" and new.parent == base
    assert new.spec["renderer"]["texts"]["price"] == "€9.90" and script.count == 2


def test_a_text_that_is_too_long_to_be_painted_is_refused_by_itself(with_picture, said):
    said["en"]["headline"] = "word " * 40
    base = with_picture("painted")
    [item] = asked(base).items()
    assert item.status == "impossible" and "Have the text typeset instead." in item.problem


def test_only_what_a_model_painted_is_set_instead(with_picture):
    with pytest.raises(PlanRefused, match="no text that a model painted"):
        generation.plan_replacement([with_picture("locked")])


def test_pictures_of_two_models_are_not_set_in_one_plan():
    mug, poster = factories.product(photo=False), factories.poster(photos=0)
    images = [
        factories.image(about, asked=factories.spec(about, base="aa11")) for about in (mug, poster)
    ]
    with pytest.raises(PlanRefused, match="A plan is about one model"):
        generation.plan_replacement(images)
