"""Products that are their whole photo: boards that stand or lie, with the photo's own pixels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.compose.flat import draw_board, flat_cutout, flat_cutout_photo
from nb_catalog.imaging.locked import compose_into
from tests.imaging.composing import darkening, scene
from tests.imaging.pictures import LIMITS, bottle, colourful, saved

SIZE = Size(600, 600)
RED, GREEN, BLUE, YELLOW = (200, 30, 40), (30, 160, 70), (40, 60, 190), (230, 200, 40)


def quarters(width: int = 480, height: int = 720) -> Image.Image:
    """A cover of four colours, each in its corner."""
    pixels = np.empty((height, width, 3), np.uint8)
    half = slice(None, height // 2), slice(height // 2, None)
    left, right = slice(None, width // 2), slice(width // 2, None)
    pixels[half[0], left], pixels[half[0], right] = RED, GREEN
    pixels[half[1], left], pixels[half[1], right] = BLUE, YELLOW
    return Image.fromarray(pixels)


def in_scene(cutout, *, view="front", pose="standing", key="oak-table"):
    backdrop = scene(key, size=SIZE, view=view)
    return backdrop, composing.compose(cutout, backdrop, seed=3, pose=pose)


def height_at(alpha: np.ndarray, column: int) -> int:
    return int(np.count_nonzero(alpha[:, column] > 127))


@pytest.mark.parametrize(
    ("view", "pose"), [("front", "standing"), ("front", "lying"), ("top", "lying")]
)
@pytest.mark.parametrize("size", [(480, 720), (900, 600)])
def test_seen_straight_on_its_pixels_are_those_of_the_scaled_photo(view, pose, size):
    photo = colourful(*size)
    _, picture = in_scene(flat_cutout(photo, tilt=0), view=view, pose=pose)
    place = picture.product
    scaled = photo.resize((place.width, place.height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    seen = picture.pixels[place.top : place.bottom, place.left : place.right]
    assert np.array_equal(seen, np.asarray(scaled))


def test_a_photo_of_the_right_size_is_not_scaled_at_all():
    photo = colourful(200, 300)
    drawn = flat_cutout(photo, tilt=0).drawn(width=200, height=300)
    assert np.array_equal(drawn[..., :3], np.asarray(photo))
    assert (drawn[..., 3] == 255).all()


def test_what_stands_in_the_picture_is_drawn_once_at_its_final_size():
    cutout = flat_cutout(colourful(480, 720))
    _, picture = in_scene(cutout)
    place = picture.product
    drawn = cutout.drawn(width=place.width, height=place.height)
    seen = picture.pixels[place.top : place.bottom, place.left : place.right]
    solid = drawn[..., 3] == 255
    assert solid.mean() > 0.85
    assert np.array_equal(seen[solid], drawn[solid][:, :3])


@pytest.mark.parametrize("tilt", [-16.0, 16.0, 30.0])
def test_colours_are_those_of_the_photo(tilt):
    cutout = flat_cutout(quarters(), tilt=tilt, thickness=0)
    height, width = cutout.pixels.shape[:2]
    for (y, x), colour in zip(
        ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)),
        (RED, GREEN, BLUE, YELLOW),
        strict=True,
    ):
        spot = cutout.pixels[int(y * height) - 20 : int(y * height) + 20, int(x * width)]
        assert (spot == [*colour, 255]).all()


def test_a_board_that_is_turned_is_taller_at_its_near_side():
    for tilt in (16.0, -16.0):
        alpha = flat_cutout(quarters(), tilt=tilt).pixels[..., 3]
        left, right = height_at(alpha, 30), height_at(alpha, -30)
        assert (right - left) * tilt > 0
        assert abs(right - left) > 0.02 * alpha.shape[0]


def test_its_outline_touches_all_four_sides():
    drawn = draw_board(
        np.asarray(quarters()), board=flat_cutout(quarters()).board, width=300, height=400
    )
    solid = drawn[..., 3] > 127
    assert drawn.shape == (400, 300, 4)
    assert solid[:2].any() and solid[-2:].any() and solid[:, :2].any() and solid[:, -2:].any()


def edge_of(cutout) -> np.ndarray:
    """The colour of the last solid pixel on the visible side, of rows in the upper half."""
    height = cutout.pixels.shape[0]
    rows = cutout.pixels[height // 4 : height // 2, :: -1 if cutout.board.tilt > 0 else 1]
    first = np.argmax(rows[..., 3] == 255, axis=1)
    return rows[np.arange(len(rows)), first, :3].astype(int)


def test_the_edge_on_the_right_is_paper_and_in_shade():
    colours = edge_of(flat_cutout(quarters(), thickness=0.02))
    red, _, blue = colours.mean(0)
    assert 130 < blue <= red < 215


def test_a_thick_book_has_covers_before_and_behind_its_pages():
    cutout = flat_cutout(quarters(), thickness=0.12)
    row = cutout.pixels[cutout.pixels.shape[0] // 4].astype(int)
    width = cutout.pixels.shape[1]
    greenish = row[:, 1] - row[:, 2] > 50
    paper = (np.abs(row[:, 0] - row[:, 2]) < 40) & (row[:, 0] > 120)
    assert paper[width - 60 :].sum() > 6
    assert greenish[np.flatnonzero(paper)[-1] :].any(), "the back cover"


def test_the_spine_on_the_left_continues_the_cover():
    cutout = flat_cutout(quarters(), thickness=0.08, tilt=-16)
    red, green, blue = edge_of(cutout).mean(0)
    assert red > green + 40 and red > blue + 40


def test_no_thickness_means_no_edge():
    thin, thick = (flat_cutout(quarters(), thickness=each).pixels for each in (0, 0.05))
    assert thick.shape[1] > thin.shape[1]
    red, green, _ = edge_of(flat_cutout(quarters(), thickness=0)).mean(0)
    assert green > red + 100, "the cover itself"


def test_corners_are_square_unless_they_are_to_be_round():
    square = flat_cutout(quarters(), tilt=0).pixels[..., 3]
    assert (square == 255).all()
    round_corners = flat_cutout(quarters(), tilt=0, corner=0.1).pixels[..., 3]
    assert round_corners[0, 0] == round_corners[-1, -1] == round_corners[0, -1] == 0
    assert round_corners[0, 60] == round_corners[60, 0] == 255
    gone = 1 - round_corners.mean() / 255
    assert gone == pytest.approx((4 - np.pi) * 48**2 / (480 * 720), rel=0.05)


def test_corners_of_a_turned_card_are_round_too():
    square, rounded = (
        flat_cutout(quarters(), corner=each, thickness=0).pixels[..., 3].sum() / 255
        for each in (0, 0.1)
    )
    # Seen at an angle, they are narrower.
    assert 0.8 < (square - rounded) / ((4 - np.pi) * 48**2) < 1.05


@pytest.mark.parametrize(
    ("option", "value"),
    [("thickness", 0.5), ("thickness", -0.1), ("tilt", 80), ("tilt", -50), ("corner", 0.7)],
)
def test_impossible_boards_are_refused_by_the_name_of_their_measure(option, value):
    with pytest.raises(ValueError, match=f"{option}: expected a number"):
        flat_cutout(quarters(), **{option: value})


def test_a_board_stands_on_its_lower_edge_and_casts_a_shadow():
    backdrop, picture = in_scene(flat_cutout(quarters()))
    place = picture.product
    dark = darkening(backdrop.pixels, picture.pixels)
    below = dark[place.bottom : place.bottom + 4, place.left + 40 : place.right - 10]
    beside = dark[place.bottom - 60 : place.bottom, : place.left - 8]
    other = dark[place.bottom - 60 : place.bottom, place.right + 8 :]
    assert below.mean() > 25
    assert max(beside.max(), other.max()) > 25
    assert dark[: place.top - 10].max() <= 3


def test_transparent_parts_of_the_photo_are_white():
    pixels = flat_cutout(bottle(200), tilt=0).pixels
    assert (pixels[..., 3] == 255).all()
    assert pixels[2, 2].tolist() == [255, 255, 255, 255]


def test_a_small_photo_is_noticed_as_such_whether_it_is_turned_or_not():
    for tilt in (0.0, 16.0):
        fitted = composing.fit_picture(
            flat_cutout(quarters(120, 180), tilt=tilt), size=Size(1024, 1024)
        )
        assert fitted.is_reduced
        assert fitted.enlargement == pytest.approx(512 * 0.77 / 180, rel=0.15)


def test_a_photo_file_is_opened_as_fine_as_the_picture_shows_it():
    data = saved(quarters(1000, 1500))
    for is_turned, tilt in ((True, True), (False, False)):
        cutout = flat_cutout_photo(data, picture_side=600, is_turned=is_turned, **LIMITS)
        assert (cutout.board.tilt != 0) is tilt
        assert max(cutout.photo.shape) == 600


@pytest.mark.parametrize("pose", ["", "standing", "lying"])
def test_a_cover_goes_into_a_models_picture_without_being_cut_out(pose):
    # A photo that no cutter could take apart.
    noise = np.random.default_rng(3).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    ground = saved(Image.new("RGB", (512, 512), (190, 188, 180)))
    made = compose_into(
        ground, photo=saved(Image.fromarray(noise)), pose=pose, photo_kind="full_frame", **LIMITS
    )
    picture = np.asarray(Image.open(BytesIO(made.data)).convert("RGB")).astype(float)
    place = made.product
    inside = picture[place.top + 20 : place.bottom - 20, place.left + 20 : place.right - 20]
    assert inside.std() > 25
    # One that hangs fills its rectangle, one that stands is turned.
    corner = picture[place.bottom - 9 : place.bottom - 2, place.left + 2 : place.left + 9]
    assert (corner.std() > 25) == (pose == "lying")
