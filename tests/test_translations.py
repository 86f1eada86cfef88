"""What people read is in the catalogs, and the catalogs are compiled."""

import ast
import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext, ngettext, override

import nb_catalog
from nb_catalog import generation
from tests import factories

PACKAGE = Path(nb_catalog.__file__).parent
LANGUAGES = ("de", "fr")
MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
TAG = re.compile(r"""{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


def in_python():
    """Texts that code hands to gettext."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKERS:
                yield ast.literal_eval(node.args[0])


def in_templates():
    for file in PACKAGE.rglob("templates/**/*.html"):
        yield from ("".join(found) for found in TAG.findall(file.read_text()))


def compiled(language):
    """msgid -> text; a plural is the pair of its msgid and the number of its form."""
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return GNUTranslations(file)._catalog


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("texts", [in_python, in_templates])
def test_every_text_is_translated(language, texts):
    there = {key[0] if isinstance(key, tuple) else key for key in compiled(language)}
    asked = set(texts())
    assert len(asked) > 20
    assert sorted(asked - there) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_in_what_the_original_does(language):
    for key, text in compiled(language).items():
        if isinstance(key, str) and key:
            assert sorted(PLACEHOLDER.findall(key)) == sorted(PLACEHOLDER.findall(text)), key


def test_plurals_follow_the_language():
    with override("de"):
        assert ngettext("%d picture approved.", "%d pictures approved.", 1) % 1 == (
            "1 Bild freigegeben."
        )
    with override("fr"):
        assert ngettext("%d picture approved.", "%d pictures approved.", 0) % 0 == (
            "0 image approuvée."
        )


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_admin_speaks_it(language, admin_client):
    with override(language):
        expected = gettext("Review pictures")
        page = admin_client.get(
            reverse("admin:nb_catalog_productimage_review"), headers={"accept-language": language}
        )
    assert expected != "Review pictures"
    assert expected in page.content.decode()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_no_two_pages_of_the_admin_have_one_name(language):
    with override(language):
        ours = apps.get_app_config("nb_catalog").get_models()
        names = [str(m._meta.verbose_name_plural) for m in ours if admin.site.is_registered(m)]
    assert len(names) > 5
    assert sorted(set(names)) == sorted(names)


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_runs_of_texts_are_named_in_the_language_of_who_starts_them(language, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de", "fr"],
        "TRANSLATION_PROVIDER": {"BACKEND": "tests.browser.test_text_requests.EchoTranslation"},
    }
    deck = factories.deck(en={"headline": "Autumn sale"})
    with override(language):
        run = generation.request_translations(deck, ["fr"], actor=None)
    assert "Autumn" in run.title and not run.title.startswith("Translate")
