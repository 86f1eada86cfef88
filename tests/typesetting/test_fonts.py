"""Fonts for every locale: the shop's own first, then packages, then the machine's."""

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
from tests.typesetting.lettering import HEADLINES

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
    """A machine on which nobody installed a font package."""
    monkeypatch.setattr(fonts, "_ENTRY_POINT_GROUPS", ())
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.fixture
def no_system(monkeypatch):
    """A slim container."""
    monkeypatch.setattr(fonts, "system_files", set)
    forget()
    yield
    monkeypatch.undo()
    forget()


def forget():
    for known in (fonts._installed_families, fonts._match_installed):
        known.cache_clear()


@pytest.mark.parametrize("locale", HEADLINES)
def test_a_locale_gets_the_font_that_was_made_for_its_script(locale):
    found = fonts.family_for(locale)
    assert found.origin == fonts.Origin.PACKAGE
    assert found.family.name == f"Noto Sans {OWN_FONT.get(locale, '')}".strip()
    assert fonts.chain_for(locale).missing_characters(HEADLINES[locale]) == []


def test_django_s_codes_name_the_same_fonts():
    assert fonts.family_for("zh-hant").family is fonts.family_for("zh-TW").family
    assert fonts.family_for("zh-cn").family.name == "Noto Sans SC"


def test_words_of_another_script_have_a_font_too():
    assert fonts.chain_for("en").missing_characters("ジャケット سترة") == []


def test_the_shop_s_own_font_comes_first_where_it_is_meant(settings):
    settings.NB_CATALOG = {"FONTS": [{"FILE": str(HEBREW), "LOCALES": ["de"]}]}
    assert fonts.chain_for("de").families[0].name == "Noto Sans Hebrew"
    assert fonts.chain_for("fr").families[0].name == "Noto Sans"


def test_a_font_may_lie_in_a_storage(settings):
    storages["default"].save("brand/own.ttf", ContentFile(HEBREW.read_bytes()))
    settings.NB_CATALOG = {"FONTS": [{"FILE": "brand/own.ttf", "STORAGE": "default"}]}
    found = fonts.family_for("he")
    assert found.origin == fonts.Origin.SHOP
    assert found.family.faces[0].name == "default:brand/own.ttf"


def test_a_font_that_is_not_in_the_storage_is_told(settings):
    settings.NB_CATALOG = {"FONTS": [{"FILE": "brand/none.ttf", "STORAGE": "default"}]}
    with pytest.raises(
        FontUnreadable, match=r"brand/none.ttf cannot be read from STORAGES\['default'\]"
    ):
        fonts.chain_for("en")


def test_without_packages_the_machine_s_own_fonts_serve(no_packages):
    if shutil.which("fc-list") is None:
        pytest.skip("this machine lists no fonts")
    found = fonts.family_for("en")
    assert found.origin == fonts.Origin.SYSTEM
    assert "mono" not in found.family.name.lower()


def test_without_any_font_a_locale_says_what_to_install(no_packages, no_system):
    assert fonts.family_for("ja") is None
    assert "pip install 'nb-catalog[fonts-cjk]'" in fonts.installation_hint("ja")
    assert "pip install 'nb-catalog[fonts]'" in fonts.installation_hint("th")
    assert "Geor" in fonts.installation_hint("ka"), "no package of ours has Georgian"


def test_a_broken_file_among_the_machine_s_is_passed_over(no_packages, monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"nothing")
    shutil.copy(HEBREW, tmp_path / "good.ttf")
    monkeypatch.setattr(fonts, "system_files", lambda: set(tmp_path.iterdir()))
    forget()
    assert fonts.family_for("he").family.faces[0].name == str(tmp_path / "good.ttf")


@pytest.mark.parametrize(
    "given",
    ["font.ttf", {"FILE": "font.ttf"}, [{"STORAGE": "default"}], [{"FILE": "a", "LOCALE": ["en"]}],
     [{"FILE": "a", "LOCALES": "en"}], [3]],
)  # fmt: skip
def test_fonts_written_wrong_are_told_by_their_setting(settings, given):
    settings.NB_CATALOG = {"FONTS": given}
    with pytest.raises(InvalidSettings, match=r"NB_CATALOG\['FONTS'\]: expected a list of paths"):
        fonts.chain_for("en")


# Checks


def test_a_shop_whose_locales_all_have_fonts_is_told_nothing(settings):
    settings.NB_CATALOG = {"LOCALES": list(HEADLINES)}
    assert check_typesetting() == []


def test_the_check_names_what_is_wrong(settings, no_packages, no_system, tmp_path):
    settings.NB_CATALOG = {"LOCALES": ["he", "xx"]}
    assert [each.id for each in check_typesetting()] == ["nb_catalog.W042", "nb_catalog.E040"]
    settings.NB_CATALOG = {"FONTS": [str(tmp_path / "none.ttf")]}
    assert [each.id for each in check_typesetting()] == ["nb_catalog.E041"]
    settings.NB_CATALOG = {"FONTS": "none"}
    assert check_typesetting() == [], "the check of settings says so, once"


def test_django_s_own_list_of_languages_is_nobody_s_choice(settings, monkeypatch):
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
    said = capsys.readouterr().out
    assert "Noto Sans Hebrew" in said and "100-900" in said and "an installed package" in said


def test_the_command_ends_with_1_and_an_advice_where_a_font_is_missing(
    no_packages, no_system, capsys
):
    with pytest.raises(SystemExit) as ended:
        call_command("nb_fonts", "--locale", "ja")
    assert ended.value.code == 1
    assert "fonts-cjk" in capsys.readouterr().out


def test_the_command_tells_programs_files_and_hashes():
    said = io.StringIO()
    call_command("nb_fonts", "--json", "--locale", "he", stdout=said)
    told = json.loads(said.getvalue())["he"]
    assert told["family"] == "Noto Sans Hebrew"
    assert len(told["faces"][0]["sha256"]) == 64


def test_the_command_draws_a_line_in_each_locale(tmp_path):
    sheet = tmp_path / "fonts.png"
    call_command("nb_fonts", "--locale", "de", "--locale", "ar", "--specimen", str(sheet))
    drawn = np.asarray(Image.open(sheet).convert("L"))
    assert drawn.shape == (2 * SPECIMEN_HEIGHT, SPECIMEN_WIDTH)
    german, arabic = drawn[:SPECIMEN_HEIGHT] < 128, drawn[SPECIMEN_HEIGHT:] < 128
    assert german[:, : SPECIMEN_WIDTH // 2].any() and not german[:, SPECIMEN_WIDTH // 2 :].any()
    assert arabic[:, SPECIMEN_WIDTH // 2 :].any() and not arabic[:, : SPECIMEN_WIDTH // 2].any()


def test_the_command_says_where_a_picture_cannot_be_written(tmp_path):
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("nb_fonts", "--locale", "de", "--specimen", str(tmp_path / "no" / "f.png"))


def test_the_command_refuses_a_locale_that_there_is_not():
    with pytest.raises(CommandError, match="'pt-br'"):
        call_command("nb_fonts", "--locale", "xx")
