"""Layouts in the admin: written, refused, drawn in any language of the shop."""

import json
from io import BytesIO

import numpy as np
import pytest
from django.contrib import admin
from django.core.management import call_command
from django.urls import reverse
from PIL import Image

from nb_catalog.admin import thumbnails
from nb_catalog.models import TextLayout
from tests import factories

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/nb_catalog/textlayout/preview/"
CORNER = {
    "boxes": [
        {
            "role": "badge",
            "place": {"start": 0.05, "top": 0.03, "width": 0.4, "height": 0.12},
            "plate": {"colour": "#b3001b"},
        }
    ]
}


def fields(**changes):
    written = {"name": "Corner", "key": "corner", "position": 1, "is_active": "on"}
    return {**written, "content": json.dumps(CORNER), **changes}


def drawn(answer):
    assert answer.status_code == 200, answer.content
    return np.asarray(Image.open(BytesIO(answer.content)).convert("RGB")).astype(int)


def red(pixels):
    """Columns in which the plate is."""
    return np.nonzero((pixels[..., 0] > 150) & (pixels[..., 1] < 40))[1]


def test_a_layout_is_saved_and_its_version_rises_with_its_boxes(root):
    root.post(reverse("admin:nb_catalog_textlayout_add"), fields())
    row = TextLayout.objects.get()
    assert (row.version, row.content) == (1, CORNER)
    url = reverse("admin:nb_catalog_textlayout_change", args=[row.pk])
    root.post(url, fields(name="Another name"))
    assert TextLayout.objects.get().version == 1
    changed = {"boxes": [{**CORNER["boxes"][0], "weight": 500}]}
    root.post(url, fields(content=json.dumps(changed)))
    assert TextLayout.objects.get().version == 2


def test_a_wrong_layout_is_refused_and_nothing_typed_is_lost(root):
    wrong = json.dumps({"boxes": [{**CORNER["boxes"][0], "algin": "end"}]})
    page = root.post(reverse("admin:nb_catalog_textlayout_add"), fields(content=wrong))
    told = page.content.decode()
    assert "Did you mean &#x27;align&#x27;?" in told and "algin" in told
    assert not TextLayout.objects.exists()


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_preview_shows_words_on_the_side_where_lines_start(root, settings, locale):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    answer = root.get(PREVIEW, {"content": json.dumps(CORNER), "locale": locale})
    columns = red(drawn(answer))
    assert bool(columns.mean() < 280) == (locale == "en")
    assert answer["Cache-Control"] == thumbnails.SHORTLY


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"content": "{"}, "This is not valid JSON"),
        ({"content": '{"boxes": []}'}, "at least one box"),
        ({"content": json.dumps(CORNER), "locale": "xx"}, "There is no locale"),
        (
            {"content": json.dumps({"boxes": [{**CORNER["boxes"][0], "smallest": 0.08}]})},
            "badge (en)",
        ),
    ],
)
def test_a_preview_says_what_is_wrong(root, settings, asked, words):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en"]}
    answer = root.get(PREVIEW, asked)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_who_may_not_edit_layouts_draws_none(sign_in):
    assert sign_in(views=True).get(PREVIEW, {"content": json.dumps(CORNER)}).status_code == 403


def test_the_list_shows_every_starter(root):
    call_command("loaddata", "nb_catalog_layouts", verbosity=0)
    page = root.get(reverse("admin:nb_catalog_textlayout_changelist")).content.decode()
    for row in TextLayout.objects.all():
        url = thumbnails.layout_url(row, site=admin.site)
        assert url in page and row.name in page
        assert drawn(root.get(url)).shape[2] == 3


def test_the_page_offers_the_shop_s_languages(root, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    row = factories.layout()
    page = root.get(reverse("admin:nb_catalog_textlayout_change", args=[row.pk])).content.decode()
    assert '<option value="ar" data-direction="rtl">العربية</option>' in page


def test_a_layout_written_past_the_form_does_not_hide_the_list(root):
    factories.layout("broken", content={"boxes": []})
    page = root.get(reverse("admin:nb_catalog_textlayout_changelist"))
    assert page.status_code == 200
    assert "at least one box" in page.content.decode()
