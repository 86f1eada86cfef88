"""Model specs: abilities, prices, and what a host may change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date
from decimal import ROUND_UP, Decimal

import pytest

from nb_catalog.conf import GEMINI_TIERS, LOCAL_TIERS
from nb_catalog.core.types import Size, Treatment
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.providers.model_specs import (
    PIXELS,
    RATIOS,
    SIZES,
    all_specs,
    is_version_of,
    pixel_size,
    replacement_hint,
    spec_for,
)

FINE = {"ratio": "4:5", "size": "1K", "references": 1, "treatment": "locked"}


@pytest.fixture
def host_cards(settings):
    def configure(**overrides):
        settings.NB_CATALOG = {
            "MODEL_SPECS": {key.replace("__", "-"): row for key, row in overrides.items()}
        }

    return configure


def test_every_tier_that_ships_names_a_card_that_can_make_its_size():
    for tiers in (LOCAL_TIERS, GEMINI_TIERS):
        for tier in tiers.values():
            row = spec_for(tier["MODEL"])
            assert row.provider == tier["PROVIDER"]
            assert not row.objections(
                ratio="1:1", size=tier["SIZE"], references=1, treatment="locked",
                today=date(2026, 11, 21),
            )  # fmt: skip


def test_a_card_does_not_change():
    with pytest.raises(FrozenInstanceError):
        spec_for("local-studio").name = "mine"


@pytest.mark.parametrize(
    ("ratio", "size", "expected"),
    [
        ("4:5", "2K", Size(1856, 2304)),
        ("1:1", "512", Size(512, 512)),
        ("21:9", "4K", Size(6336, 2688)),
        ("1:8", "1K", Size(384, 3072)),
    ],
)
def test_a_ratio_and_a_size_are_so_many_pixels(ratio, size, expected):
    assert pixel_size(ratio, size) == expected


def test_there_are_fourteen_ratios_and_their_pixels_have_the_right_shape():
    assert len(RATIOS) == 14
    for ratio, row in PIXELS.items():
        across, down = map(int, ratio.split(":"))
        assert set(row) <= set(SIZES)
        for size in row.values():
            assert size.width / size.height == pytest.approx(across / down, rel=0.05)


@pytest.mark.parametrize(
    ("ratio", "size", "hint"),
    [("4:6", "1K", "'4:5'"), ("1:1", "1k", "1K, 2K, 4K"), ("21:9", "512", "1K")],
)
def test_unknown_pixels_are_refused_with_what_is_possible(ratio, size, hint):
    with pytest.raises(RequestRefused, match=hint):
        pixel_size(ratio, size)


def test_an_unknown_model_is_refused_with_the_nearest_name():
    with pytest.raises(RequestRefused, match="Did you mean 'gemini-nano-banana-2.1'"):
        spec_for("gemini-nano-banana-2")


def test_a_request_that_the_model_can_fulfil_meets_no_objection():
    assert spec_for("gemini-nano-banana-2.1").objections(**FINE, thinking="high") == ()


def test_every_objection_is_told_at_once_with_what_is_possible():
    reasons = spec_for("gemini-3.1-flash-image").objections(
        ratio="7:3", size="3k", references=15, treatment="printed", thinking="deep",
        today=date(2026, 10, 29),
    )  # fmt: skip
    assert len(reasons) == 6
    for words in (
        "retired on 2026-10-29. Use gemini-nano-banana-2.1 instead.",
        "no size '3k'. Possible: 512, 1K, 2K, 4K.",
        "no ratio '7:3'. Possible: 1:1,",
        "no treatment 'printed'. Possible: locked, painted.",
        "takes at most 14 reference pictures per request, not 15.",
        "no thinking level 'deep'. Possible: minimal, high.",
    ):
        assert any(words in sentence for sentence in reasons), words


def test_a_model_is_not_retired_the_day_before():
    row = spec_for("gemini-3.1-flash-image")
    assert row.objections(**FINE, today=date(2026, 10, 28)) == ()
    assert row.objections(**FINE) == ()


def test_a_size_that_only_one_ratio_lacks_is_an_objection():
    reasons = spec_for("gemini-3.1-flash-image").objections(
        ratio="21:9", size="512", references=0, treatment="locked"
    )
    assert reasons == (
        "gemini-3.1-flash-image has no size '512' in the ratio 21:9. Possible: 1K, 2K, 4K.",
    )


def test_a_model_that_always_thinks_lets_nobody_choose():
    reasons = spec_for("gemini-3-pro-image").objections(**FINE, thinking="high")
    assert reasons == ("gemini-3-pro-image has no thinking levels, 'high' was requested.",)


def test_the_local_studio_only_locks():
    reasons = spec_for("local-studio").objections(**{**FINE, "treatment": Treatment.PAINTED})
    assert reasons == ("local-studio has no treatment 'painted'. Possible: locked, relit.",)


def test_only_free_work_is_estimated_at_nothing():
    for row in all_specs().values():
        for size in row.sizes:
            assert (row.estimate(size=size, references=0) == 0) is (row.provider == "local")


@pytest.mark.parametrize("model", list(all_specs()))
def test_an_estimate_is_never_below_the_list_price(model):
    row = spec_for(model)
    for size, price in row.price_per_image.items():
        assert row.estimate(size=size, references=1) > price


def test_the_disputed_size_is_estimated_with_the_larger_count():
    assert spec_for("gemini-nano-banana-2.1").estimate(size="4K", references=0) > Decimal("0.1134")


def test_an_estimate_covers_the_reported_price_of_five_references():
    estimate = spec_for("gemini-nano-banana-2.1").estimate(size="1K", references=5)
    assert Decimal("0.0523") <= estimate <= Decimal("0.06")


def test_an_estimate_adds_up_and_rounds_up_to_six_places():
    row = spec_for("gemini-3.1-flash-lite-image")
    # 0.0336 + (1120 + 101) * 0.25 / 1e6 + 1400 * 1.5 / 1e6 = 0.03600525
    assert row.estimate(size="1K", references=1, text_tokens=101) == Decimal("0.036006")


@pytest.mark.parametrize(("tokens", "listed"), [(1000, "0.02"), (100, "0.03")])
def test_an_estimate_takes_the_dearer_of_list_price_and_token_price(host_cards, tokens, listed):
    host_cards(
        mine={
            "provider": "gateway", "name": "Mine", "sizes": ["1K"], "thinking_tokens": 0,
            "image_tokens": {"1K": tokens}, "price_per_image": {"1K": listed},
            "usd_per_million": {"input": 0, "text_output": 0, "image_output": 30},
        }
    )  # fmt: skip
    assert spec_for("mine").estimate(size="1K", references=0) == Decimal("0.03")


def test_an_unknown_price_is_refused_and_not_zero(host_cards):
    host_cards(
        mine={"provider": "gateway", "name": "Mine", "sizes": ["1K"]},
        unpriced={
            "provider": "gateway", "name": "Zero", "sizes": ["1K"],
            "price_per_image": {"1K": 0}, "usd_per_million": {"input": 1, "text_output": 1},
        },
    )  # fmt: skip
    for model in ("mine", "unpriced"):
        with pytest.raises(RequestRefused, match="price of .* at 1K is not known"):
            spec_for(model).estimate(size="1K", references=0)


def test_the_bill_is_counted_from_the_answers_tokens():
    usage = {"prompt": 1240, "candidates": 1120, "thoughts": 200, "total": 2560, "image": 1120}
    # 1240 * 1.5 + 200 * 7.5 + 1120 * 30 = 36,960 millionths
    assert spec_for("gemini-nano-banana-2.1").settle(usage) == Decimal("0.036960")


def test_output_of_unknown_kind_is_billed_as_picture():
    row = spec_for("gemini-nano-banana-2.1")
    assert row.settle({"prompt": 0, "candidates": 1000}) == Decimal("0.03")
    assert row.settle({"prompt": 0, "candidates": 1000, "image": 0}) == Decimal("0.0075")


def test_output_that_only_the_total_tells_is_billed_too():
    row = spec_for("gemini-nano-banana-2.1")
    assert row.settle({"prompt": 1000, "total": 2000}) == Decimal("0.0315")


@pytest.mark.parametrize("usage", [{}, {"image": 5}, {"prompt": 0, "candidates": 0, "total": 0}])
def test_a_bill_that_was_not_reported_is_unknown_and_not_zero(usage):
    assert spec_for("gemini-nano-banana-2.1").settle(usage) is None


def test_free_work_is_settled_at_nothing():
    assert spec_for("local-studio").settle({}) == 0


def test_a_host_changes_one_price_and_keeps_the_rest(host_cards):
    shipped = spec_for("gemini-nano-banana-2.1")
    host_cards(
        **{
            "gemini-nano-banana-2.1": {
                "price_per_image": {"4K": "0.0756"},
                "image_tokens": {"4K": 2520},
                "image_options": "responseFormat",
                "retired_on": "2027-01-31",
            }
        }
    )
    mine = spec_for("gemini-nano-banana-2.1")
    assert mine.price_per_image == {**shipped.price_per_image, "4K": Decimal("0.0756")}
    assert mine.retired_on == date(2027, 1, 31)
    assert mine.image_options == "responseFormat"
    assert mine.name == shipped.name
    assert shipped.price_per_image["4K"] == Decimal("0.1134")


def test_a_host_takes_a_reported_end_back(host_cards):
    host_cards(**{"gemini-3.1-flash-image": {"retired_on": None}})
    assert spec_for("gemini-3.1-flash-image").objections(**FINE, today=date(2027, 1, 1)) == ()


def test_a_host_adds_a_model_of_its_own(host_cards):
    host_cards(mine={"provider": "gateway", "name": "Mine", "sizes": ["1K"], "max_references": 2})
    assert spec_for("mine").ratios == RATIOS
    assert list(all_specs())[-1] == "mine"


def test_a_new_card_says_what_it_still_needs(host_cards):
    host_cards(mine={"name": "Mine"})
    with pytest.raises(InvalidSettings, match=r"MODEL_SPECS'\]\['mine'\]: .*'provider', 'sizes'"):
        spec_for("mine")


def test_a_misspelt_key_is_refused_with_the_nearest(host_cards):
    host_cards(**{"local-studio": {"size": ["1K"]}})
    with pytest.raises(InvalidSettings, match="unknown key 'size'. Did you mean 'sizes'"):
        spec_for("local-studio")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", ["3k"]),
        ("sizes", "1K"),
        ("ratios", ["7:3"]),
        ("treatments", ["printed"]),
        ("thinking", ["deep"]),
        ("max_references", True),
        ("max_references", -1),
        ("free", "yes"),
        ("usd_per_million", {"output": "1"}),
        ("usd_per_million", {"input": 0.25}),
        ("price_per_image", {"1K": "-1"}),
        ("price_per_image", {"1K": "NaN"}),
        ("price_per_image", {"1K": "cheap"}),
        ("price_per_image", 3),
        ("image_tokens", {"1K": "1120"}),
        ("seconds", {"1K": 0}),
        ("retired_on", "soon"),
        ("retired_on", 3),
        ("image_options", "image"),
        ("name", None),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(host_cards, key, value):
    host_cards(**{"local-studio": {key: value}})
    with pytest.raises(
        InvalidSettings, match=rf"MODEL_SPECS'\]\['local-studio'\]\['{key}'\]: expected"
    ):
        spec_for("local-studio")


@pytest.mark.parametrize(
    ("version", "same"),
    [
        ("", True),
        ("gemini-nano-banana-2.1", True),
        ("models/gemini-nano-banana-2.1", True),
        ("gemini-nano-banana-2.1-001", True),
        ("publishers/google/models/gemini-nano-banana-2.1@20261106", True),
        ("gemini-nano-banana-2.1-preview", True),
        ("gemini-nano-banana-2.10", False),
        ("gemini-nano-banana-3", False),
        ("gemini-nano-banana", False),
    ],
)
def test_a_release_of_a_model_is_told_from_another_model(version, same):
    assert is_version_of(version, "gemini-nano-banana-2.1") is same


def test_what_to_use_instead_is_named():
    assert replacement_hint("gemini-3.1-flash-image") == "Use gemini-nano-banana-2.1 instead."
    assert replacement_hint("gemini-3-pro-image") == ""
    assert replacement_hint("gemini-3-pro-imge") == "Did you mean 'gemini-3-pro-image'?"


def test_a_batch_costs_half_of_everything():
    lite = spec_for("gemini-3.1-flash-lite-image")
    direct = lite.estimate(size="1K", references=1)
    half = (direct / 2).quantize(Decimal("0.000001"), ROUND_UP)
    assert lite.estimate(size="1K", references=1, batch=True) == half
    usage = {"prompt": 1240, "candidates": 1120, "thoughts": 200, "image": 1120}
    assert lite.settle(usage, batch=True) == Decimal("0.017105")
    assert lite.settle(usage) == Decimal("0.03421")


def test_a_model_without_a_batch_service_says_so():
    reasons = spec_for("local-studio").objections(
        ratio="1:1", size="1K", references=0, treatment="locked", batch=True
    )
    assert reasons == ("local-studio is not offered in batches. Request its pictures directly.",)


def test_a_picture_can_cost_its_list_price(settings):
    settings.NB_CATALOG = {
        "MODEL_SPECS": {"gemini-3.1-flash-lite-image": {"bills_per_image": True}}
    }
    lite = spec_for("gemini-3.1-flash-lite-image")
    usage = {"prompt": 1240, "candidates": 1120, "thoughts": 200, "image": 1120}
    assert lite.settle({}, size="1K") == lite.settle(usage, size="1K") == Decimal("0.0336")
    assert lite.estimate(size="1K", references=3) == Decimal("0.0336"), "and nothing else"
    assert lite.estimate(size="1K", references=3, batch=True) == Decimal("0.0168")
    assert lite.settle(usage) is None, "without a picture nothing is known"


def test_a_list_price_of_nothing_is_an_unknown_price(settings):
    free = {"bills_per_image": True, "price_per_image": {"1K": "0"}}
    settings.NB_CATALOG = {"MODEL_SPECS": {"gemini-3.1-flash-lite-image": free}}
    lite = spec_for("gemini-3.1-flash-lite-image")
    assert lite.settle({"prompt": 9, "candidates": 1120}, size="1K") is None
    with pytest.raises(RequestRefused, match="State it in .*'price_per_image'.$"):
        lite.estimate(size="1K", references=0)
