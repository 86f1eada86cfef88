"""Rules of sales channels, measured on the delivered file."""

from dataclasses import replace

import pytest
from django.core.checks import run_checks
from PIL import Image, ImageDraw, ImageOps

from nb_catalog.core.channels import channel, channels
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.export.rules import Subject, box_in, check, text_on
from nb_catalog.export.types import Level
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.file_measures import measure_file
from tests.export.fixtures import MARK, approved, picture

BOX = (0.05, 0.05, 0.95, 0.95)
LIMITS = {"max_bytes": 50_000_000, "max_pixels": 50_000_000}


def findings(data, key, *, box=BOX, text="", **changes):
    box = box and Box(*box)
    file = measure_file(data, product=box, **LIMITS)
    file = replace(file, byte_size=changes.pop("byte_size", file.byte_size))
    subject = Subject(file=file, box=box, text=text, origin=changes.pop("origin", MARK))
    return {each.rule: each for each in check(subject, [channel(key)])}


def failing(data, key, **options):
    return {
        name for name, each in findings(data, key, **options).items() if each.level is Level.FAILS
    }


def test_a_picture_that_keeps_every_rule_passes():
    assert failing(picture((1000, 1000)), "amazon_main") == set()
    assert findings(picture((1500, 1500), box=(0.1, 0.1, 0.9, 0.9)), "google_main",
                    box=(0.1, 0.1, 0.9, 0.9)) == {}  # fmt: skip


def test_each_failure_says_what_was_found_what_is_wanted_and_what_would_mend_it():
    small = findings(picture((400, 500)), "amazon_main")["size"]
    assert "400 x 500" in small.found
    assert "1000" in small.wanted
    assert "final" in small.mend


@pytest.mark.parametrize(
    ("ground", "fails"),
    [("white", False), ("#fefefe", False), ("#f6f5f3", True), ("#202020", True)],
)
def test_a_white_background_is_measured_on_the_pixels(ground, fails):
    data = picture((1000, 1000), ground=ground, kind="png")
    assert ("background" in failing(data, "amazon_main")) is fails


def test_a_shadow_away_from_the_product_is_seen_though_the_border_is_white():
    small = (0.3, 0.3, 0.6, 0.6)
    image = Image.new("RGB", (1000, 1000), "white")
    ImageDraw.Draw(image).rectangle((60, 700, 940, 940), fill=(225, 225, 225))
    ImageDraw.Draw(image).rectangle((300, 300, 600, 600), fill=(32, 84, 160))
    found = findings(encode(image, format="png"), "bol_main", box=small)
    assert found["background"].level is Level.FAILS
    assert "smaller shadow" in found["background"].mend


def test_the_share_of_the_product_is_measured_on_pixels_and_by_its_box():
    half = (0.3, 0.2, 0.7, 0.8)
    data = picture((1000, 1000), box=half)
    assert "fill" in failing(data, "amazon_main", box=half)
    assert "60" in findings(data, "amazon_main", box=half)["fill"].found
    # Without a stored box, the pixels alone are evidence.
    assert "fill" in failing(data, "amazon_main", box=None)
    # A stored box that the pixels contradict is not believed.
    assert findings(data, "amazon_main", box=BOX)["fill"].level is Level.UNCHECKED
    assert "fill" in failing(picture((1000, 1000), box=(0, 0.02, 1, 0.98)), "google_main",
                             box=(0, 0.02, 1, 0.98))  # fmt: skip


def test_where_nothing_is_known_a_rule_is_not_checked_and_says_so():
    data = picture((1000, 1000), ground="#888888")
    found = findings(data, "google_main", box=None, text=None)
    assert found["fill"].level is Level.UNCHECKED
    assert found["text"].level is Level.UNCHECKED


def test_text_on_the_picture_fails_where_it_is_forbidden():
    data = picture((500, 500))
    assert failing(data, "ebay", text="SALE") == {"text"}
    assert findings(data, "google_main", text="SALE")["text"].level is Level.ADVICE


def test_a_drawn_border_is_found_and_a_plain_background_is_none():
    plain = Image.new("RGB", (600, 600), "#d8d2c8")
    ImageDraw.Draw(plain).rectangle((120, 120, 480, 480), fill=(32, 84, 160))
    framed = ImageOps.expand(plain, border=12, fill="#b00020")
    inside = (0.2, 0.2, 0.8, 0.8)
    assert "border" not in findings(encode(plain, format="png"), "ebay", box=inside)
    assert "border" in failing(encode(framed, format="png"), "ebay", box=inside)
    # A cover that fills the frame is not a border around what is inside of it.
    assert "border" not in failing(picture((600, 600), ground="#d8d2c8"), "ebay")


def test_the_quality_of_a_jpeg_is_read_from_its_tables():
    image = Image.new("RGB", (600, 600), "white")
    for quality in (50, 80, 89, 90, 95, 100):
        data = encode(image, format="jpeg", quality=quality)
        assert measure_file(data, product=None, **LIMITS).jpeg_quality == quality
        assert ("quality" in failing(data, "ebay")) is (quality < 90)


def test_format_ratio_and_bytes_are_those_of_the_file():
    tall = picture((1500, 1900), kind="webp")
    assert {"format", "ratio"} <= failing(tall, "walmart_main")
    assert "bytes" in failing(picture((400, 400)), "walmart_main", byte_size=5_000_001)
    assert "bytes" in failing(picture((500, 500)), "bol_main")
    assert "size" in failing(picture((300, 2600)), "allegro")


def test_a_missing_or_wrong_mark_fails_where_it_is_required():
    unmarked = picture((1500, 1500), mark=None)
    assert "origin" in failing(unmarked, "google_lifestyle")
    assert "origin" not in failing(picture((1500, 1500)), "google_lifestyle")
    assert findings(picture((1500, 1500)), "amazon_main")["origin"].level is Level.ADVICE


@pytest.mark.django_db
def test_what_is_known_of_a_stored_picture_is_read_from_its_row():
    image = approved(size=(400, 500), box=(0.25, 0.2, 0.75, 0.8))
    assert box_in(image) == pytest.approx((0.25, 0.2, 0.75, 0.8))
    assert text_on(image) is None
    image.spec = {"renderer": {"texts": {"headline": "Autumn"}}}
    assert text_on(image) == "Autumn"
    image.checks = {}
    assert box_in(image) is None


def test_a_shop_adds_channels_and_changes_known_ones(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "CHANNELS": {"ebay": {"MIN_SIDE": 1600}, "our_app": {"RATIO": "1:1", "FORMATS": ["webp"]}},
    }
    assert channels()["ebay"].min_side == 1600
    assert channels()["ebay"].jpeg_quality == 90
    assert failing(picture((400, 500)), "our_app") == {"format", "ratio"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "hint"),
    [({"MIN_SIZE": 3}, "MIN_SIDE"), ({"MIN_FILL": 85}, "share"), ({"RATIO": "square"}, "1:1"),
     ({"BACKGROUND": "#fff"}, "white"), ({"FORMATS": ["jpg"]}, "jpeg"), ({"BORDERS": 0}, "True")],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_reported_by_the_check(settings, rule, hint):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "CHANNELS": {"ours": rule}}
    with pytest.raises(InvalidSettings, match=hint):
        channels()
    assert any(each.id == "nb_catalog.E017" for each in run_checks(tags=["nb_catalog"]))
