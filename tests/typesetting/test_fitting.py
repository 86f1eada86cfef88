"""Text in a box: as large as it fits, in as few lines as that takes, never over its edge."""

import pytest

from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.fitting import fit_text
from tests.typesetting.lettering import HEADLINES, paragraph, shared_texts

BOX = {"width": 460, "height": 300, "sizes": (14, 96), "max_lines": 3}


def fitted(text, locale="en", **box):
    return fit_text([paragraph(line, locale) for line in text.split("\n")], **{**BOX, **box})


def lines(found):
    return [line.text for line in found.lines]


EVERY_TEXT = [
    *HEADLINES.items(),
    *((locale, said["headline"]) for locale, said in shared_texts().items()),
]


@pytest.mark.parametrize(("locale", "text"), EVERY_TEXT)
def test_every_headline_fits_and_a_larger_size_does_not(locale, text):
    found = fitted(text, locale)
    assert found.width <= 460 and found.height <= 300
    assert 1 <= len(found.lines) <= 3
    assert "".join(lines(found)).replace(" ", "") == text.replace(" ", "")
    if found.size < 96 and locale not in {"ja", "zh-Hans", "zh-Hant"}:
        with pytest.raises(TextDoesNotFit):
            fitted(text, locale, sizes=(found.size + 2, found.size + 2))


@pytest.mark.parametrize(("locale", "text"), EVERY_TEXT)
def test_no_line_touches_the_next(locale, text):
    found = fitted(text, locale, width=260, height=420, max_lines=6)
    for above, below in zip(found.lines, found.lines[1:], strict=False):
        assert found.line_height > (below.ink.top - above.ink.bottom) * found.size


def test_a_phrase_stays_whole_though_its_letters_alone_would_fit_larger():
    text = "夏のセール – 防水バックパックで快適な旅行を。"
    whole = fitted(text, "ja")
    parted = fitted(text, "ja", sizes=(whole.size + 4, whole.size + 4))
    assert "防水バックパックで" in lines(whole)
    assert "防水バックパックで" not in "|".join(lines(parted))


def test_few_lines_come_before_even_ones():
    assert lines(fitted("One two", sizes=(40, 40))) == ["One two"]


def test_lines_are_even():
    assert lines(fitted("Light waterproof jacket for rain", sizes=(48, 48))) == [
        "Light waterproof",
        "jacket for rain",
    ]


def test_a_text_s_own_line_breaks_are_kept():
    assert lines(fitted("Today\nonly", width=900)) == ["Today", "only"]


def test_a_longer_text_is_smaller():
    assert fitted("Rain jackets").size > fitted("Rain jackets for the whole family").size


def test_a_line_without_phrases_that_fit_parts_ideographs():
    text = "轻便耐用防水双肩背包"
    found = fitted(text, "zh-Hans", width=90, height=900, max_lines=12, sizes=(40, 40))
    assert "".join(lines(found)) == text
    assert max(len(line) for line in lines(found)) <= 2


@pytest.mark.parametrize(
    ("text", "box", "words"),
    [
        ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrik", {"width": 200},
         ["its longest word is", "200 x 300 px", "Shorten the text"]),
        ("word " * 80, {"height": 60}, ["lines", "at the smallest size, 14 px"]),
        ("one\ntwo\nthree\nfour", {}, ["it takes 4 lines"]),
        ("tall", {"height": 8}, ["1 lines are", "px high"]),
    ],
    ids=["long word", "long text", "many lines", "flat box"],
)  # fmt: skip
def test_what_does_not_fit_says_why(text, box, words):
    with pytest.raises(TextDoesNotFit) as caught:
        fitted(text, **box)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.text.startswith(text[:3])


def test_a_margin_grows_with_the_text():
    free = fitted("Price", margin=0.0, height=100)
    edged = fitted("Price", margin=0.5, height=100)
    assert edged.size < free.size
    assert edged.height + edged.size <= 100


COMPOUND = "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft"


def test_a_long_word_is_parted_at_its_soft_hyphens_and_shows_a_hyphen_there():
    whole = fitted(COMPOUND.replace("\u00ad", ""), "de")
    parted = fitted(COMPOUND, "de")
    assert parted.size > 1.5 * whole.size and parted.width <= 460
    *first, last = lines(parted)
    assert all(line.endswith("-") for line in first) and not last.endswith("-")
    assert "".join(lines(parted)).replace("-", "").replace("\u00ad", "") == COMPOUND.replace(
        "\u00ad", ""
    )


def test_a_soft_hyphen_in_the_middle_of_a_line_is_not_seen():
    with_one = fitted("Regen\u00adjacke für draußen", "de", sizes=(30, 30))
    without = fitted("Regenjacke für draußen", "de", sizes=(30, 30))
    assert len(with_one.lines) == len(without.lines) == 1
    assert with_one.width == pytest.approx(without.width, abs=0.1)
    assert with_one.lines[0].ink == pytest.approx(without.lines[0].ink, abs=0.001)


def test_a_hyphen_takes_its_room():
    """A width at which the word's part fits alone, and not with its hyphen, is too narrow."""
    part = fitted("Donau", "de", sizes=(40, 40)).width
    with pytest.raises(TextDoesNotFit):
        fitted("Donau\u00adtal", "de", sizes=(40, 40), width=part + 1, max_lines=2)
    wide = fitted("Donau\u00adtal", "de", sizes=(40, 40), width=part + 30, max_lines=2)
    assert lines(wide) == ["Donau-", "tal"]
