"""The starter layouts hold the texts of every locale, and keep clear of a product in the middle."""

import json
from pathlib import Path

import numpy as np
import pytest

import nb_catalog
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.stage import plain_box
from nb_catalog.typesetting import fonts, typeset
from nb_catalog.typesetting.layouts import Layout
from tests.typesetting.sample_texts import HEADLINES, shared_texts, texts_for

FIXTURE = Path(nb_catalog.__file__).parent / "fixtures" / "nb_catalog_layouts.json"
STARTERS = {
    row["fields"]["key"]: Layout.from_mapping(row["fields"]["content"])
    for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
}
SIZE = Size(1024, 1024)
SHADE = np.linspace(60, 230, SIZE.width)[None, :, None]


def product_on(size):
    """The rectangle of a broad product."""
    box = plain_box(size)
    left, top = box.centre - box.width / 2, box.bottom - box.height
    return Rect(round(left), round(top), round(box.width), round(box.height))


def spread(texts):
    """The texts of a locale in every role of the starter layouts."""
    short = {"kicker": "badge", "call": "badge", "subline": "badge", "fact_1": "badge",
             "fact_2": "price", "fact_3": "badge"}  # fmt: skip
    return {**texts, **{role: texts[of] for role, of in short.items()}}


def every_locale():
    own = [(locale, texts_for(locale)) for locale in HEADLINES]
    return [*own, *shared_texts().items()]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("key", STARTERS)
def test_a_starter_layout_holds_the_texts_of_every_locale(key):
    base_image = np.repeat(np.repeat(SHADE, SIZE.height, axis=0), 3, axis=2).astype(np.uint8)
    for locale, texts in every_locale():
        result = typeset(
            base_image, layout=STARTERS[key], texts=spread(texts), locale=locale,
            chain=fonts.chain_for(locale), product=product_on(SIZE),
        )  # fmt: skip
        report = result.report
        assert report.left_out == ()
        assert all(text.contrast >= 4.5 for text in report.texts), (locale, report)
        sheet = Rect(0, 0, report.width, report.height)
        assert all(sheet.holds(text.ink) for text in report.texts), locale


def test_the_facts_of_a_comparison_have_one_size():
    base_image = np.full((SIZE.height, SIZE.width, 3), 90, np.uint8)
    facts = (
        "Oak",
        "Turned by hand, oiled and waxed in a workshop by the sea",
        "Holds half a litre",
    )
    texts = {f"fact_{number}": text for number, text in enumerate(facts, 1)}
    report = typeset(
        base_image, layout=STARTERS["comparison-strip"], texts=texts, locale="en",
        chain=fonts.chain_for("en"),
    ).report  # fmt: skip
    assert [text.size for text in report.texts] == [report.texts[1].size] * 3


def test_a_picture_on_a_sheet_keeps_its_pixels():
    base_image = np.random.default_rng(3).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    layout = STARTERS["split-panel"]
    for locale, left in (("en", SIZE.width), ("ar", 0)):
        result = typeset(
            base_image, layout=layout, texts=spread(texts_for(locale)), locale=locale,
            chain=fonts.chain_for(locale),
        )  # fmt: skip
        assert result.pixels.shape == (1024, 2048, 3)
        assert np.array_equal(result.pixels[:, left : left + SIZE.width], base_image)
