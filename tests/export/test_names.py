"""Names of exported files: patterns, and what file systems refuse."""

import unicodedata

import pytest

from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.names import LONGEST_PART, NamePattern, Names, cleaned

VALUES = {
    "sku": "A-17", "slug": "blue-mug", "title": "Blue mug", "pk": "17", "slot": "hero", "locale": "de",
    "position": 1, "width": 800, "height": 1000, "ratio": "4x5", "image": 7,
}  # fmt: skip


def stem(pattern, **changes):
    return NamePattern(pattern).stem(VALUES | changes)


def test_the_extension_is_left_to_the_format_of_the_file():
    assert stem("{sku}-{slot}-{locale}.jpg") == "A-17-hero-de"
    assert stem("{sku}.WebP") == "A-17"
    assert stem("{title} v1.2") == "Blue mug v1.2"


def test_separators_around_empty_values_are_merged():
    assert stem("{sku}-{slot}-{locale}.jpg", slot="", locale="") == "A-17"
    assert stem("{slot}_{locale}_{sku}", locale="") == "hero_A-17"


def test_a_slash_in_the_pattern_makes_a_folder_and_one_in_a_value_does_not():
    assert stem("{slot}/{sku}.jpg") == "hero/A-17"
    assert stem("{slot}/{sku}.jpg", sku="../../etc/passwd") == "hero/etc-passwd"
    assert stem("{slot}/{sku}.jpg", slot="..") == "A-17"


@pytest.mark.parametrize("pattern", ["../{sku}.jpg", "/{sku}.jpg", "{sku}/", "a/./{sku}", "", " "])
def test_a_pattern_that_leaves_its_folder_or_names_no_file_is_refused(pattern):
    with pytest.raises(RequestRefused, match="pattern"):
        NamePattern(pattern)


def test_an_unknown_field_is_refused_with_the_nearest_one():
    with pytest.raises(RequestRefused, match="{skuu}.*'sku'"):
        NamePattern("{skuu}.jpg")
    for pattern in ("{sku.__class__}.jpg", "{sku!r}.jpg", "{position:03}.jpg", "{}.jpg"):
        with pytest.raises(RequestRefused, match="Names have no field"):
            NamePattern(pattern)
    with pytest.raises(RequestRefused, match="brace"):
        NamePattern("{sku.jpg")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CON", "_CON"),
        ("com1.backup", "_com1.backup"),
        ("console", "console"),
        ('a<b>:c"|?*d\\e', "a-b-c-d-e"),
        ("trailing. .", "trailing"),
        (".hidden", "hidden"),
        ("line\nbreak\x00", "line break"),
        ("\u202egpj.exe", "gpj.exe"),
        ("Tasse\ud800", "Tasse\ufffd"),
        ("...", ""),
    ],
)
def test_what_some_system_refuses_is_replaced(name, expected):
    assert cleaned(name) == expected


def test_names_are_composed_and_short_enough_in_bytes_for_every_system():
    decomposed = unicodedata.normalize("NFD", "Blaue Schüssel")
    assert cleaned(decomposed) == "Blaue Schüssel"
    assert len(cleaned("漢" * 500).encode()) <= LONGEST_PART


def test_a_name_of_nothing_is_the_number_of_the_picture():
    assert stem("{slot}.jpg", slot="???") == "7"


def test_two_pictures_of_one_name_are_both_named_whatever_the_case():
    names = Names(number=False)
    assert names.take("Mug", image=1) == ("Mug", None)
    assert names.take("mug", image=2) == ("mug", 1)
    assert names.take(unicodedata.normalize("NFD", "STRASSE"), image=3) == ("STRASSE", None)
    assert names.take("straße", image=4) == ("straße", 3)


def test_numbers_take_no_name_that_another_picture_has():
    names = Names(number=True)
    taken = [names.take(each, image=1)[0] for each in ("mug", "mug-2", "mug", "MUG", "mug")]
    assert taken == ["mug", "mug-2", "mug-3", "MUG-4", "mug-5"]
