"""What a photo seems to be: a suggestion, from the mask and from the picture alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.core.types import PhotoKind
from nb_catalog.imaging import locked
from nb_catalog.imaging.cutout import ClassicalCutout, FoundMask, find_mask, suggest_kind
from nb_catalog.imaging.cutout.kinds import print_signals
from tests.imaging.pictures import LIFESTYLE, LIMITS, NO_PHOTOS, bottle, mug, on_ground


def cover(width: int = 300, height: int = 420) -> Image.Image:
    """Lines of print and a frame, as on a book."""
    image = Image.new("RGB", (width, height), "#c8c2b0")
    draw = ImageDraw.Draw(image)
    for row in range(12, height - 12, 14):
        for left in range(12, width - 20, 18):
            draw.rectangle((left, row, left + 9, row + 6), fill="#202028")
    return image


def scene() -> Image.Image:
    """Soft shapes without print."""
    y, x = np.mgrid[0:300, 0:420]
    waves = np.stack([np.sin(x / 31 + y / 17), np.cos(x / 23 - y / 41), np.sin(y / 29)], axis=-1)
    return Image.fromarray((128 + 100 * waves).astype(np.uint8))


def found(*reasons: str, method="fused", is_plain=True) -> FoundMask:
    alpha = np.zeros((10, 10), np.uint8)
    return FoundMask(
        alpha=alpha, method=method, maker="t/1", score=0.9, reasons=reasons, is_plain=is_plain
    )


def test_a_product_with_an_outline_of_its_own_is_a_packshot():
    photo = bottle()
    suggestion = suggest_kind(photo, find_mask(photo, backend=ClassicalCutout()))
    assert (suggestion.kind, suggestion.reasons) == (PhotoKind.PACKSHOT, ("own_outline",))


def test_a_product_that_was_cut_off_a_plain_ground_is_a_packshot_whatever_is_printed_on_it():
    assert suggest_kind(cover(), found()).kind == PhotoKind.PACKSHOT


@pytest.mark.parametrize("mask", [None, found("unsure", "room", method="network", is_plain=False)])
def test_a_cover_is_the_whole_frame(mask):
    axis, edges = print_signals(cover())
    assert axis > 0.5 and edges > 0.1
    assert suggest_kind(cover(), mask).kind == PhotoKind.FULL_FRAME


@pytest.mark.parametrize("mask", [None, found("room", "unsure", method="network", is_plain=False)])
def test_a_scene_without_a_clear_product_is_left_as_it_is(mask):
    assert suggest_kind(scene(), mask).kind == PhotoKind.LIFESTYLE


def test_a_clear_outline_in_a_room_may_be_a_product():
    mask = found("room", method="network", is_plain=False)
    assert suggest_kind(scene(), mask).kind == PhotoKind.PACKSHOT


def test_a_plain_ground_from_which_nothing_could_be_cut_is_still_that_of_a_packshot():
    photo = on_ground(mug(), "white")
    assert suggest_kind(photo, None).kind == PhotoKind.PACKSHOT


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        (("touches_frame",), PhotoKind.LIFESTYLE),
        (("unsure", "several_pieces", "sizes_disagree"), PhotoKind.LIFESTYLE),
        (("several_pieces",), PhotoKind.PACKSHOT),
        (("unsure", "outline", "sizes_disagree"), PhotoKind.PACKSHOT),
    ],
)
def test_what_its_photo_cuts_off_or_shows_in_crumbs_is_left_as_it_is(reasons, kind):
    """A pair of shoes and a white product on white stay packshots: a person can correct their outline."""
    assert suggest_kind(on_ground(mug(), "white"), found(*reasons)).kind == kind


@pytest.mark.skipif(not LIFESTYLE, reason=NO_PHOTOS)
def test_hardly_a_photo_of_people_is_taken_for_a_cover():
    people = [path for path in LIFESTYLE if "books" not in path.name]
    views = [locked.open_view(path.read_bytes(), **LIMITS) for path in people]
    covers = [view for view in views if suggest_kind(view, None).kind == PhotoKind.FULL_FRAME]
    # Jeans before a wall of boards, and mugs in rows.
    assert len(covers) <= 3
