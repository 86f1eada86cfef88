"""What goes out in a file and comes back unchanged changes nothing, in every format."""

import json
import random
from pathlib import Path

import pytest

from nb_catalog import copydecks
from nb_catalog.copydecks import files, placeholders
from nb_catalog.copydecks.validation import clean_text
from nb_catalog.core.text import unwritable
from nb_catalog.models import CopyText
from tests import factories

pytestmark = pytest.mark.django_db

PHRASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "phrases.json"
NASTY = (
    "=x", "'=x", "''=x", "'-tis", "-30 %", "+1", "@home", "'", "''", "'tis", "＝x", "'＝x", "\u2212 5",
    '"', '""', '"a";b,c', ",", ";", "a;b;c;d", "a\nb", "a\n\nb", "\\n", "sep=;", "role", "_x0041_",
    "_x005F_x0041_", "_x000D_", "a  b", "{was} {price}", "{price:short}{was}", "{{was}} {was}", "{{{was}}}",
    "{was}\n{price}", "{was}  {price}", "{price} {price} {price:short}", "<x id='1'/>", "]]>",
    "&amp;", "& < >",
    "#SALE!", "TRUE", "12", "1e5", "0012", "1/2", "2026-11-28", "NULL", "کوله\u200cپشتی", "\u200fعرض\u200f",
    "a\u00a0b", "e\u0301", "\u00e9", "👩\u200d👩\u200d👧", "🇩🇪", "a\u00adb", "\ufeffa",
)  # fmt: skip


def is_storable(text):
    try:
        placeholders.parts(text)
    except ValueError:
        return False
    return bool(text) and not unwritable(text)


def nasty_text(rng):
    pieces = (
        *NASTY,
        *" \n'\"=+-@,;<>&#{}",
        "{price}",
        "{was:short}",
        "Ä",
        "ß",
        "ع",
        "漢",
        "\u200b",
    )
    while True:
        text = clean_text("".join(rng.choice(pieces) for _ in range(rng.randint(1, 6))))
        if is_storable(text):
            return text


def stored(texts):
    """A deck with ``texts`` as they are, each in the source language and in another."""
    deck = factories.deck()
    CopyText.objects.bulk_create(
        CopyText(deck=deck, locale=locale, role=f"role_{number}", text=text)
        for number, text in enumerate(texts)
        for locale in ("en", "de")
    )
    return deck


def changed(deck, data):
    plan = copydecks.plan_changes(deck, copydecks.read_file(deck, data))
    return {each.cell: (each.old, each.new) for each in plan.changes}


def exports(deck):
    yield files.csv_of(deck)
    yield files.csv_of(deck).decode("utf-8-sig").encode("utf-16")
    yield files.xlsx_of(deck)
    yield files.xliff_of(deck, "de")


def test_nasty_texts_come_back_as_they_were_in_every_format():
    rng = random.Random(7)
    assert all(map(is_storable, NASTY))
    deck = stored([*NASTY, *(nasty_text(rng) for _ in range(150))])
    for data in exports(deck):
        assert changed(deck, data) == {}


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(40))
def test_many_nasty_texts_come_back_as_they_were(seed):
    rng = random.Random(seed)
    deck = stored(nasty_text(rng) for _ in range(400))
    for data in exports(deck):
        assert changed(deck, data) == {}


@pytest.mark.skipif(not PHRASES.exists(), reason="the shared phrases are not on this machine")
def test_phrases_of_every_language_come_back_as_they_were(settings):
    phrases = json.loads(PHRASES.read_text(encoding="utf-8"))
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": sorted({"en", *phrases})}
    deck = factories.deck()
    for locale, texts in phrases.items():
        more = {f"more_{n}": each for n, each in enumerate(texts["more"])}
        cells = {"headline": texts["headline"], "badge": texts["badge"], **more}
        copydecks.save_texts(deck, {(locale, role): text for role, text in cells.items()})
    for data in (files.csv_of(deck), files.xlsx_of(deck)):
        assert changed(deck, data) == {}
    for locale in phrases:
        if locale != "en":
            assert changed(deck, files.xliff_of(deck, locale)) == {}
