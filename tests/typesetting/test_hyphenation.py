"""Where words may be hyphenated, and which never are."""

import pytest

from nb_catalog.typesetting.hyphenation import MIN_AFTER, MIN_BEFORE, hyphenation_points


def hyphenated(text, language):
    points = sorted(hyphenation_points(text, language=language))
    bounds = zip([0, *points], [*points, len(text)], strict=True)
    return "-".join(text[start:end] for start, end in bounds)


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("de", "Versandkostenfrei", "Ver-sand-kos-ten-frei"),
        ("de", "SOMMERSCHLUSSVERKAUF", "SOM-MER-SCHLUSS-VER-KAUF"),
        ("fr", "l’imperméable", "l’imper-méable"),
        ("ru", "водонепроницаемый", "водо-не-про-ни-ца-емый"),
        ("nb", "sommersalget", "som-mer-salget"),
        # Short words, addresses, model numbers, and what says where it breaks stay as they are.
        ("de", "Jacke neu", "Jacke neu"),
        ("de", "info@versandkosten.de", "info@versandkosten.de"),
        ("de", "Versand\u00adkostenfrei", "Versand\u00adkostenfrei"),
        ("de", "Kaffeemaschine2000", "Kaffeemaschine2000"),
        # No dictionary, or none with visible hyphens.
        ("ja", "コレクション", "コレクション"),
        ("ar", "تخفيضات", "تخفيضات"),
        ("th", "กระเป๋ากันน้ำ", "กระเป๋ากันน้ำ"),
        ("mr", "महाराष्ट्रातील", "महाराष्ट्रातील"),
        # "asz-szonyok" would be spelt differently.
        ("hu", "asszonyokkal", "asszo-nyokkal"),
    ],
)
def test_words_are_hyphenated_by_the_language_s_dictionary(language, text, parts):
    assert hyphenated(text, language) == parts


@pytest.mark.parametrize("language", ["de", "en", "es", "it", "nl", "pl", "sv"])
def test_no_part_of_a_word_is_too_short(language):
    words = ["international", "collection", "extraordinary", "Geschwindigkeit", "waterproofed"]
    for word in words:
        for point in hyphenation_points(word, language=language):
            assert MIN_BEFORE <= point <= len(word) - MIN_AFTER
