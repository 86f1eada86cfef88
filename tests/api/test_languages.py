"""What the API says is in the language of the client: no sentence goes past gettext."""

import re

import pytest
from django.utils import translation

from nb_catalog import review
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, TextLayout
from tests import factories
from tests.api.conftest import BASE
from tests.catalog.catalog_images import MugSource

SENTENCE = re.compile("«[^«»]*»")


@pytest.fixture
def pseudo(monkeypatch):
    """Mark every text that went through gettext, as a translator's tool does."""
    translation.gettext("x")
    monkeypatch.setattr(translation._trans, "gettext", lambda text: f"«{text}»")


@pytest.fixture
def api(api_as, pseudo):
    factories.scene("marble")
    factories.scene("sea", renderer={})
    factories.layout()
    factories.deck(en={"headline": "Now {price}"})
    return api_as(*Permission, "nb_catalog.change_copydeck")


def texts_in(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    else:
        yield value


def left_over(text):
    """The words of ``text`` that did not go through gettext. Locales, roles and keys may."""
    while (inner := SENTENCE.sub("", text)) != text:
        text = inner
    return re.search(r"[A-Za-z]{3,}\s+[a-z]{2,}", text)


def assert_translated(answer, *statuses):
    assert answer.status_code in (statuses or (400, 404, 409, 422)), answer.content
    body = answer.json()
    for text in texts_in([body["detail"], body.get("errors", []), body.get("objections", [])]):
        assert "«" in text and not left_over(text), text


def wish(**changes):
    return {"model": "testcatalog.mug", "objects": "all", "scenes": ["marble"]} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"scenes": ["marbel"]},
        {"scenes": ["marble", "marble"]},
        {"scenes": ["sea"]},
        {"tier": "drafd"},
        {"ratio": "7:3"},
        {"treatment": "painted"},
        {"mode": "batch"},
        {"model": "testcatalog.mugg"},
        {"objects": [999]},
        {"key": "a\nb"},
        {"colour": "red"},
        {"budget_usd": "1e12"},
    ],
)
def test_a_plan_is_refused_in_the_client_s_language(api, changes):
    factories.product()
    assert_translated(api.post("runs/", wish(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"layouts": ["baner"]},
        {"deck": "autum"},
        {"locales": ["xx"]},
        {"slot": "herro"},
        {"text": "painted"},
    ],
)
def test_a_plan_of_texts_is_refused_so_too(api, changes):
    factories.product()
    body = {"model": "testcatalog.mug", "objects": "all", "layouts": ["banner"], **changes}
    assert_translated(api.post("plans/texts/", body))


def test_the_problems_of_a_plan_are_told_so_too(api):
    factories.product(photo=False)
    imaged = factories.product()
    factories.image(imaged)
    answers = [
        api.post("plans/", wish()),
        *(
            api.post("plans/texts/", {**wish(), "layouts": ["banner"], **more})
            for more in ({"deck": "autumn"}, {"slot": "hero"}, {})
        ),
    ]
    problems = [each["problem"] for answer in answers for each in answer.json()["problems"]]
    assert len(problems) >= 5
    for problem in problems:
        assert "«" in problem and not left_over(problem), problem


