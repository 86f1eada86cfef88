"""Fonts for every locale: the shop's own, then those of packages, then the system's."""

import io
import json
import shutil
from importlib.metadata import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from PIL import Image

from nb_catalog import conf
from nb_catalog.checks import check_typesetting
from nb_catalog.exceptions import FontUnreadable, InvalidSettings
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.previews import SPECIMEN_HEIGHT, SPECIMEN_WIDTH
from tests.typesetting.made_fonts import blank, build
from tests.typesetting.sample_texts import HEADLINES

HEBREW = next(
    Path(str(each.locate()))
    for each in files("justmytype-intl-rtl")
    if str(each).endswith("NotoSansHebrew[wdth,wght].ttf")
)
OWN_FONT = {
    "ar": "Arabic", "fa": "Arabic", "he": "Hebrew", "hi": "Devanagari", "bn": "Bengali",
    "ta": "Tamil", "th": "Thai", "ja": "JP", "ko": "KR", "zh-Hans": "SC", "zh-Hant": "TC",
}  # fmt: skip


@pytest.fixture
def no_packages(monkeypatch):
    """A machine without font packages."""
    monkeypatch.setattr(fonts, "_ENTRY_POINT_GROUPS", ())
    clear_caches()
    yield
    monkeypatch.undo()
    clear_caches()


@pytest.fixture
def no_system(monkeypatch):
    """A slim container without fonts."""
    monkeypatch.setattr(fonts, "system_files", set)
    clear_caches()
    yield
    monkeypatch.undo()
    clear_caches()


def clear_caches():
    for cached in (fonts._installed_families, fonts.match_installed):
        cached.cache_clear()


@pytest.mark.parametrize("locale", HEADLINES)
def test_a_locale_gets_the_font_made_for_its_script(locale):
    match = fonts.family_for(locale)
    assert match.origin == fonts.Origin.PACKAGE
    assert match.family.name == f"Noto Sans {OWN_FONT.get(locale, '')}".strip()
    assert fonts.chain_for(locale).missing_characters(HEADLINES[locale]) == []


def test_django_s_language_codes_give_the_same_fonts():
    assert fonts.family_for("zh-hant").family is fonts.family_for("zh-TW").family
    assert fonts.family_for("zh-cn").family.name == "Noto Sans SC"


def test_text_in_another_script_has_a_font_too():
    assert fonts.chain_for("en").missing_characters("ジャケット سترة") == []


def test_the_shop_s_own_font_comes_first_in_its_locales(settings):
    settings.NB_CATALOG = {"FONTS": [{"FILE": str(HEBREW), "LOCALES": ["de"]}]}
    assert fonts.chain_for("de").families[0].name == "Noto Sans Hebrew"
    assert fonts.chain_for("fr").families[0].name == "Noto Sans"


def test_a_font_may_be_in_a_storage(settings):
    storages["default"].save("brand/own.ttf", ContentFile(HEBREW.read_bytes()))
    settings.NB_CATALOG = {"FONTS": [{"FILE": "brand/own.ttf", "STORAGE": "default"}]}
    match = fonts.family_for("he")
    assert match.origin == fonts.Origin.SHOP
    assert match.family.faces[0].name == "default:brand/own.ttf"


def test_a_font_missing_from_the_storage_is_reported(settings):
    settings.NB_CATALOG = {"FONTS": [{"FILE": "brand/none.ttf", "STORAGE": "default"}]}
    with pytest.raises(
        FontUnreadable, match=r"brand/none.ttf cannot be read from STORAGES\['default'\]"
    ):
        fonts.chain_for("en")


def test_without_packages_system_fonts_are_used(no_packages):
    if shutil.which("fc-list") is None:
        pytest.skip("this machine lists no fonts")
    match = fonts.family_for("en")
    assert match.origin == fonts.Origin.SYSTEM
    assert "mono" not in match.family.name.lower()


def test_without_any_font_the_hint_says_what_to_install(no_packages, no_system):
    assert fonts.family_for("ja") is None
    assert "pip install 'nb-catalog[fonts-cjk]'" in fonts.installation_hint("ja")
    assert "pip install 'nb-catalog[fonts]'" in fonts.installation_hint("th")
    assert "Geor" in fonts.installation_hint("ka"), "no package of ours has Georgian"


def test_a_broken_system_font_is_skipped(no_packages, monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"nothing")
    shutil.copy(HEBREW, tmp_path / "good.ttf")
    monkeypatch.setattr(fonts, "system_files", lambda: set(tmp_path.iterdir()))
    clear_caches()
    assert fonts.family_for("he").family.faces[0].name == str(tmp_path / "good.ttf")


