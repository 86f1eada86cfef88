"""Words on pictures, from the plan to the page: per locale, proved, stale when they change."""

import json
from io import BytesIO

import numpy as np
import pytest
from django.core.management import call_command
from django.template import Context, Template
from django.utils import translation
from PIL import Image

from nb_catalog import generation, review, storage, storefront, worker
from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.generation import runs, text_checks
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ProviderCall, TextLayout
from nb_catalog.publishing import placements
from nb_catalog.review import verification
from nb_catalog.typesetting import Report, fonts
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.proof import verify
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]

SAID = {
    "en": {"headline": "Autumn offer", "price": "€12.50"},
    "de": {"headline": "Herbstangebot", "price": "12,50\u00a0€"},
    "ar": {"headline": "عرض الخريف"},
    "ja": {"price": "€12.50"},
}


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What the shop says; a test may change it."""
    words = {locale: dict(roles) for locale, roles in SAID.items()}
    monkeypatch.setattr(MugSource, "copy", lambda self, product, locale: words.get(locale, {}))
    return words


def with_picture(count=1):
    """Mugs with a picture each, made by the local renderer and approved."""
    mugs = [factories.product() for _ in range(count)]
    factories.scene()
    run = runs.start_run(generation.plan_backgrounds(mugs, scenes=["marble"]))
    worker.drain()
    for job in run.jobs.all():
        review.approve(job.images.get(), actor=None)
    return mugs


def texts(mugs, locales_=("en", "de", "ar"), **options):
    factories.layout()
    products = Mug.objects.filter(pk__in=[mug.pk for mug in mugs])
    return generation.plan_texts(products, layouts=["banner"], locales=locales_, **options)


def statuses(plan):
    return sorted(item.status.value for item in plan.items())


def made(plan):
    """The pictures of the run that ``plan`` becomes, by locale."""
    run = runs.start_run(plan)
    worker.drain()
    jobs = run.jobs.all()
    assert {(job.state, job.error) for job in jobs} == {("succeeded", "")}
    return {image.locale: image for job in jobs for image in job.images.all()}


def test_one_picture_becomes_one_in_each_locale():
    [mug] = with_picture()
    plan = texts([mug])
    assert statuses(plan) == ["missing"] * 3
    assert plan.summary().price_usd == 0
    pictures = made(plan)
    assert sorted(pictures) == ["ar", "de", "en"]
    [base] = {image.parent for image in pictures.values()}
    assert base.locale == ""
    for locale, image in pictures.items():
        data = storage.read(image.file.name)
        assert read_mark(data) == image.digital_source_type == base.digital_source_type
        assert (image.width, image.height) == (base.width, base.height)
        report = Report.from_dict(image.checks["text"])
        assert {text.role: text.text for text in report.texts} == SAID[locale]
    assert not ProviderCall.objects.exists(), "words cost nothing and are nobody's call"
    assert statuses(texts([mug])) == ["present"] * 3


def test_what_is_stored_is_proved_letter_by_letter():
    [mug] = with_picture()
    for locale, image in made(texts([mug])).items():
        pixels = np.asarray(Image.open(BytesIO(storage.read(image.file.name))).convert("RGB"))
        proofs = verify(
            pixels,
            report=Report.from_dict(image.checks["text"]),
            layout=Layout.from_mapping(image.spec["renderer"]["layout"]),
            chain=fonts.chain_for(locale),
        )
        assert len(proofs) == len(SAID[locale])
        assert all(proof.is_proved for proof in proofs), proofs


def test_a_changed_price_makes_exactly_what_shows_it_stale(said):
    mugs = with_picture(2)
    made(texts(mugs))
    said["de"]["price"] = "11,00\u00a0€"
    plan = texts(mugs)
    assert statuses(plan) == ["present"] * 4 + ["stale"] * 2
    assert {item.spec.locale for item in plan.wanted()} == {"de"}
    assert sorted(made(plan)) == ["de"]
    assert statuses(texts(mugs)) == ["present"] * 6


def test_a_changed_layout_makes_its_pictures_stale():
    [mug] = with_picture()
    made(texts([mug]))
    layout = TextLayout.objects.get(key="banner")
    layout.content["boxes"][0]["colour"] = "#ffe0a0"
    layout.save()
    assert layout.version == 2
    assert statuses(texts([mug])) == ["stale"] * 3


def test_words_that_there_are_not_are_never_another_language_s():
    [mug] = with_picture()
    plan = texts([mug], ("en", "ja", "fr"))
    assert statuses(plan) == ["impossible", "impossible", "missing"]
    problems = plan.summary().problems
    assert "The layout “Banner” needs headline, and there is none in 'ja'." in problems
    assert "The layout “Banner” needs headline, and there is none in 'fr'." in problems


def test_without_a_picture_there_is_nothing_to_set_text_on():
    plan = texts([factories.product()])
    assert statuses(plan) == ["impossible"] * 3
    assert "Generate one first." in next(iter(plan.summary().problems))


def test_the_newest_approved_picture_carries_the_words():
    [mug] = with_picture()
    pending = factories.image(mug, size=(320, 320))
    assert pending.pk > mug_base(mug).pk
    assert made(texts([mug], ["en"]))["en"].parent == mug_base(mug)


def mug_base(mug):
    [item] = texts([mug], ["en"]).items()
    return storefront_image(item.spec.base)


def storefront_image(sha256):
    from nb_catalog.models import ProductImage

    return ProductImage.objects.filter(sha256=sha256, locale="").first()


def test_words_keep_clear_of_the_product_in_the_picture(said, monkeypatch):
    [mug] = with_picture()
    base = mug_base(mug)
    left, top, width, height = base.checks["product"]
    on_it = {
        "start": left / base.width,
        "top": top / base.height,
        "width": width / base.width,
        "height": height / base.height,
    }
    factories.layout("across", content={"boxes": [{"role": "headline", "place": on_it}]})
    plan = generation.plan_texts([mug], layouts=["across"], locales=["en"])
    [problem] = plan.summary().problems
    assert "would cover the product" in problem
    # What the plan of many products does not set, the job refuses.
    monkeypatch.setattr(text_checks, "MAX_SET", 0)
    run = runs.start_run(plan)
    worker.drain()
    job = run.jobs.get()
    assert (job.state, job.error_code) == ("failed", "text_does_not_fit")
    assert "would cover the product" in job.error


def test_a_word_that_cannot_be_drawn_fails_its_picture_alone_and_says_why(said, monkeypatch):
    [mug] = with_picture()
    said["en"]["headline"] = "Autumn 🎒"
    plan = texts([mug])
    assert statuses(plan) == ["impossible", "missing", "missing"]
    [problem] = plan.summary().problems
    assert problem.startswith("headline (en)") and "SCHOOL SATCHEL" in problem
    # The fonts of the worker's machine may be others.
    monkeypatch.setattr(text_checks, "MAX_SET", 0)
    run = runs.start_run(plan)
    worker.drain()
    states = {job.spec["locale"]: (job.state, job.error_code) for job in run.jobs.all()}
    assert states["en"] == ("failed", "character_missing")
    assert states["de"] == states["ar"] == ("succeeded", "")
    assert "SCHOOL SATCHEL" in run.jobs.get(state="failed").error


def test_each_language_of_the_shop_shows_its_own_picture(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
    [mug] = with_picture()
    editor = factories.staff()
    pictures = made(texts([mug]))
    for locale, image in pictures.items():
        review.approve(image, actor=editor)
        placements.publish(image, slot="hero", locale=locale, actor=editor)
    template = Template('{% load nb_catalog %}{% catalog_picture product "hero" %}')
    for locale, image in pictures.items():
        with translation.override(locale):
            assert storefront.picture_for(mug, "hero").image_id == image.pk
            html = template.render(Context({"product": mug}))
        assert image.renditions.first().url in html


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layouts": []}, "No layout was chosen"),
        ({"layouts": ["baner"]}, "Did you mean 'banner'"),
        ({"layouts": ["banner"], "locales": ["xx"]}, "There is no locale 'xx'"),
        ({"layouts": ["banner"], "scenes": ["nowhere"]}, "There is no scene 'nowhere'"),
    ],
)
def test_a_wrong_request_is_refused_as_a_whole(options, words):
    factories.layout()
    factories.scene()
    with pytest.raises(PlanRefused, match=words):
        generation.plan_texts([factories.product()], **options)


def test_without_layouts_the_starter_set_is_named():
    with pytest.raises(PlanRefused, match="loaddata nb_catalog_layouts"):
        generation.plan_texts([factories.product()], layouts=["sale-banner"])


def test_a_layout_written_past_the_form_is_refused():
    factories.layout("broken", content={"boxes": [{"role": "headline"}]})
    with pytest.raises(PlanRefused, match="“Broken” is invalid.*'place' is missing"):
        generation.plan_texts([factories.product()], layouts=["broken"])


def test_the_starter_layouts_load_and_load_again():
    for _ in range(2):
        call_command("loaddata", "nb_catalog_layouts", verbosity=0)
    rows = list(TextLayout.objects.all())
    assert len(rows) == 8
    for row in rows:
        row.full_clean()
        assert row.version == 1
        assert json.loads(json.dumps(row.layout.as_mapping())) == row.layout.as_mapping()


def test_every_file_that_is_delivered_shows_its_words():
    [mug] = with_picture()
    editor = factories.staff()
    for image in made(texts([mug], ["de", "ar"])).values():
        assert min(image.checks["text_proof"].values()) > 0.93
        review.approve(image, actor=editor)
        placements.publish(image, slot="hero", locale=image.locale, actor=editor)
        files_shown = verification.verify_text(image)
        assert len(files_shown) == 1 + image.renditions.count()
        for name, proofs in files_shown.items():
            assert all(proof.is_proved or proof.em < 12 for proof in proofs), (name, proofs)
            assert all(proof.overlap > 0.8 for proof in proofs)


def test_a_file_with_other_words_is_found_out(said):
    [mug] = with_picture()
    image = made(texts([mug], ["en"]))["en"]
    said["en"]["headline"] = "Autumn after"
    other = made(texts([mug], ["en"]))["en"]
    image.file = other.file
    [proofs] = verification.verify_text(image).values()
    assert [proof.is_proved for proof in proofs] == [False, True]


@pytest.mark.parametrize("more", ["s", ".", " 2"])
def test_a_longer_word_that_begins_alike_is_found_out(said, more):
    [mug] = with_picture()
    image = made(texts([mug], ["en"]))["en"]
    [proofs] = verification.verify_text(image).values()
    assert [proof.stray_ink for proof in proofs] == [0, 0]
    said["en"]["price"] = f"€12.50{more}"
    other = made(texts([mug], ["en"]))["en"]
    assert _size(image, "price") == _size(other, "price"), "else every letter would be another one"
    image.file = other.file
    [proofs] = verification.verify_text(image).values()
    assert [proof.is_proved for proof in proofs] == [True, False]
    assert proofs[1].stray_ink > 0.01


def _size(image, role):
    [text] = [text for text in image.checks["text"]["texts"] if text["role"] == role]
    return text["size"]


def test_without_the_picture_below_the_letters_are_proved_alone():
    [mug] = with_picture()
    image = made(texts([mug], ["en"]))["en"]
    image.spec["photo"] = "gone.png"
    [proofs] = verification.verify_text(image).values()
    assert all(proof.is_proved and proof.stray_ink is None for proof in proofs)


def test_a_picture_without_words_cannot_be_verified():
    with pytest.raises(RequestRefused, match="has no typeset text"):
        verification.verify_text(factories.image())


def test_the_review_page_shows_words_language_and_proof(client):
    [mug] = with_picture()
    made(texts([mug], ["ar"]))
    client.force_login(factories.superuser())
    page = client.get("/admin/nb_catalog/productimage/review/").content.decode()
    assert '<p class="nbc-on-it" lang="ar" dir="auto">عرض الخريف</p>' in page
    assert "text verified letter by letter" in page
    assert "mask_sha256" not in page and "product:" not in page
