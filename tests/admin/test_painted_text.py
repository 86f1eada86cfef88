"""Words that a model paints: asked for with a price, shown with what was read, set instead with a click."""

from dataclasses import replace
from uuid import uuid4

import pytest

from nb_catalog import review, worker
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Run
from nb_catalog.publishing import placements
from nb_catalog.testing.scripted import Script
from nb_catalog.typesetting.ocr_diff import OcrComparison
from tests import factories
from tests.admin.test_review_page import REVIEW, buttons, press, press_with_javascript
from tests.catalog.catalog_images import MugSource
from tests.worker.conftest import PAID_TIERS

pytestmark = pytest.mark.django_db

TEXTS = "/admin/nb_catalog/run/texts/"
PLAN = "/admin/nb_catalog/run/texts/plan/"
LOCAL = {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}
WORDS = {"headline": "Autumn offer", "price": "€12.50"}
EXACT = OcrComparison(reader="RapidOCR", said=WORDS, share=1.0)
MISSPELT = OcrComparison(
    reader="RapidOCR",
    said={"headline": "Autum offer", "price": ""},
    extra=("FREE",),
    share=0.6,
)


@pytest.fixture(autouse=True)
def shop(settings, monkeypatch):
    """A rendering tier and a paid one; the same words in every language."""
    providers = {
        "local": {"BACKEND": "nb_catalog.providers.local.LocalProvider"},
        "paid": Script().as_setting(),
    }
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": providers,
        "TIERS": {"rendered": LOCAL, **PAID_TIERS},
    }
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: WORDS)
    factories.layout()
    factories.scene()


def base_of(mug, **fields):
    return factories.image(mug, size=(400, 500), state="approved", **fields)


def painted(reading, *, locale="en", **fields):
    """A picture that a model wrote on, with what was read on it."""
    mug = factories.product()
    base = base_of(mug)
    spec = factories.spec(
        mug, base=base.sha256, provider="paid", layout="banner", locale=locale,
        renderer={"layout": factories.layout().content, "texts": WORDS, "locale": locale},
    )  # fmt: skip
    checks = {"ocr": reading.as_dict()}
    return factories.image(mug, asked=spec, locale=locale, checks=checks, parent=base, **fields)


def asked(mug, **wishes):
    named = {"nonce": "n1", "model": "testcatalog.mug", "key": mug.pk, "layouts": ["banner"]}
    return {**named, "locales": ["en"], "text": "painted", "tier": "draft", **wishes}


def test_painting_is_offered_with_its_price_where_there_is_a_model(root, settings):
    mug = factories.product()
    page = root.get(TEXTS, {"model": "testcatalog.mug", "key": mug.pk}).content.decode()
    assert 'name="text" value="painted"' in page and 'name="text" value="set" checked' in page
    assert 'name="tier" value="draft"' in page and 'name="tier" value="rendered"' not in page
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"rendered": LOCAL}}
    page = root.get(TEXTS, {"model": "testcatalog.mug", "key": mug.pk}).content.decode()
    assert 'name="text"' not in page


def test_setting_stays_free_and_painting_says_its_price(root):
    mug = factories.product()
    base_of(mug)
    assert "free" in root.post(PLAN, asked(mug, text="set")).content.decode()
    page = root.post(PLAN, asked(mug)).content.decode()
    assert "1 picture to generate" in page and "up to" in page and "$0.0" in page


@pytest.mark.django_db(transaction=True)
def test_a_price_is_agreed_to_before_anything_is_painted(root):
    mug = factories.product()
    base_of(mug)
    page = root.post(TEXTS, asked(mug, start="1", budget_usd="2"))
    assert "Spend up to" in page.content.decode() and not Run.objects.exists()
    hidden = page.context["hidden_fields"]
    assert f'action="{TEXTS}"' in page.content.decode()
    again = {name: [v for n, v in hidden if n == name] for name, _value in hidden}
    agreed = page.context["agreed"]
    answer = root.post(TEXTS, {**again, "agreed_usd": agreed, "start": "1"})
    run = Run.objects.get()
    assert answer.status_code == 302 and run.request["text"] == "painted"
    assert run.budget_microusd == 2_000_000
    worker.drain()
    assert ProductImage.objects.get(job__run=run, kind="picture").locale == "en"


def test_painting_without_a_tier_is_told(root):
    page = root.post(PLAN, asked(factories.product(), tier="")).content.decode()
    assert "Choose a tier to paint the text." in page