PLACE = {"start": 0.05, "top": 0.02, "width": 0.9, "height": 0.1}
LONG = "Donaudampfschifffahrtsgesellschaft"
# Each is wrong in one way.
LAYOUTS = {
    "long": {"boxes": [{"role": "long", "place": PLACE, "smallest": 0.08, "hyphenate": False}]},
    "lines": {"boxes": [{"role": "lines", "place": PLACE, "lines": 2}]},
    "small": {"boxes": [{"role": "short", "place": PLACE, "smallest": 0.015, "largest": 0.02}]},
    "over": {"boxes": [{"role": "short", "place": {**PLACE, "top": 0.5}, "align": "centre"}]},
    "plate": {
        "boxes": [{"role": "short", "place": {**PLACE, "top": 0.28, "height": 0.14},
                   "plate": {"colour": "#202020", "padding": 0, "hugs": False}}],
    },
    "panel": {
        "boxes": [{"role": "short", "place": PLACE}],
        "panels": [{"place": {**PLACE, "top": 0.5}, "colour": "#202020"}],
    },
    "glyph": {"boxes": [{"role": "glyph", "place": PLACE}]},
    "group": {
        "boxes": [
            {"role": "short", "place": PLACE, "group": "one", "smallest": 0.09},
            {"role": "long", "place": {**PLACE, "top": 0.14}, "group": "one"},
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("key", LAYOUTS)
def test_what_is_wrong_with_the_texts_of_a_plan_is_told_so_too(api, monkeypatch, key):
    words = {"short": "Sale", "long": LONG, "lines": "a\nb\nc", "glyph": "🜚"}
    monkeypatch.setattr(MugSource, "copy", lambda self, product, locale: words)
    mug = factories.product(photo=False)
    product = {"product": [200, 300, 200, 350]}
    factories.image(mug, state=ImageState.APPROVED, size=(600, 750), checks=product)
    TextLayout.objects.create(key=key, name=key, content=LAYOUTS[key])
    body = {"model": "testcatalog.mug", "objects": "all", "layouts": [key], "locales": ["en"]}
    [problem] = [each["problem"] for each in api.post("plans/texts/", body).json()["problems"]]
    assert "«" in problem and not left_over(problem.replace(f'"{LONG}"', "")), problem


@pytest.mark.parametrize("photo", [b"no picture", factories.photo_bytes()[:-40], b"x" * 3000])
def test_what_is_wrong_with_a_photo_is_told_so_too(api, settings, photo):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 2000}
    factories.product(photo=photo)
    [problem] = [each["problem"] for each in api.post("plans/", wish()).json()["problems"]]
    assert "«" in problem and not left_over(problem), problem


@pytest.mark.parametrize(
    "text", ["\u200b", "a\nb\u3164", "Hot 🔥 deal", "Just 🜚 gold", "a\u2028b", "a\ufffdb"]
)
def test_texts_that_cannot_be_shown_are_refused_so_too(api, text):
    texts = {"texts": {"en": {"headline": text}}}
    assert_translated(api.post("decks/autumn/texts/", texts), 422)


def test_decisions_are_refused_so_too(api):
    image = factories.image(state=ImageState.APPROVED)
    for verb in ("approve", "restore"):
        assert_translated(api.post(f"images/{image.pk}/{verb}/"), 409)
    rejected = factories.image(state=ImageState.REJECTED)
    assert_translated(api.post(f"images/{rejected.pk}/retire/"), 409)
    backdrop = factories.image(kind="backdrop")
    assert_translated(api.post(f"images/{backdrop.pk}/approve/"), 422)
    placement = factories.published()
    assert_translated(api.post(f"images/{placement.image_id}/retire/"), 422)
    for path in ("set-text", "read-text"):
        assert_translated(api.post(f"images/{image.pk}/{path}/"), 422)
    assert_translated(api.post(f"images/{image.pk}/alt/", {"texts": {"xx": "A mug"}}), 422)


def test_publishing_is_refused_so_too(api):
    image, gone = factories.image(), factories.image(state=ImageState.APPROVED, file="gone.png")
    place = {"slot": "herro", "locale": "xx"}
    assert_translated(api.post(f"images/{image.pk}/publish/", place), 422)
    assert_translated(api.post(f"images/{gone.pk}/publish/", {"slot": "hero"}), 422)
    backdrop = factories.image(kind="backdrop", state=ImageState.APPROVED)
    assert_translated(api.post(f"images/{backdrop.pk}/publish/", {"slot": "hero"}), 422)
    mug = factories.product()
    place = {"model": "testcatalog.mug", "object": mug.pk, "slot": "hero"}
    assert_translated(api.post("placements/roll-back/", place), 422)
    first = factories.published(mug)
    factories.published(mug)
    type(first.image).objects.filter(pk=first.image_id).update(state=ImageState.RETIRED)
    assert_translated(api.post(f"placements/{Placement.objects.get().pk}/roll-back/"), 422)


def test_runs_and_texts_and_addresses_are_refused_so_too(api):
    run = factories.run(actor=api.user)
    assert_translated(api.post(f"runs/{run.pk}/resume/", {"budget_usd": "5"}), 409)
    texts = {"xx": {"price": "Now"}, "en": {"price": "{price", "Head": "Now"}}
    assert_translated(api.post("decks/autumn/texts/", {"texts": texts}), 422)
    for path in ("jobs/?rnu=1", "jobs/?run=1&run=2", "jobs/?run=", "jobs/?cursor=x", "jobs/?page_size=x",
                 "models/testcatalog.mugg/"):  # fmt: skip
        assert_translated(api.get(path))
    body = wish(key="k")
    factories.product()
    api.post("runs/", body)
    assert_translated(api.post("runs/", {**body, "priority": 1}), 409)
    deep = "[" * 50_000
    assert_translated(api.client.post(f"{BASE}plans/", deep, content_type="application/json"))


def test_a_client_chooses_its_language(api_as):
    api = api_as(Permission.REVIEW)
    image = factories.image()
    review.approve(image, actor=None)
    answer = api.get("jobs/?rnu=1", **{"Accept-Language": "de"})
    assert answer.json()["detail"] != api.get("jobs/?rnu=1").json()["detail"]
