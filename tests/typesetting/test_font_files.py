"""Font files: opened or refused, their weights and their coverage."""

from importlib.metadata import files
from pathlib import Path

import pytest

from nb_catalog.exceptions import CharacterMissing, FontUnreadable
from nb_catalog.typesetting import font_files
from nb_catalog.typesetting.clusters import clusters
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import FontFamily, group_families, open_bytes, open_file


def package_font(package, ending):
    return next(Path(str(f.locate())) for f in files(package) if str(f).endswith(ending))


SANS = package_font("fontpkg-noto-sans", "NotoSans[wdth,wght].ttf")
ITALIC = package_font("fontpkg-noto-sans", "NotoSans-Italic[wdth,wght].ttf")
HEBREW = package_font("justmytype-intl-rtl", "NotoSansHebrew[wdth,wght].ttf")


def family(path):
    return FontFamily(tuple(open_file(path)))


def test_a_variable_font_has_every_weight_of_its_wght_axis():
    [face] = open_file(HEBREW)
    assert face.weight_range == (100, 900)
    thin, bold = (family(HEBREW).at(weight).hb_font for weight in (100, 700))
    glyph = thin.get_nominal_glyph(ord("ש"))
    assert bold.get_glyph_extents(glyph).width > thin.get_glyph_extents(glyph).width


def test_a_weight_that_does_not_exist_becomes_the_nearest():
    assert family(SANS).at(950).weight == 900


def test_an_italic_is_not_part_of_an_upright_family():
    grouped = group_families([*open_file(ITALIC), *open_file(SANS)])
    assert [each.name for each in grouped] == ["Noto Sans"]
    assert grouped[0].faces == tuple(open_file(SANS))


def test_an_unchanged_file_is_opened_once(tmp_path):
    copy = tmp_path / "brand.ttf"
    copy.write_bytes(HEBREW.read_bytes())
    first = open_file(copy)
    assert open_file(copy) is first
    copy.write_bytes(SANS.read_bytes())
    assert open_file(copy)[0].family == "Noto Sans"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a font"),
        (b"%PDF-1.7 and so on", "not a font"),
        (b"wOF2" + bytes(100), "is a web font"),
        (b"\x00\x01\x00\x00" + bytes(40), "not a font"),
    ],
)
def test_a_file_that_is_not_a_font_is_refused_by_name(data, message):
    with pytest.raises(FontUnreadable, match=message) as caught:
        open_bytes(data, name="brand.ttf")
    assert "brand.ttf" in str(caught.value)


def test_a_truncated_font_is_refused_or_harmless():
    data = SANS.read_bytes()
    for length in range(0, len(data), len(data) // 40):
        try:
            [face] = open_bytes(data[:length], name="cut.ttf")
        except FontUnreadable:
            continue
        font_files.font_at(face, face.nearest_weight(400)).hb_font.get_glyph_extents(3)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(FontUnreadable, match="No such file"):
        open_file(tmp_path / "none.ttf")


def test_a_file_above_the_size_limit_is_not_read(monkeypatch):
    monkeypatch.setattr(font_files, "MAX_FONT_BYTES", 1000)
    with pytest.raises(FontUnreadable, match="the limit is 1,000"):
        open_bytes(bytes(1001), name="huge.ttf")


def test_what_readers_take_for_one_character_is_one_cluster():
    text = "e\u0301שׁ\u200dx👨\u200d👩\u200d👧🇩🇪🇫🇷1\ufe0f\u20e3👍🏽\u1100\u1161"
    found = [text[start:end] for start, end in clusters(text)]
    assert found[:4] == ["e\u0301", "שׁ\u200d", "x", "👨\u200d👩\u200d👧"]
    assert found[4:] == ["🇩🇪", "🇫🇷", "1\ufe0f\u20e3", "👍🏽", "\u1100\u1161"]


def test_spaces_and_punctuation_stay_in_the_font_of_the_word_before_them():
    chain = FontChain(families=(family(HEBREW), family(SANS)))
    fonts = chain.assign_fonts("abж - שלום", weight=400)
    hebrew, sans = ["Noto Sans Hebrew"], ["Noto Sans"]
    assert [font.face.family for font in fonts] == sans * 6 + hebrew * 4


def test_a_character_that_no_font_covers_is_reported_by_name():
    chain = FontChain(families=(family(SANS), family(HEBREW)))
    assert chain.missing_characters("Sale 🎒 ★\u200f") == ["🎒", "★"]
    with pytest.raises(CharacterMissing, match="U\\+1F392 SCHOOL SATCHEL") as caught:
        chain.assign_fonts("Sale 🎒", weight=400)
    assert "Noto Sans, Noto Sans Hebrew" in str(caught.value)
