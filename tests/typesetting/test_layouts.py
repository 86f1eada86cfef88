"""Layouts: parsed, validated, mirrored."""

import pytest
from django.utils.translation import override

from nb_catalog.core.types import Rect, Size
from nb_catalog.typesetting.layouts import Layout, Place

HEADLINE = {"role": "headline", "place": {"start": 0.1, "top": 0.2, "width": 0.3, "height": 0.25}}


def test_a_box_needs_a_role_and_a_place():
    layout = Layout.from_mapping({"boxes": [HEADLINE]})
    assert layout.roles == ("headline",)
    assert layout.boxes[0].contrast == 4.5


def test_a_layout_survives_its_json_column():
    content = {
        "boxes": [
            {**HEADLINE, "stroke": {"colour": "#000000"}, "shadow": {}, "align": "centre"},
            {
                "role": "price",
                "place": {"start": 0.5, "top": 0.8, "width": 0.5, "height": 0.2},
                "plate": {"colour": "#FFD400", "hugs": False},
                "scrim": {},
                "optional": True,
            },
        ],
        "panels": [
            {"place": {"start": 0, "top": 0, "width": 0.5, "height": 1}, "colour": "#123456"}
        ],
    }
    layout = Layout.from_mapping(content)
    assert Layout.from_mapping(layout.as_mapping()) == layout
    assert layout.boxes[1].plate.colour == "#ffd400"


def test_places_are_mirrored_in_right_to_left_locales():
    place = Place(start=0.1, top=0.2, width=0.3, height=0.25)
    size = Size(1000, 800)
    assert place.to_rect(size, rtl=False) == Rect(100, 160, 300, 200)
    assert place.to_rect(size, rtl=True) == Rect(600, 160, 300, 200)


def test_a_place_at_the_edge_stays_on_the_picture():
    place = Place(start=2 / 3, top=0.0, width=1 / 3, height=1.0)
    for side in range(301, 340):
        rect = place.to_rect(Size(side, side), rtl=False)
        assert rect.right == side and rect.bottom == side


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ({}, ["boxes", "at least one"]),
        ({"boxes": HEADLINE}, ["boxes", "a list"]),
        ({"boxs": []}, ["no key 'boxs'", "Did you mean 'boxes'"]),
        ({"boxes": [{"role": "headline"}]}, ["boxes[0]", "'place' is missing"]),
        ({"boxes": [{**HEADLINE, "place": None}]}, ["boxes[0].place", "an object"]),
        (
            {"boxes": [HEADLINE], "panels": [{"colour": "#000000", "place": None}]},
            ["panels[0].place"],
        ),
        ({"boxes": [{"place": HEADLINE["place"]}]}, ["boxes[0]", "'role' is missing"]),
        ({"boxes": [{**HEADLINE, "role": "Head line"}]}, ["boxes[0].role", "lowercase letters"]),
        ({"boxes": [HEADLINE, HEADLINE]}, ["'headline'", "used twice"]),
        ({"boxes": [{**HEADLINE, "weigth": 7}]}, ["'weigth'", "Did you mean 'weight'"]),
        ({"boxes": [{**HEADLINE, "weight": 1000}]}, ["boxes[0].weight", "100 to 900"]),
        ({"boxes": [{**HEADLINE, "lines": 0}]}, ["boxes[0].lines", "1 to 12"]),
        ({"boxes": [{**HEADLINE, "lines": True}]}, ["boxes[0].lines", "whole number"]),
        ({"boxes": [{**HEADLINE, "colour": "white"}]}, ["boxes[0].colour", "'#b98a5a'"]),
        ({"boxes": [{**HEADLINE, "align": "left"}]}, ["boxes[0].align", "start, centre, end"]),
        ({"boxes": [{**HEADLINE, "smallest": 0.2}]}, ["boxes[0].smallest", "above the largest"]),
        ({"boxes": [{**HEADLINE, "scrim": {"colour": 3}}]}, ["boxes[0].scrim.colour", "got 3"]),
        ({"boxes": [{**HEADLINE, "plate": {}}]}, ["boxes[0].plate", "'colour' is missing"]),
        ({"boxes": [{**HEADLINE, "plate": "#fff"}]}, ["boxes[0].plate", "an object"]),
        ({"boxes": [{**HEADLINE, "optional": "no"}]}, ["boxes[0].optional", "true or false"]),
        (
            {"boxes": [{**HEADLINE, "place": {**HEADLINE["place"], "width": 0.95}}]},
            ["boxes[0].place.width", "beyond the picture"],
        ),
        ({"boxes": [HEADLINE], "panels": [{"colour": "#000000"}]}, ["panels[0]", "'place'"]),
        ({"boxes": ["headline"]}, ["boxes[0]", "an object"]),
        ({"boxes": [HEADLINE] * 101}, ["boxes:", "at most 100", "got 101"]),
        ("boxes", ["layout", "an object"]),
    ],
)
def test_an_invalid_value_is_reported_with_its_path(content, messages):
    with pytest.raises(ValueError) as caught:
        Layout.from_mapping(content)
    for message in messages:
        assert message in str(caught.value)


def test_rects_report_what_they_share():
    rect = Rect(0, 0, 10, 10)
    assert rect.shared(Rect(5, 5, 10, 10)) == 25
    assert rect.shared(Rect(10, 0, 5, 5)) == 0
    assert rect.holds(Rect(2, 2, 8, 8)) and not rect.holds(Rect(2, 2, 9, 8))


def test_what_is_wrong_is_said_in_the_language_of_the_reader_with_the_nearest_key():
    with override("de"), pytest.raises(ValueError) as caught:
        Layout.from_mapping({"boxes": [{"role": "headline", "palce": {}}]})
    assert "es gibt keinen Schlüssel 'palce'. Meinten Sie 'place'? Möglich: " in str(caught.value)
