"""Rough strokes become masks: by colours, edges and the mask that is there."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.cutout import strokes
from nb_catalog.imaging.cutout.strokes import Stroke, parse_strokes, solve
from tests.imaging.pictures import NO_PHOTOS, PHOTOS

WEARER = PHOTOS / "sylius-t-shirt-woman_02.jpg"
SIZE = (300, 400)
SHIRT = (100, 120, 200, 260)
HEAD = (115, 30, 185, 110)
TROUSERS = (105, 262, 195, 380)


def keep(*points, size=0.03):
    return Stroke(keeps=True, size=size, points=points)


def remove(*points, size=0.03):
    return Stroke(keeps=False, size=size, points=points)


ON_SHIRT = keep((0.45, 0.4), (0.55, 0.55))


@pytest.fixture
def person():
    """Somebody in a red shirt and blue trousers before a grey wall, with some noise."""
    picture = Image.new("RGB", SIZE, (150, 155, 160))
    draw = ImageDraw.Draw(picture)
    draw.rectangle(TROUSERS, fill=(40, 60, 120))
    draw.rectangle(SHIRT, fill=(190, 40, 45))
    draw.ellipse(HEAD, fill=(214, 170, 140))
    noise = np.random.default_rng(1).normal(0, 4, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


@pytest.fixture
def whole():
    """A mask of the whole person."""
    mask = Image.new("L", SIZE)
    draw = ImageDraw.Draw(mask)
    for box in (TROUSERS, SHIRT):
        draw.rectangle(box, fill=255)
    draw.ellipse(HEAD, fill=255)
    return np.array(mask)


def share(mask, box):
    left, top, right, bottom = box
    inside = (left + 6, top + 6, right - 6, bottom - 6)
    return float((mask[inside[1] : inside[3], inside[0] : inside[2]] > 127).mean())


def test_keep_strokes_inside_the_mask_choose_a_part_of_it(person, whole):
    mask = solve(person, strokes=[ON_SHIRT], mask=whole)
    assert share(mask, SHIRT) > 0.99
    assert share(mask, HEAD) == share(mask, TROUSERS) == 0


def test_without_a_mask_only_what_the_strokes_touch_is_product(person):
    mask = solve(person, strokes=[ON_SHIRT])
    assert share(mask, SHIRT) > 0.99
    assert mask.mean() / 255 < 0.14


def test_a_remove_stroke_takes_a_thing_out_of_the_mask_and_nothing_else(person, whole):
    mask = solve(person, strokes=[remove((0.5, 0.15), (0.52, 0.2))], mask=whole)
    assert share(mask, HEAD) == 0
    assert share(mask, SHIRT) == 1 and share(mask, TROUSERS) > 0.99


def test_a_keep_stroke_outside_the_mask_adds_what_it_touches(person, whole):
    without = whole.copy()
    without[TROUSERS[1] :] = 0
    mask = solve(person, strokes=[keep((0.4, 0.8), (0.6, 0.85))], mask=without)
    assert share(mask, TROUSERS) > 0.99 and share(mask, SHIRT) == 1
    assert mask[:, :90].max() == 0


def test_what_no_stroke_changes_keeps_its_soft_edge(person, whole):
    soft = whole.copy()
    soft[120:260, 100] = 90
    mask = solve(person, strokes=[remove((0.5, 0.15), (0.52, 0.2))], mask=soft)
    assert (mask[150:240, 100] == 90).all()


def test_it_is_the_same_each_time(person, whole):
    one, other = (solve(person, strokes=[ON_SHIRT], mask=whole) for _ in range(2))
    assert np.array_equal(one, other)


def test_a_mask_of_another_size_and_strokes_beyond_the_frame_will_do(person, whole):
    small = np.asarray(Image.fromarray(whole).resize((75, 100)))
    mask = solve(person, strokes=[ON_SHIRT, remove((-0.5, 0.1), (0.05, 0.1))], mask=small)
    assert mask.shape == whole.shape and share(mask, SHIRT) > 0.99


def test_a_large_photo_is_solved_at_a_bounded_size():
    picture = Image.new("RGB", (2600, 1300), (240, 240, 240))
    ImageDraw.Draw(picture).rectangle((900, 300, 1700, 1000), fill=(20, 120, 60))
    mask = solve(picture, strokes=[keep((0.45, 0.4), (0.55, 0.6))])
    assert mask.shape == (1024, strokes.FINE_SIDE)
    scale = strokes.FINE_SIDE / 2600
    assert (mask[600, int(910 * scale)], mask[600, int(885 * scale)]) == (255, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        None, {}, [], ["x"], [{}], [{"keep": True}], [{"keep": True, "points": []}],
        [{"keep": 1, "points": [[0, 0]]}], [{"keep": True, "points": [[0]]}],
        [{"keep": True, "points": [[0, float("nan")]]}], [{"keep": True, "points": "ab"}],
        [{"keep": True, "points": [[10**400, 0]]}],
        [{"keep": True, "size": "wide", "points": [[0, 0]]}],
        [{"keep": True, "points": [[0, 0]]}] * (strokes.MOST_STROKES + 1),
        [{"keep": True, "points": [[0, 0]] * (strokes.MOST_POINTS + 1)}],
    ],
)  # fmt: skip
def test_strokes_that_are_none_are_refused_with_a_sentence(wrong):
    with pytest.raises(RequestRefused, match=r"stroke"):
        parse_strokes(wrong)


def test_strokes_are_read_from_plain_data():
    data = [{"keep": False, "size": 9, "points": [[0.1, 1], [0.2, 0.3]]}]
    assert parse_strokes(data) == (Stroke(keeps=False, size=0.5, points=((0.1, 1.0), (0.2, 0.3))),)


@pytest.mark.skipif(not WEARER.is_file(), reason=NO_PHOTOS)
def test_a_shirt_is_taken_off_its_wearer():
    photo = Image.open(WEARER).convert("RGB")
    wearer = Image.new("L", (300, 400), 255)
    draw = ImageDraw.Draw(wearer)
    draw.polygon([(0, 160), (15, 160), (60, 300), (80, 400), (0, 400)], fill=0)
    draw.polygon([(180, 0), (300, 0), (300, 110), (255, 35), (180, 20)], fill=0)
    on_shirt = keep((0.25, 0.25), (0.5, 0.5), (0.7, 0.3), size=0.02)
    below = keep((0.28, 0.62), (0.28, 0.75), size=0.02)
    mask = solve(photo, strokes=[on_shirt, below], mask=np.asarray(wearer))
    height, width = mask.shape

    def shows(x, y):
        return mask[int(y * height), int(x * width)] > 127

    assert all(shows(*at) for at in ((0.5, 0.3), (0.85, 0.4), (0.1, 0.3), (0.25, 0.8), (0.9, 0.7)))
    wearers = {"neck": (0.5, 0.08), "arm": (0.15, 0.55), "other arm": (0.94, 0.55),
               "hair": (0.15, 0.1), "jeans": (0.5, 0.85), "hip": (0.75, 0.95)}  # fmt: skip
    assert not [name for name, at in wearers.items() if shows(*at)]


def test_strokes_on_one_colour_are_taken_as_they_are(monkeypatch):
    """GrabCut would take ten seconds and more to divide it."""

    def grab_cut(*arguments):
        pytest.fail("GrabCut was asked about one colour.")

    monkeypatch.setattr("nb_catalog.imaging.cutout.strokes.cv2.grabCut", grab_cut)
    grain = np.random.default_rng(1).integers(0, 4, (300, 300, 3), np.uint8)
    photo = Image.fromarray(200 + grain)
    found = solve(photo, strokes=[keep((0.2, 0.2), (0.5, 0.2)), remove((0.2, 0.8), (0.5, 0.8))])
    assert found[60, 100] > 200 and found[240, 100] == 0
