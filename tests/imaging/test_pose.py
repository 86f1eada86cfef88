"""Standing or lying, judged by outlines as packshots show them: from the front, from above, askew."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from demo_project.shop.photography import SUBJECTS
from demo_project.shop.photography import cut_out as drawn
from nb_catalog.imaging.compose import estimate_pose

SIDE = 600
Points = list[tuple[float, float]]


def outline(*shapes: Points) -> np.ndarray:
    """Alpha of filled polygons, given in percent of the side, with soft edges."""
    big = np.zeros((SIDE * 2, SIDE * 2), np.uint8)
    for shape in shapes:
        cv2.fillPoly(big, [np.round(np.array(shape) * SIDE / 50).astype(np.int32)], 255)
    alpha = cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    return alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def box(left: float, top: float, right: float, bottom: float) -> Points:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def ellipse(x: float, y: float, across: float, down: float, *, tilt: float = 0.0) -> Points:
    """Around (x, y) with the two radii, turned by ``tilt`` degrees."""
    turn = np.radians(tilt)
    around = np.linspace(0, 2 * np.pi, 200)
    right, up = across * np.cos(around), down * np.sin(around)
    return list(
        zip(
            x + right * np.cos(turn) - up * np.sin(turn),
            y + right * np.sin(turn) + up * np.cos(turn),
            strict=True,
        )
    )


def band(points: Points, *, thick: float) -> list[Points]:
    """A tube along ``points``, as a chain of discs."""
    return [ellipse(x, y, thick / 2, thick / 2) for x, y in points]


def cylinder(*, width: float, height: float, elevation: float) -> list[Points]:
    """Seen from ``elevation`` degrees above the table."""
    deep = width / 2 * np.sin(np.radians(elevation))
    tall = height * np.cos(np.radians(elevation))
    left, right = 50 - width / 2, 50 + width / 2
    rim, foot = (ellipse(50, y, width / 2, deep) for y in (20, 20 + tall))
    return [box(left, 20, right, 20 + tall), rim, foot]


def mug(*, elevation: float) -> list[Points]:
    body = cylinder(width=34, height=36, elevation=elevation)
    handle = [(x, y) for x, y in ellipse(67, 38, 11, 11) if x > 66]
    return [*body, *band(handle, thick=4)]


def carton(*, elevation: float, turned: float, size: tuple[float, float, float]) -> list[Points]:
    """A box in parallel projection, ``turned`` degrees so that a corner comes to the front."""
    tilt, turn = np.radians(elevation), np.radians(turned)
    corners = np.array(np.meshgrid(*((-each / 2, each / 2) for each in size))).reshape(3, -1)
    x = corners[0] * np.cos(turn) - corners[1] * np.sin(turn)
    away = corners[0] * np.sin(turn) + corners[1] * np.cos(turn)
    y = -corners[2] * np.cos(tilt) - away * np.sin(tilt)
    hull = cv2.convexHull(np.column_stack([50 + x, 50 + y]).astype(np.float32))
    return [[(float(a), float(b)) for a, b in hull[:, 0]]]


def sneaker(*, spring: float) -> list[Points]:
    """Its toe ``spring`` percent above the ground."""
    x = np.linspace(0, 1, 60)
    sole = 70 - spring * np.clip((x - 0.6) / 0.4, 0, 1) ** 2
    upper = np.interp(x, [0, 0.05, 0.25, 0.4, 0.65, 0.9, 1], [55, 42, 40, 46, 56, 60, 64])
    upper = np.minimum(upper, sole - 3)
    along = 8 + 84 * x
    return [[*zip(along, sole, strict=True), *zip(along[::-1], upper[::-1], strict=True)]]


def on_legs(*legs: tuple[float, float]) -> list[Points]:
    """A seat with a back, on thin legs that end at different heights."""
    return [box(25, 40, 75, 50), box(25, 5, 70, 40), *(box(x, 45, x + 3, y) for x, y in legs)]


def lamp(*, base: float) -> list[Points]:
    shade = [(38, 8), (62, 8), (72, 35), (28, 35)]
    return [shade, box(49, 30, 51, 88), ellipse(50, 88, base / 2, base / 7)]


def shirt(*, sleeve: float, hem: float = 40, uneven: float = 0) -> list[Points]:
    """Flat, with cuffs at ``sleeve`` percent from the top."""
    left = 50 - hem / 2
    body = [(left + 6, 8), (94 - left, 8), (100 - left, 12), (100 - left, 92), (left, 92 - uneven)]
    arm = [(left + 6, 8), (left, 11), (12, sleeve - 8), (20, sleeve), (left + 1, 36)]
    return [body, arm, [(100 - x, y) for x, y in arm]]


def mirrored(left: Points) -> Points:
    """A shape that is the same on both sides of the middle."""
    return [*left, *((100 - x, y) for x, y in reversed(left))]


def sleeved(*, cuff: float, hem: float) -> list[Points]:
    """A hoodie or jumper whose sleeves hang down."""
    body = mirrored([(40, 12), (30, 16), (25, 26), (29, hem)])
    arm = [(30, 16), (20, 26), (8, cuff - 2), (18, cuff), (28, 46)]
    return [body, arm, [(100 - x, y) for x, y in arm], ellipse(50, 12, 11, 11)]


def trousers(*, leg: float, crotch: float) -> list[Points]:
    hem = [(50 - leg - 3, 96), (47, 96)]
    return [mirrored([(34, 4), (33, 25), *hem, (50, crotch)])]


def shoes_from_above() -> list[Points]:
    return [
        part
        for x in (33, 67)
        for part in (ellipse(x, 30, 12, 22), box(x - 13, 30, x + 13, 68), ellipse(x, 68, 14, 25))
    ]


def glasses() -> list[Points]:
    return [ellipse(28, 50, 19, 17), ellipse(72, 50, 19, 17), box(40, 40, 60, 45)]


def beanie() -> list[Points]:
    dome = ellipse(45, 42, 34, 32, tilt=-35)
    brim = [(35, 92), (88, 52), (80, 36), (14, 66)]
    return [dome, brim]


STANDS = {
    "a mug from the front": mug(elevation=5),
    "a mug from above": mug(elevation=25),
    "a mug from far above": mug(elevation=40),
    "a bottle": cylinder(width=16, height=70, elevation=12),
    "a can from above": cylinder(width=34, height=44, elevation=35),
    "a flat tin from above": cylinder(width=60, height=18, elevation=25),
    "a carton with a corner to the front": carton(elevation=25, turned=45, size=(36, 36, 38)),
    "a carton askew": carton(elevation=20, turned=25, size=(50, 26, 34)),
    "a book on the table": carton(elevation=35, turned=30, size=(50, 36, 7)),
    "a sneaker": sneaker(spring=2),
    "a running shoe": sneaker(spring=9),
    "a chair": on_legs((26, 88), (70, 95), (38, 82), (58, 80)),
    "a chair whose legs end level": on_legs((26, 90), (71, 90)),
    "a radio on feet": [box(15, 30, 85, 75), box(20, 75, 26, 78), box(74, 75, 80, 78)],
    "a lamp on a round base": lamp(base=26),
    "a lamp on a wide base": lamp(base=44),
    "a pot with two handles": [
        *cylinder(width=50, height=30, elevation=20),
        *band(ellipse(25, 35, 8, 6), thick=3),
        *band(ellipse(75, 35, 8, 6), thick=3),
    ],
    "a round vase": [ellipse(50, 58, 24, 28), box(44, 15, 56, 40), box(38, 75, 62, 88)],
    "a plant with wide leaves": [
        box(40, 70, 60, 92),
        *([(50, 72), (50 + d, 20 + abs(d)), (50 + d * 1.2, 26 + abs(d))] for d in range(-36, 37, 8)),
    ],
    "a bowl": [[(x, y) for x, y in ellipse(50, 40, 36, 30) if y > 40], ellipse(50, 40, 36, 9)],
    "a tapered vase": [[(20, 10), (80, 10), (54, 90), (46, 90)]],
    "a flared planter": [[(8, 8), (92, 8), (70, 55), (30, 55)], box(30, 50, 70, 92)],
    "a lamp with a thick stem": [
        box(8, 8, 92, 45), box(34, 40, 66, 90), box(28, 86, 72, 92),
    ],
    "a pedestal table": [box(4, 34, 96, 40), box(30, 38, 70, 92)],
    "a teddy bear": [
        ellipse(50, 62, 19, 23), ellipse(50, 28, 15, 14), ellipse(38, 16, 6, 6),
        ellipse(62, 16, 6, 6), ellipse(36, 82, 11, 9), ellipse(64, 82, 11, 9),
    ],
}  # fmt: skip
STANDS |= {
    "a robot": [
        box(36, 5, 64, 28), box(28, 30, 72, 64), box(16, 32, 26, 62), box(74, 32, 84, 62),
        box(32, 62, 47, 95), box(53, 62, 68, 95),
    ],
    "a pair of boots": [
        [(30, 5), (46, 5), (46, 80), (48, 92), (26, 92), (28, 80)],
        [(54, 5), (70, 5), (72, 80), (74, 92), (52, 92), (54, 80)],
    ],
    "a bar stool": [box(25, 10, 75, 22), box(26, 22, 38, 95), box(62, 22, 74, 95)],
    "an amphora": [
        mirrored([(42, 4), (42, 16), (26, 36), (26, 55), (42, 90), (40, 95)]),
        *band(ellipse(30, 24, 10, 12), thick=4), *band(ellipse(70, 24, 10, 12), thick=4),
    ],
    "a cup with two handles": [
        mirrored([(30, 6), (32, 34), (46, 52), (46, 80), (34, 86), (32, 95)]),
        *band([(x, y) for x, y in ellipse(27, 24, 12, 12) if x < 32], thick=4),
        *band([(x, y) for x, y in ellipse(73, 24, 12, 12) if x > 68], thick=4),
    ],
    "a cat of china": [mirrored(
        [(50, 14), (45, 14), (38, 4), (36, 24), (42, 34), (30, 60), (26, 95)]
    )],
    "a bell": [mirrored([(46, 4), (46, 12), (36, 20), (32, 60), (18, 88), (18, 94)])],
    "a ladder": [
        box(34, 4, 40, 96), box(60, 4, 66, 96), *(box(34, y, 66, y + 4) for y in range(12, 90, 16)),
    ],
}  # fmt: skip
LIES = {
    "a t-shirt": shirt(sleeve=34),
    "a wide t-shirt": shirt(sleeve=40, hem=46),
    "a t-shirt with a crooked hem": shirt(sleeve=34, uneven=3),
    "a jumper": shirt(sleeve=80),
    "a ball": [ellipse(50, 50, 30, 30)],
    "a cap from above": [ellipse(50, 50, 33, 27, tilt=30)],
    "a beanie askew": beanie(),
    "glasses": glasses(),
    "shoes from above": shoes_from_above(),
    "a hoodie whose cuffs are lower than its hem": sleeved(cuff=97, hem=91),
    "a hoodie whose cuffs end with its hem": sleeved(cuff=91, hem=91),
    "trousers": trousers(leg=17, crotch=34),
    "skinny jeans": trousers(leg=10, crotch=28),
    "joggers": trousers(leg=13, crotch=38),
    "a dress with straps": [
        box(38, 3, 41, 20),
        box(59, 3, 62, 20),
        mirrored([(50, 18), (36, 16), (40, 38), (20, 97)]),
    ],
    "a dress with a neckline": [
        mirrored([(50, 20), (42, 5), (36, 5), (38, 22), (42, 38), (24, 96)])
    ],
}


@pytest.mark.parametrize("name", STANDS)
def test_what_rests_on_a_base_stands_from_wherever_it_was_photographed(name):
    assert estimate_pose(outline(*STANDS[name])) == "standing"


@pytest.mark.parametrize("name", LIES)
def test_what_no_base_could_carry_lies(name):
    assert estimate_pose(outline(*LIES[name])) == "lying"


@pytest.mark.parametrize("degrees", [-2, 2])
@pytest.mark.parametrize("name", ["a mug from above", "a bottle", "a sneaker", "a chair"])
def test_a_photo_that_is_not_quite_level_changes_nothing(name, degrees):
    alpha = np.pad(outline(*STANDS[name]), 60)
    middle = (alpha.shape[1] / 2, alpha.shape[0] / 2)
    turned = cv2.warpAffine(alpha, cv2.getRotationMatrix2D(middle, degrees, 1.0), alpha.shape[::-1])
    assert estimate_pose(turned) == "standing"


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("key", SUBJECTS)
def test_every_product_of_the_demo_shop_stands(key):
    assert estimate_pose(np.array(drawn(key, side=240).getchannel("A"))) == "standing"


@pytest.mark.parametrize("margin", [0, 40])
def test_transparent_margins_change_nothing(margin):
    assert estimate_pose(np.pad(outline(*shirt(sleeve=34)), margin)) == "lying"
    assert estimate_pose(np.pad(outline(*mug(elevation=25)), margin)) == "standing"


def test_a_wire_is_judged_by_what_is_left_of_it_and_never_crashes():
    slanted = np.zeros((400, 400), np.uint8)
    np.fill_diagonal(slanted, 255)
    on_a_thread = np.zeros((900, 400), np.uint8)
    on_a_thread[:300], on_a_thread[300:, 200] = 255, 255
    for alpha in (slanted, on_a_thread, slanted // 4):
        assert estimate_pose(alpha) == "standing"


def test_a_foot_that_one_can_see_through_is_a_foot():
    goblet = outline([(30, 5), (70, 5), (55, 60), (45, 60)])
    foot = np.pad(goblet, ((0, 200), (0, 0)))
    foot[-200:, 140:160], foot[-20:, 60:240] = 60, 60
    assert estimate_pose(foot) == "standing"


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 4)])
def test_the_smallest_and_thinnest_outlines_stand(shape):
    assert estimate_pose(np.full(shape, 255, np.uint8)) == "standing"
    assert estimate_pose(np.zeros(shape, np.uint8)) == "standing"
