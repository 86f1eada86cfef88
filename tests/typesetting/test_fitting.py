"""Text in a box: as large as it fits, on as few lines as possible, never beyond its edges."""

import pytest

from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.fitting import fit_text
from tests.typesetting.sample_texts import HEADLINES, paragraph, shared_texts

BOX = {"width": 460, "height": 300, "sizes": (14, 96), "max_lines": 3}


def fitted(text, locale="en", **box):
    return fit_text([paragraph(line, locale) for line in text.split("\n")], **{**BOX, **box})


def lines(fitted_text):
    return [line.text for line in fitted_text.lines]


EVERY_TEXT = [
    *HEADLINES.items(),
    *((locale, phrase["headline"]) for locale, phrase in shared_texts().items()),
]


@pytest.mark.parametrize(("locale", "text"), EVERY_TEXT)
def test_every_headline_fits_and_a_larger_size_does_not(locale, text):
    result = fitted(text, locale, hyphenate=False)
    assert result.width <= 460 and result.height <= 300
    assert 1 <= len(result.lines) <= 3
    assert "".join(lines(result)).replace(" ", "") == text.replace(" ", "")
    if result.size < 96 and locale not in {"ja", "zh-Hans", "zh-Hant"}:
        with pytest.raises(TextDoesNotFit):
            size = result.size + 2
            fitted(text, locale, sizes=(size, size), hyphenate=False)


@pytest.mark.parametrize(("locale", "text"), EVERY_TEXT)
def test_no_line_touches_the_next_one(locale, text):
    result = fitted(text, locale, width=260, height=420, max_lines=6)
    for above, below in zip(result.lines, result.lines[1:], strict=False):
        assert result.line_height > (below.ink.top - above.ink.bottom) * result.size


@pytest.mark.parametrize(
    ("locale", "text", "lines_of"),
    [
        ("de", "Versandkostenfrei", ["Versand-", "kostenfrei"]),
        ("de", "Wasserdichter Sommerschlussverkauf", ["Wasserdichter", "Sommer-", "schlussverkauf"]),
        ("de", "Donaudampfschifffahrtsgesellschaft", ["Donaudampf-", "schifffahrts-", "gesellschaft"]),
    ],
)  # fmt: skip
def test_a_long_word_is_hyphenated_rather_than_set_small(locale, text, lines_of):
    whole = fitted(text, locale, width=300, hyphenate=False)
    parted = fitted(text, locale, width=300)
    assert lines(parted) == lines_of
    assert parted.size >= 1.25 * whole.size
    assert parted.width <= 300


def test_words_stay_whole_while_the_size_is_hardly_smaller():
    text = "Herbstangebot – Regenjacke für draußen"
    assert lines(fitted(text, "de")) == lines(fitted(text, "de", hyphenate=False))
    assert not any(line.endswith("-") for line in lines(fitted(text, "de")))


def test_a_single_line_is_never_hyphenated():
    assert lines(fitted("Versandkostenfrei", "de", width=300, max_lines=1)) == ["Versandkostenfrei"]


def test_a_hyphenated_layout_is_found_again_from_its_size():
    """The proof lays the text out again, in at most the size that the report states."""
    for text, locale in [
        ("Versandkostenfrei", "de"),
        ("新作コレクション登場", "ja"),
        ("T-Shirt", "en"),
    ]:
        first = fitted(text, locale, width=200)
        again = fitted(text, locale, width=200, sizes=(14, first.size))
        assert (again.size, lines(again)) == (first.size, lines(first))


def test_a_short_pair_stays_together_if_it_fits():
    assert lines(fitted("T-Shirt", "de", width=120)) == ["T-Shirt"]
    assert lines(fitted("Unser X-Large", "de", width=160)) == ["Unser", "X-Large"]


@pytest.mark.parametrize(
    ("locale", "text", "price"),
    [
        ("fr", "Maintenant 1 299 €", "1 299 €"),
        ("sv", "för 1 499 kr", "1 499 kr"),
        ("pl", "od 1499 zł", "1499 zł"),
        ("de", "jetzt CHF 99", "CHF 99"),
    ],
)
def test_a_price_is_on_one_line_of_a_narrow_box(locale, text, price):
    assert lines(fitted(text, locale, width=150))[-1] == price