@pytest.mark.parametrize(
    "fonts_setting",
    ["font.ttf", {"FILE": "font.ttf"}, [{"STORAGE": "default"}], [{"FILE": "a", "LOCALE": ["en"]}],
     [{"FILE": "a", "LOCALES": "en"}], [3]],
)  # fmt: skip
def test_an_invalid_fonts_setting_is_reported(settings, fonts_setting):
    settings.NB_CATALOG = {"FONTS": fonts_setting}
    with pytest.raises(InvalidSettings, match=r"NB_CATALOG\['FONTS'\]: expected a list of paths"):
        fonts.chain_for("en")


# Checks


def test_the_check_is_silent_if_all_locales_have_fonts(settings):
    settings.NB_CATALOG = {"LOCALES": list(HEADLINES)}
    assert check_typesetting() == []


def test_the_check_names_what_is_wrong(settings, no_packages, no_system, tmp_path):
    settings.NB_CATALOG = {"LOCALES": ["he", "xx"]}
    assert [each.id for each in check_typesetting()] == ["nb_catalog.W042", "nb_catalog.E040"]
    settings.NB_CATALOG = {"FONTS": [str(tmp_path / "none.ttf")]}
    assert [each.id for each in check_typesetting()] == ["nb_catalog.E041"]
    settings.NB_CATALOG = {"FONTS": "none"}
    assert check_typesetting() == [], "check_settings reports it, once"


def test_django_s_default_languages_are_not_the_shop_s(settings, monkeypatch):
    settings.LANGUAGES = [("en", "English"), ("he", "Hebrew")]
    settings.NB_CATALOG = {}
    assert conf.settings.LOCALES == ("en", "he")
    untouched = SimpleNamespace(is_overridden=lambda name: False, LANGUAGE_CODE="de", NB_CATALOG={})
    monkeypatch.setattr(conf, "django_settings", untouched)
    assert conf.settings.LOCALES == ("de",)


# manage.py nb_fonts


def test_the_command_lists_every_locale(settings, capsys):
    settings.NB_CATALOG = {"LOCALES": ["en", "he"]}
    call_command("nb_fonts")
    output = capsys.readouterr().out
    assert "Noto Sans Hebrew" in output and "100-900" in output and "an installed package" in output


def test_the_command_exits_with_1_and_a_hint_if_a_font_is_missing(no_packages, no_system, capsys):
    with pytest.raises(SystemExit) as caught:
        call_command("nb_fonts", "--locale", "ja")
    assert caught.value.code == 1
    assert "fonts-cjk" in capsys.readouterr().out


def test_the_command_prints_files_and_hashes_as_json():
    stdout = io.StringIO()
    call_command("nb_fonts", "--json", "--locale", "he", stdout=stdout)
    match = json.loads(stdout.getvalue())["he"]
    assert match["family"] == "Noto Sans Hebrew"
    assert len(match["faces"][0]["sha256"]) == 64


