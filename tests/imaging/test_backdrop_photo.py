"""Photos as scenes: where their ground is proposed, which part is shown, and how a product gets into it."""

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.in_photo import compose_in_photo, term_for
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.scenery.backdrop_estimate import propose
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from tests.imaging.composing import SMALL, block, jumper, solid_block
from tests.imaging.pictures import LIMITS, saved


def room(size=(800, 600), *, line=0.6, tilt=0.0, brighter="left"):
    """A pale wall above a brown floor, lit from one side, with a dark cabinet in front of the wall."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    floor = (y > line + tilt * (x - 0.5))[..., None]
    pixels = np.where(floor, np.array([150, 110, 70]), np.array([205, 203, 198])).astype(float)
    pixels[(y > 0.3) & (y < line + 0.02) & (x > 0.05) & (x < 0.25)] = (60, 45, 40)
    side = 1 - x if brighter == "left" else x
    pixels *= (0.75 + 0.4 * side)[..., None]
    noise = np.random.default_rng(5).normal(0, 3, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def plain(size=(800, 600)):
    noise = np.random.default_rng(5).normal(190, 3, (*size[::-1], 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8))


def composed(cutout, photo, place, *, size=SMALL, **options):
    data = photo if isinstance(photo, bytes) else saved(photo)
    return compose_in_photo(cutout, data, place=place, size=size, seed=3, **options, **LIMITS)


@pytest.mark.parametrize(("line", "tilt"), [(0.45, 0), (0.6, 0), (0.72, 0), (0.6, 0.06)])
def test_the_ground_line_of_a_room_is_found(line, tilt):
    proposal = propose(room(line=line, tilt=tilt))
    assert proposal.has_ground and proposal.place.view == "front"
    assert proposal.place.ground == pytest.approx(line, abs=0.02)
    assert proposal.place.bottom > proposal.place.ground


@pytest.mark.parametrize("photo", [plain(), room(line=2.0)], ids=["paper", "cabinet"])
def test_a_photo_without_a_ground_is_proposed_as_a_wall(photo):
    proposal = propose(photo)
    assert not proposal.has_ground and proposal.place.view == "wall"


@pytest.mark.parametrize(("side", "sign"), [("left", -1), ("right", 1)])
def test_light_is_proposed_from_the_brighter_side(side, sign):
    assert np.sign(propose(room(brighter=side)).place.azimuth) == sign


def test_the_part_shown_has_the_ratio_of_the_picture_and_the_product_in_it():
    place, photo = BackdropPlace(x=0.8, bottom=0.9, height=0.4), Size(1600, 900)
    for ratio in (Size(1, 1), Size(9, 16), Size(21, 9), Size(4, 5)):
        shown = place.shown(photo, ratio=ratio)
        assert shown.width / shown.height == pytest.approx(ratio.width / ratio.height, rel=0.01)
        assert shown.left >= 0 and shown.right <= 1600 and shown.top >= 0 and shown.bottom <= 900
        assert shown.left <= 0.8 * 1600 <= shown.right
        assert shown.width == 1600 or shown.height == 900


def test_a_product_stands_where_it_was_put_with_its_own_pixels():
    place = BackdropPlace(ground=0.6, x=0.4, bottom=0.8, height=0.4)
    result = composed(block(), room((900, 900)), place, size=Size(450, 450)).composition
    product = result.product
    assert product.bottom / 450 == pytest.approx(0.8, abs=0.02)
    assert (product.left + product.width / 2) / 450 == pytest.approx(0.4, abs=0.03)
    assert product.height / 450 == pytest.approx(0.4, abs=0.02)
    inner = product.grown(-3)
    seen = result.pixels[inner.top : inner.bottom, inner.left : inner.right]
    assert (seen == (180, 30, 40)).all()


def test_its_shadow_falls_on_the_ground_away_from_the_light_and_not_on_the_wall():
    photo = Image.new("RGB", (600, 600), (200, 200, 200))
    falls = {}
    for azimuth in (-60.0, 60.0):
        place = BackdropPlace(
            ground=0.6, bottom=0.8, height=0.3, azimuth=azimuth, elevation=35, strength=0.9,
            softness=0.2,
        )  # fmt: skip
        result = composed(block(), photo, place, size=Size(600, 600)).composition
        dark = 200 - result.pixels[..., 1].astype(int)
        product = result.product
        dark[product.top - 4 : product.bottom + 4, product.left - 4 : product.right + 4] = 0
        assert dark[: round(0.6 * 600) - 2].max() <= 2
        falls[azimuth] = dark[:, : product.left].sum(), dark[:, product.right :].sum()
    assert falls[-60.0][1] > 3 * falls[-60.0][0] and falls[60.0][0] > 3 * falls[60.0][1]


def test_a_product_that_cannot_stand_hangs_above_the_ground_line():
    place = BackdropPlace(ground=0.6, bottom=0.85, height=0.4)
    result = composed(jumper(), room(), place, pose="lying").composition
    assert result.product.bottom <= 0.6 * 400


def test_a_small_photo_of_a_place_makes_a_smaller_picture_and_says_so():
    place = BackdropPlace(bottom=0.85, height=0.5)
    large = solid_block(600, 1000)
    result = composed(large, room((500, 500)), place, size=Size(1600, 1600))
    made = result.report["small_backdrop"]["made"]
    assert made == [800, 800] == list(result.composition.pixels.shape[1::-1])
    assert "small_photo" not in result.report
    assert not composed(large, room((1500, 1500)), place, size=Size(1600, 1600)).report


def test_every_size_shows_the_same_part():
    place = BackdropPlace(ground=0.6, x=0.3, bottom=0.8, height=0.4)
    photo = room((1200, 900))
    small = composed(solid_block(300, 500), photo, place, size=Size(400, 400)).composition
    large = composed(solid_block(300, 500), photo, place, size=Size(800, 800)).composition
    for one, other in zip(small.product, large.product, strict=True):
        assert 2 * one == pytest.approx(other, abs=3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bottom": 0.5}, "foot is above the ground line"),
        ({"bottom": 0.7, "height": 0.8}, "leave the photo at the top"),
        ({"azimuth": 300}, "azimuth: expected a number from -180 to 180"),
        ({"view": "side"}, "view: 'side' is not accepted"),
        ({"groud": 0.5}, "Did you mean 'ground'"),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_a_sentence(change, words):
    with pytest.raises(ValueError, match=words):
        BackdropPlace.from_mapping(change)


@pytest.mark.parametrize(
    ("mark", "origin", "term"),
    [
        (None, "", "compositeCapture"),
        ("digitalCapture", "", "compositeCapture"),
        ("algorithmicMedia", "", "algorithmicMedia"),
        ("trainedAlgorithmicMedia", "", "compositeWithTrainedAlgorithmicMedia"),
        (None, "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
        ("compositeWithTrainedAlgorithmicMedia", "", "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_a_place_that_a_model_made_marks_the_composite(mark, origin, term):
    xmp = xmp_packet(DigitalSourceType(mark)) if mark else b""
    photo = encode(room((80, 60)), format="jpeg", xmp=xmp)
    assert term_for(photo, origin=origin) == term


@pytest.mark.parametrize(("ground", "reaches"), [(0.2, True), (0.77, False)])
def test_a_shadow_that_falls_backwards_ends_at_the_ground_line(ground, reaches):
    photo = Image.new("RGB", (600, 600), (200, 200, 200))
    place = BackdropPlace(
        ground=ground, bottom=0.8, height=0.3, azimuth=-50, elevation=20, strength=0.9, softness=0.2
    )
    result = composed(block(), photo, place, size=Size(600, 600)).composition
    beside = result.pixels[: round(0.77 * 600) - 2, result.product.right + 4 :, 1]
    assert bool((beside < 190).any()) == reaches


def test_the_light_has_some_of_the_colour_of_the_bright_parts():
    warm, cold = (
        np.full((60, 60, 3), tone, np.uint8) for tone in ((230, 190, 130), (140, 180, 230))
    )
    red, _green, blue = BackdropPlace().light(warm).colour
    assert red > blue and max(red, blue) <= 1.1
    red, _green, blue = BackdropPlace().light(cold).colour
    assert blue > red
