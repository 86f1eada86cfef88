"""Slots as hosts write them, and which pictures fit."""

import pytest

import nb_catalog
from nb_catalog import registry
from nb_catalog.core.slots import RATIO_TOLERANCE, misfits, parse_slots
from nb_catalog.core.types import Size
from nb_catalog.exceptions import RegistryError
from nb_catalog.providers.model_specs import PIXELS
from tests.catalog.models import Unlisted

Slot = nb_catalog.Slot


@pytest.mark.parametrize(
    "given",
    [
        ("hero", Slot("wide", ratio="16:9")),
        ["hero", Slot("wide", ratio="16:9")],
        {"hero": "", "wide": "16:9"},
        {"hero": None, "wide": Slot("wide", ratio="16:9")},
    ],
)
def test_names_slots_and_ratios_by_name_are_all_slots(given):
    slots = parse_slots(given, owner="Source")
    assert list(slots) == ["hero", "wide"]
    assert (slots["hero"].ratio, slots["wide"].ratio) == ("", "16:9")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("hero", r"S\.slots must be names such as .*not 'hero'"),
        (7, r"S\.slots must be names"),
        ((7,), "name must be 1 to 40 letters"),
        (("he ro",), "not 'he ro'"),
        (("x" * 41,), "1 to 40 letters"),
        (("hero", "hero"), "has 'hero' twice"),
        ({"hero": "4/5"}, r"ratio='4/5'\): ratio must be two numbers above zero such as '4:5'"),
        ({"hero": "0:5"}, "two numbers above zero"),
        ({"hero": 0.8}, "two numbers above zero"),
        ({"hero": Slot("wide")}, "'hero' has a slot that is named 'wide'"),
    ],
)
def test_a_slot_that_is_not_valid_is_refused_when_its_model_is_registered(given, message):
    with pytest.raises(RegistryError, match=message):
        nb_catalog.register(Unlisted)(type("S", (nb_catalog.CatalogSource,), {"slots": given}))
    assert not registry.is_registered(Unlisted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_width": -1}, "whole number of pixels"),
        ({"min_width": "640"}, "whole number of pixels"),
        ({"words": "no"}, "words must be True or False"),
        ({"stale": "renw"}, "Did you mean 'renew'"),
    ],
)
def test_a_wrong_option_says_what_is_expected(options, message):
    with pytest.raises(RegistryError, match=message):
        Slot("hero", **options)


@pytest.mark.parametrize("ratio", PIXELS)
def test_what_models_return_for_a_ratio_fits_a_slot_of_that_ratio_and_of_no_other(ratio):
    for size in PIXELS[ratio].values():
        fitting = {
            other for other in PIXELS if not misfits([Slot("s", ratio=other)], size, has_words=True)
        }
        assert fitting == {ratio}


def test_the_tolerance_is_the_same_for_wider_and_narrower_pictures():
    slot = Slot("hero", ratio="1:1")
    inside, outside = round(1000 * (1 + RATIO_TOLERANCE)), round(1000 * (1 + RATIO_TOLERANCE)) + 1
    for width, fits in ((inside, True), (outside, False)):
        for size in (Size(width, 1000), Size(1000, width)):
            assert (not list(slot.objections(size, has_words=False))) is fits


def test_every_reason_is_given_at_once():
    slot = Slot("hero", ratio="4:5", min_width=800, words=False)
    objections = list(slot.objections(Size(400, 400), has_words=True))
    assert len(objections) == 3
    assert "takes pictures of 4:5; this one has 400 x 400" in objections[0]
    assert "at least 800 pixels wide" in objections[1]
    assert "no pictures with text" in objections[2]