def test_the_command_draws_a_line_in_each_locale(tmp_path):
    sheet = tmp_path / "fonts.png"
    call_command("nb_fonts", "--locale", "de", "--locale", "ar", "--specimen", str(sheet))
    drawn = np.asarray(Image.open(sheet).convert("L"))
    assert drawn.shape == (2 * SPECIMEN_HEIGHT, SPECIMEN_WIDTH)
    german, arabic = drawn[:SPECIMEN_HEIGHT] < 128, drawn[SPECIMEN_HEIGHT:] < 128
    assert german[:, : SPECIMEN_WIDTH // 2].any() and not german[:, SPECIMEN_WIDTH // 2 :].any()
    assert arabic[:, SPECIMEN_WIDTH // 2 :].any() and not arabic[:, : SPECIMEN_WIDTH // 2].any()


def test_the_command_reports_a_picture_that_cannot_be_written(tmp_path):
    with pytest.raises(CommandError, match="Cannot write the picture: No such file"):
        call_command("nb_fonts", "--locale", "de", "--specimen", str(tmp_path / "no" / "f.png"))


def test_the_command_refuses_an_unknown_locale():
    with pytest.raises(CommandError, match="'pt-br'"):
        call_command("nb_fonts", "--locale", "xx")


# What the shop's own fonts are used for


def write_fonts(folder, **fonts_by_name):
    for name, data in fonts_by_name.items():
        (folder / f"{name}.ttf").write_bytes(data)
    return [str(folder / f"{name}.ttf") for name in fonts_by_name]


LETTERS = "".join(sorted(fonts.alphabet("en"))) + "0123456789€.,%+- "


def test_a_condensed_or_italic_font_that_stands_alone_is_used(settings, tmp_path):
    condensed = build(LETTERS, family="Brand Narrow", usWidthClass=3)
    italic = build(LETTERS, family="Brand Slanted", style="Italic", fsSelection=1)
    for name, data in (("condensed", condensed), ("italic", italic)):
        settings.NB_CATALOG = {"LOCALES": ["en"], "FONTS": write_fonts(tmp_path, **{name: data})}
        [face, *_others] = fonts.used_faces("en")
        assert face.face.name.endswith(f"{name}.ttf")
        assert fonts.unused_faces(["en"]) == []
        assert check_typesetting() == []


def test_a_face_that_an_upright_one_replaces_is_reported(settings, tmp_path, capsys):
    files = write_fonts(
        tmp_path,
        italic=build(LETTERS, family="Brand", style="Italic", fsSelection=1),
        narrow=build(LETTERS, family="Brand", style="Condensed", usWidthClass=3),
        regular=build(LETTERS, family="Brand", usWeightClass=400),
        bold=build(LETTERS, family="Brand", style="Bold", usWeightClass=700),
        german=build(LETTERS, family="German"),
    )
    german = {"FILE": files.pop(), "LOCALES": ["de"]}
    settings.NB_CATALOG = {"LOCALES": ["en"], "FONTS": [*files, german]}
    unused = {Path(face.name).stem: reason for face, reason in fonts.unused_faces(["en"])}
    assert unused.keys() == {"italic", "narrow", "german"}
    assert "'Italic' is not upright" in unused["italic"]
    assert "'Condensed' is not upright or not of normal width" in unused["narrow"]
    assert "languages that the shop does not have" in unused["german"]
    assert [each.id for each in check_typesetting()] == ["nb_catalog.W043"] * 3
    call_command("nb_fonts")
    output = capsys.readouterr().out
    assert "Brand Bold" in output and "Not used: Brand Italic" in output


def test_the_command_names_the_very_face_that_draws_each_text(settings, tmp_path, capsys):
    """A brand font without the letters of German: its words come from Noto, its figures do not."""
    brand = build("0123456789€.,%+- ", family="Figures")
    settings.NB_CATALOG = {"LOCALES": ["de"], "FONTS": write_fonts(tmp_path, brand=brand)}
    call_command("nb_fonts", "--json")
    [letters, figures] = json.loads(capsys.readouterr().out)["de"]["faces"]
    assert letters["family"] == "Noto Sans" and "ß" in letters["characters"]
    assert figures["family"] == "Figures" and "7" in figures["characters"]
    drawn = {font.face.family for font in fonts.chain_for("de").assign_fonts("Groß", weight=700)}
    assert drawn == {letters["family"]}


def test_a_word_is_drawn_by_one_font_where_one_has_all_of_it(settings, tmp_path):
    brand = build("Grosein 12", family="Brand")
    settings.NB_CATALOG = {"FONTS": write_fonts(tmp_path, brand=brand)}
    text = "Groß eins 12 Größe\u00a012 €\u202f12"
    by_word = {}
    for word, font in zip(
        "0000 1111 22 33333333 4444".replace(" ", "_"),
        fonts.chain_for("de").assign_fonts(text, weight=700),
        strict=True,
    ):
        by_word.setdefault(word, set()).add(font.face.family)
    by_word.pop("_")
    assert by_word == {
        "0": {"Noto Sans"}, "1": {"Brand"}, "2": {"Brand"}, "3": {"Noto Sans"}, "4": {"Noto Sans"},
    }  # fmt: skip


def test_a_font_that_maps_everything_to_one_box_draws_no_alphabet(
    monkeypatch, no_packages, tmp_path
):
    """As fonts of last resort do."""

    letters = sorted(fonts.alphabet("he"))
    (tmp_path / "blank.ttf").write_bytes(build("", dict.fromkeys(letters, blank()), family="Blank"))
    shutil.copy(HEBREW, tmp_path / "hebrew.ttf")
    monkeypatch.setattr(fonts, "system_files", lambda: set(tmp_path.iterdir()))
    clear_caches()
    assert fonts.family_for("he").family.name == "Noto Sans Hebrew"
