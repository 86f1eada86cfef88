"""Masks of edits, and what is put back outside of them."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import PictureError, PictureTooLarge
from nb_catalog.imaging.edit_area import (
    aligned,
    check_area,
    feather_of,
    merge_area_files,
    paste,
    touches,
)
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from tests.imaging.pictures import LIMITS, bottle, saved

SIZE = Size(240, 200)
BOX = Rect(60, 50, 80, 70)
MODEL = DigitalSourceType.MODEL


def textured(seed, size=SIZE):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (size.height // 8, size.width // 8, 3), np.uint8)
    return cv2.resize(small, tuple(size), interpolation=cv2.INTER_CUBIC)


def mask_of(box=BOX, size=SIZE):
    mask = np.zeros((size.height, size.width), np.uint8)
    mask[box.top : box.bottom, box.left : box.right] = 255
    return mask


def as_file(pixels):
    return saved(Image.fromarray(pixels))


def decoded(data):
    with Image.open(BytesIO(data)) as opened:
        return np.asarray(opened)


def beyond(mask, pixels):
    """Every pixel further from the mask than ``pixels``, by measuring to each painted one."""
    rows, columns = np.nonzero(mask >= 128)
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    off = np.full(mask.shape, np.inf)
    # The mask of these tests is a box, so its border is enough.
    for row, column in {
        (r, c)
        for r, c in zip(rows, columns, strict=True)
        if r in (rows.min(), rows.max()) or c in (columns.min(), columns.max())
    }:
        off = np.minimum(off, np.hypot(y - row, x - column))
    return (off >= pixels) & (mask < 128)


def test_outside_of_mask_and_feather_every_pixel_is_the_parents_own():
    parent, answer, mask = textured(1), textured(2), mask_of()
    feather = feather_of(SIZE)
    out, seam = paste(parent, answer, mask, feather=feather)
    outside = beyond(mask, feather)
    assert 0.3 < outside.mean() < 0.9
    assert np.array_equal(out[outside], parent[outside])
    assert np.array_equal(out[mask >= 128], answer[mask >= 128])
    between = ~outside & (mask < 128)
    assert (out[between] != parent[between]).any() and seam > 20


def test_the_decoded_file_has_them_too():
    parent, mask = textured(1), mask_of()
    # The model returned a larger picture as a JPEG, which changed everything a little.
    answer = cv2.resize(textured(2), (480, 400), interpolation=cv2.INTER_CUBIC)
    made = merge_area_files(
        as_file(parent),
        saved(Image.fromarray(answer), "JPEG", quality=90),
        area=as_file(mask),
        mark=MODEL,
        **LIMITS,
    )
    assert made.mime_type == "image/png" and read_mark(made.data) == MODEL
    outside = beyond(mask, feather_of(SIZE))
    assert np.array_equal(decoded(made.data)[outside], parent[outside])
    assert made.report()["enlarged"] == 0.5


def test_a_parent_with_transparency_keeps_it():
    parent = bottle(200)
    mask = mask_of(Rect(10, 10, 30, 30), Size(200, 200))
    answer = as_file(textured(3, Size(200, 200)))
    made = merge_area_files(saved(parent), answer, area=as_file(mask), mark=MODEL, **LIMITS)
    out = decoded(made.data)
    assert np.array_equal(out[..., 3], np.asarray(parent)[..., 3])
    outside = beyond(mask, feather_of(Size(200, 200)))
    assert np.array_equal(out[outside], np.asarray(parent)[outside])


@pytest.mark.parametrize("size", [SIZE, Size(1200, 1000)])
def test_an_answer_that_was_moved_a_little_is_moved_back(size):
    parent = cv2.resize(textured(1), tuple(size), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(mask_of(), tuple(size), interpolation=cv2.INTER_NEAREST)
    by = size.width / 80
    moved = cv2.warpAffine(
        parent, np.array([[1.01, 0, by], [0, 1.01, -by]]), size, borderMode=cv2.BORDER_REFLECT
    )
    back = aligned(moved, parent, outside=mask < 128)
    inside = np.s_[20:-20, 20:-20]
    before = np.abs(moved[inside].astype(int) - parent[inside]).mean()
    assert np.abs(back[inside].astype(int) - parent[inside]).mean() < before / 4
    # Another picture altogether, and one that did not move, stay as they are.
    other = cv2.resize(textured(9), tuple(size), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(aligned(other, parent, outside=mask < 128), other)
    assert np.array_equal(aligned(parent, parent, outside=mask < 128), parent)


def test_a_mask_of_a_drawing_program_is_read_by_light_or_transparency():
    by_light = check_area(as_file(mask_of()), picture=SIZE, **LIMITS)
    assert by_light.box == BOX and by_light.share == pytest.approx(80 * 70 / (240 * 200))
    layer = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    ImageDraw.Draw(layer).rectangle((60, 50, 139, 119), fill=(255, 0, 0, 255))
    assert check_area(saved(layer), picture=SIZE, **LIMITS) == by_light
    assert set(np.unique(decoded(by_light.file))) == {0, 255}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (as_file(mask_of(size=Size(120, 100))), "120 × 100 pixels and the picture 240 × 200"),
        (as_file(np.zeros((200, 240), np.uint8)), "mask is empty"),
        (as_file(np.full((200, 240), 255, np.uint8)), "covers the whole picture"),
        (b"not a picture", "not a picture"),
        (b"", "no bytes"),
    ],
)
def test_a_mask_that_cannot_be_used_has_a_sentence(data, message):
    with pytest.raises(PictureError, match=message):
        check_area(data, picture=SIZE, **LIMITS)


def test_an_answer_of_another_ratio_is_not_merged():
    with pytest.raises(PictureError, match="another ratio"):
        merge_area_files(
            as_file(textured(1)),
            as_file(textured(2, Size(200, 200))),
            area=as_file(mask_of()),
            mark=MODEL,
            **LIMITS,
        )


def test_a_result_above_the_limit_becomes_a_jpeg_or_is_refused():
    rng = np.random.default_rng(5)
    noise = [rng.integers(0, 256, (SIZE.height, SIZE.width, 3), np.uint8) for _each in range(2)]
    parent, answer = (saved(Image.fromarray(each), "JPEG", quality=10) for each in noise)

    def merged(most):
        return merge_area_files(
            parent, answer, area=as_file(mask_of()), mark=MODEL, **{**LIMITS, "max_bytes": most}
        )

    lossless = len(merged(LIMITS["max_bytes"]).data)
    smaller = merged(lossless - 1)
    assert smaller.mime_type == "image/jpeg" and read_mark(smaller.data) == MODEL
    with pytest.raises(PictureTooLarge, match="more than"):
        merged(len(smaller.data) - 1)


def test_an_area_touches_a_product_with_its_merged_edge():
    feather = feather_of(SIZE)
    near = mask_of(Rect(BOX.right + feather - 2, 50, 40, 40))
    far = mask_of(Rect(BOX.right + feather + 1, 50, 40, 40))
    assert touches(near, mask_of()) and not touches(far, mask_of())
