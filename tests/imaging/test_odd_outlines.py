"""Glass, wire, several pieces: whatever the outline, no crash and a sensible shadow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nb_catalog.core.types import Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.cutout import CropBox, Cutout
from tests.imaging.composing import (
    GREY,
    block,
    compose_on,
    darkening,
    scene,
)


def outlines():
    """What cut-outs of glass, wire and several pieces look like: (name, alpha)."""
    empty = np.zeros((300, 200), np.uint8)
    for opacity in (10, 60, 110):
        glass = empty.copy()
        glass[20:180, 40:160], glass[180:280, 95:105], glass[270:280, 60:140] = (
            255,
            opacity,
            opacity,
        )
        yield f"a foot of glass, {opacity}", glass
    for opacity in (4, 40, 120):
        yield (
            f"all of glass, {opacity}",
            np.where(np.add.outer(np.arange(300), np.arange(200)) > 90, opacity, 0).astype(
                np.uint8
            ),
        )
    for name, part in (
        ("a needle", np.s_[20:280, 100]), ("a bar", np.s_[150, 20:180]), ("a dot", np.s_[150, 100]),
        ("the whole frame", np.s_[:, :]), ("out of the frame", np.s_[:200, :120]),
    ):  # fmt: skip
        alpha = empty.copy()
        alpha[part] = 255
        yield name, alpha
    pieces = empty.copy()
    pieces[20:90, 20:60], pieces[200:290, 120:190] = 255, 255
    yield "two pieces", pieces
    hanging = empty.copy()
    hanging[20:120, 30:170], hanging[120:290, 99] = 255, 255
    yield "a weight on a thread", hanging
    slanted = empty.copy()
    np.fill_diagonal(slanted, 255)
    yield "a slanted wire", slanted


OUTLINES = dict(outlines())


@pytest.mark.exhaustive(every=6)
@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("pose", [None, "standing", "lying"])
@pytest.mark.parametrize("key", ["marble", "pastel-podium"])
def test_whatever_the_outline_there_is_a_shadow_at_its_foot(name, pose, key):
    alpha = OUTLINES[name]
    grey = np.full((*alpha.shape, 3), 120, np.uint8)
    whole = Cutout(
        pixels=np.dstack([grey, alpha]), box=CropBox(0, 0, 200, 300), photo_size=Size(200, 300),
        method="a host's own",
    )  # fmt: skip
    backdrop = scene(key, seed=2)
    made = composing.compose(whole, backdrop, pose=pose)
    at = made.product
    assert 0 <= at.left < at.right <= 400
    assert 0 <= at.top < at.bottom <= 400
    foot = (slice(at.bottom - 6, at.bottom + 8), slice(max(0, at.left - 8), at.right + 8))
    dark = darkening(backdrop.pixels, made.pixels)[foot]
    assert dark.max() > (12 if pose == "standing" else 0)


def test_a_product_of_which_nothing_is_visible_is_refused():
    with pytest.raises(CutoutRefused, match="shows nothing"):
        compose_on(replace(block(), pixels=np.zeros((20, 20, 4), np.uint8)), GREY)
