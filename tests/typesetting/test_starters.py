"""The starter layouts hold the words of every locale, and keep clear of a product in the middle."""

import json
from pathlib import Path

import numpy as np
import pytest

import nb_catalog
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.stage import plain_box
from nb_catalog.typesetting import fonts, typeset
from nb_catalog.typesetting.layouts import Layout
from tests.typesetting.lettering import HEADLINES, shared_texts, texts_for

FIXTURE = Path(nb_catalog.__file__).parent / "fixtures" / "nb_catalog_layouts.json"
STARTERS = {
    row["fields"]["key"]: Layout.from_mapping(row["fields"]["content"])
    for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
}
SIZE = Size(1024, 1024)
SHADE = np.linspace(60, 230, SIZE.width)[None, :, None]


def product_on(size):
    """Where a broad product stands."""
    box = plain_box(size)
    left, top = box.centre - box.width / 2, box.bottom - box.height
    return Rect(round(left), round(top), round(box.width), round(box.height))


def spread(words):
    """The words of a locale in every role that the starters have."""
    short = {"kicker": "badge", "call": "badge", "subline": "badge", "fact_1": "badge",
             "fact_2": "price", "fact_3": "badge"}  # fmt: skip
    return {**words, **{role: words[of] for role, of in short.items()}}


def every_locale():
    own = [(locale, texts_for(locale)) for locale in HEADLINES]
    return [*own, *shared_texts().items()]


@pytest.mark.parametrize("key", STARTERS)
def test_a_starter_holds_the_words_of_every_locale(key):
    ground = np.repeat(np.repeat(SHADE, SIZE.height, axis=0), 3, axis=2).astype(np.uint8)
    for locale, words in every_locale():
        made = typeset(
            ground, layout=STARTERS[key], texts=spread(words), locale=locale,
            chain=fonts.chain_for(locale), product=product_on(SIZE),
        )  # fmt: skip
        report = made.report
        assert report.left_out == ()
        assert all(text.contrast >= 4.5 for text in report.texts), (locale, report)
        sheet = Rect(0, 0, report.width, report.height)
        assert all(sheet.holds(text.ink) for text in report.texts), locale


def test_a_picture_in_a_sheet_keeps_its_pixels():
    ground = np.random.default_rng(3).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    layout = STARTERS["split-panel"]
    for locale, left in (("en", SIZE.width), ("ar", 0)):
        made = typeset(
            ground, layout=layout, texts=spread(texts_for(locale)), locale=locale,
            chain=fonts.chain_for(locale),
        )  # fmt: skip
        assert made.pixels.shape == (1024, 2048, 3)
        assert np.array_equal(made.pixels[:, left : left + SIZE.width], ground)