def test_a_phrase_is_kept_whole_even_if_broken_it_would_be_larger():
    text = "夏のセール – 防水バックパックで快適な旅行を。"
    whole = fitted(text, "ja")
    parted = fitted(text, "ja", sizes=(whole.size + 4, whole.size + 4))
    assert "防水バックパックで" in lines(whole)
    assert "防水バックパックで" not in "|".join(lines(parted))


def test_fewer_lines_win_over_even_lines():
    assert lines(fitted("One two", sizes=(40, 40))) == ["One two"]


def test_lines_are_of_similar_length():
    assert lines(fitted("Light waterproof jacket for rain", sizes=(48, 48))) == [
        "Light waterproof",
        "jacket for rain",
    ]


def test_hard_line_breaks_are_kept():
    assert lines(fitted("Today\nonly", width=900)) == ["Today", "only"]


def test_a_longer_text_is_set_smaller():
    assert fitted("Rain jackets").size > fitted("Rain jackets for the whole family").size


def test_ideographs_are_separated_if_no_phrase_fits():
    text = "轻便耐用防水双肩背包"
    result = fitted(text, "zh-Hans", width=90, height=900, max_lines=12, sizes=(40, 40))
    assert "".join(lines(result)) == text
    assert max(len(line) for line in lines(result)) <= 2


@pytest.mark.parametrize(
    ("text", "box", "messages"),
    [
        ("Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik", {"width": 200, "hyphenate": False},
         ["its longest word is", "200 x 300 px", "Shorten the text"]),
        ("word " * 80, {"height": 60}, ["lines", "at the smallest size, 14 px"]),
        ("one\ntwo\nthree\nfour", {}, ["it takes 4 lines"]),
        ("tall", {"height": 8}, ["1 lines are", "px high"]),
    ],
    ids=["long word", "long text", "many lines", "flat box"],
)  # fmt: skip
def test_text_that_does_not_fit_is_refused_with_the_reason(text, box, messages):
    with pytest.raises(TextDoesNotFit) as caught:
        fitted(text, **box)
    for message in messages:
        assert message in str(caught.value)
    assert caught.value.text.startswith(text[:3])


def test_a_margin_scales_with_the_text():
    free = fitted("Price", margin=0.0, height=100)
    edged = fitted("Price", margin=0.5, height=100)
    assert edged.size < free.size
    assert edged.height + edged.size <= 100


COMPOUND = "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft"


def test_a_long_word_is_broken_at_its_soft_hyphens_with_a_hyphen():
    whole = fitted(COMPOUND.replace("\u00ad", ""), "de", hyphenate=False)
    parted = fitted(COMPOUND, "de")
    assert parted.size > 1.5 * whole.size and parted.width <= 460
    *first, last = lines(parted)
    assert all(line.endswith("-") for line in first) and not last.endswith("-")
    assert "".join(lines(parted)).replace("-", "").replace("\u00ad", "") == COMPOUND.replace(
        "\u00ad", ""
    )


def test_a_soft_hyphen_within_a_line_is_invisible():
    with_one = fitted("Regen\u00adjacke für draußen", "de", sizes=(30, 30))
    without = fitted("Regenjacke für draußen", "de", sizes=(30, 30))
    assert len(with_one.lines) == len(without.lines) == 1
    assert with_one.width == pytest.approx(without.width, abs=0.1)
    assert with_one.lines[0].ink == pytest.approx(without.lines[0].ink, abs=0.001)


def test_a_hyphen_needs_space():
    """A width at which only the part of the word without its hyphen fits is too narrow."""
    part = fitted("Donau", "de", sizes=(40, 40)).width
    with pytest.raises(TextDoesNotFit):
        fitted("Donau\u00adtal", "de", sizes=(40, 40), width=part + 1, max_lines=2)
    wide = fitted("Donau\u00adtal", "de", sizes=(40, 40), width=part + 30, max_lines=2)
    assert lines(wide) == ["Donau-", "tal"]