def test_what_was_read_exactly_is_said_and_can_be_ticked(root):
    image = painted(EXACT)
    page = root.get(REVIEW).content.decode()
    assert "matches the requested text letter by letter (RapidOCR)" in page
    assert f'name="chosen" value="{image.pk}"' in page


def test_a_difference_is_shown_letter_by_letter_and_is_not_approved_in_passing(root):
    image = painted(MISSPELT)
    page = root.get(REVIEW).content.decode()
    assert "Needs review: 60 % of the painted letters match the requested text" in page
    assert "Autum<del>" in page and "n</del> offer" in page
    assert "<del>€12.50</del> not found on the picture" in page and "<ins>FREE</ins>" in page
    assert f'name="chosen" value="{image.pk}"' not in page
    root.post(REVIEW + "decide/", {"decision": "approve_chosen", "chosen": [image.pk]})
    root.post(
        REVIEW + "decide/",
        {"decision": "publish_chosen", "chosen": [image.pk], f"slot-{image.pk}": "hero"},
    )
    image.refresh_from_db()
    assert image.state == "pending" and not image.placements.exists()
    entry = {"id": str(uuid4()), "image": image.pk, "verb": "publish", "slot": "hero"}
    sent = {"sent": [{**entry, "batch": str(uuid4())}]}
    answer = root.post(REVIEW + "send/", sent, content_type="application/json").json()
    [result] = answer["results"]
    assert result["outcome"] == "refused" and "decide about it individually" in result["message"]
    image.refresh_from_db()
    assert image.state == "pending"
    tally = review.approve_all([image], actor=None)
    assert tally.decided == 0 and "decide about it individually" in tally.refused[0]
    review.approve(image, actor=None)


@pytest.mark.parametrize("reading", [OcrComparison(), EXACT])
def test_a_reader_that_did_not_read_is_named_with_the_reason(root, reading):
    painted(reading)
    assert "Incomplete check" not in root.get(REVIEW).content.decode()
    painted(replace(reading, missing={"code": "failed", "detail": "-9"}))
    page = root.get(REVIEW).content.decode()
    assert "Incomplete check: Tesseract failed with status -9." in page
    page = root.get(REVIEW, headers={"accept-language": "de"}).content.decode()
    assert "Unvollständige Prüfung: Tesseract endete mit dem Status -9." in page


def test_words_that_nobody_here_could_read_ask_for_a_person(root):
    painted(OcrComparison(), locale="ar")
    assert "could not be checked automatically" in root.get(REVIEW).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [press, press_with_javascript])
def test_one_click_sets_the_words_exactly(root, how):
    image = painted(MISSPELT)
    assert f"set_text:{image.pk}" in buttons(root)
    how(root, "set_text", image)
    worker.drain()
    exact = ProductImage.objects.get(spec__provider="typesetter")
    assert exact.parent == image.parent and exact.spec["renderer"]["texts"] == WORDS
    answer = press_with_javascript(root, "set_text", image).json()
    assert "already" in answer["message"] and Run.objects.count() == 1


def test_setting_words_needs_the_permission_to_generate(sign_in):
    image = painted(MISSPELT)
    client = sign_in(Permission.REVIEW, Permission.PUBLISH)
    assert f"set_text:{image.pk}" not in buttons(client)
    assert press(client, "set_text", image).status_code == 403
    assert f"set_text:{image.pk}" in buttons(sign_in(Permission.GENERATE))


def test_a_picture_without_painted_words_is_refused_with_a_sentence(root):
    answer = press_with_javascript(root, "set_text", factories.image()).json()
    assert not answer["ok"] and "no text that a model painted" in answer["message"]


def test_where_the_picture_below_is_gone_nothing_can_be_set_and_it_is_said(root):
    image = painted(MISSPELT)
    ProductImage.objects.filter(pk=image.parent_id).update(sha256="0" * 64)
    answer = press_with_javascript(root, "set_text", image).json()
    assert not answer["ok"] and "no longer exists. Generate it again." in answer["message"]


@pytest.mark.django_db(transaction=True)
def test_words_set_instead_are_offered_the_place_of_the_painted_ones(root):
    image = painted(MISSPELT)
    review.approve(image, actor=None)
    placements.publish(image, slot="social", locale="en", actor=None)
    press(root, "set_text", image)
    worker.drain()
    page = root.get(REVIEW).content.decode()
    assert f"Replaces picture {image.pk} in social" in page
    assert '<option value="social" selected>' in page
