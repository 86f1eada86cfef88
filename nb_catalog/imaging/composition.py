"""Composition: whether the final of a draft shows the same arrangement, whatever its light, colours and
detail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.core.text import message
from nb_catalog.core.types import Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.canvas import Pixels

# The name by which the translators' tools find texts.
_ = message

Map: TypeAlias = npt.NDArray[np.float32]

COMPOSITION_CHECK: Final = "composition"
"""The check of a final that holds how far its composition is from that of its draft."""
SIDE: Final = 256
"""Pixels a side at which a picture is examined, whatever its size and ratio."""
CELLS: Final = 32
"""Cells a side of the map of light."""
EDGE_CELLS, DIRECTIONS = 16, 8
"""Cells a side of the map of edges, and directions of edges that are told apart."""
MOST_CONTRAST: Final = 60.0
"""Of an edge, in L*: a black outline must not outweigh everything else."""
FLAT: Final = 1e-3
"""Deviation in L* below which a picture shows nothing that could be compared."""
SAME_RATIO: Final = 0.03
"""By how much two frames may differ in their ratio of width to height: models miss it by a few percent."""

# Chosen on renders of eight scenes and eleven products, measured on eight and eleven others:
# docs/escalation.md.
TOLERANCES: Final[Mapping[str, float]] = {"place": 0.14, "light": 0.10, "edges": 0.04}
"""By how much each similarity, of 1 for equal pictures, may fall short within one composition: overlap of the
products' boxes, correlation of the lightness, and cosine of the directions of edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What a comparison needs of one picture: 12 kB, whatever its size.

    ``light`` is L* (CELLS, CELLS), ``edges`` the strength of edges by direction (EDGE_CELLS, EDGE_CELLS,
    DIRECTIONS). ``product`` is None if it is not known where the product is.
    """

    size: Size
    light: Map = field(repr=False)
    edges: Map = field(repr=False)
    product: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionChange:
    """How far the composition of a final is from that of its draft.

    ``parts`` holds each part in units of its tolerance, the largest first; ``score`` is that one: up to 1
    the composition is the same. The part "place" is missing if it is not known where the product is in both.
    If nothing can be compared, ``score`` is None and ``missing`` a code for ``describe_missing``.
    """

    score: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    missing: str = ""

    @property
    def worst(self) -> str:
        """The part that explains the score; "" without one."""
        return next(iter(self.parts), "")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a picture's checks."""
        if self.score is None:
            return {"missing": self.missing}
        rounded = {name: round(units, 2) for name, units in self.parts.items()}
        return {"score": round(self.score, 2), "worst": self.worst, "parts": rounded}


def take_sketch(pixels: Pixels, *, product: Box | None = None) -> Sketch:
    """Return the sketch of a picture, (H, W, 3) sRGB uint8."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2LAB)
    lightness = cv2.GaussianBlur(np.ascontiguousarray(lab[..., 0]), (0, 0), 1)
    across, down = (cv2.Sobel(lightness, cv2.CV_32F, *step) for step in ((1, 0), (0, 1)))
    strength = np.minimum(np.hypot(across, down), MOST_CONTRAST)
    # A direction, not a gradient: an edge stays one if what is dark and what is bright change sides.
    angle = np.arctan2(down, across) % np.pi / np.pi * DIRECTIONS
    # Each edge counts in the two directions nearest to it: upright ones would jump between two otherwise.
    away = [np.abs(angle - each) for each in range(DIRECTIONS)]
    shares = (np.maximum(0, 1 - np.minimum(each, DIRECTIONS - each)) for each in away)
    edges = np.stack(
        [
            cv2.resize(strength * share, (EDGE_CELLS, EDGE_CELLS), interpolation=cv2.INTER_AREA)
            for share in shares
        ],
        axis=-1,
    )
    return Sketch(
        size=Size(pixels.shape[1], pixels.shape[0]),
        light=_map(cv2.resize(lab[..., 0], (CELLS, CELLS), interpolation=cv2.INTER_AREA)),
        # Between cells, so that an edge on a border of two does not jump.
        edges=_map(cv2.GaussianBlur(edges, (0, 0), 0.7)),
        product=product,
    )


def sketch_of_file(
    picture: bytes, *, product: Box | None = None, max_bytes: int, max_pixels: int
) -> Sketch:
    """Return the sketch of a picture file. Raises ``PictureError``."""
    opened = open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels).convert("RGB")
    return take_sketch(np.asarray(opened), product=product)


def compare_composition(draft: Sketch, final: Sketch) -> CompositionChange:
    """Compare two pictures of one product, which may have different sizes, but not different ratios."""
    ratio = (draft.size.width * final.size.height) / (draft.size.height * final.size.width)
    if abs(ratio - 1) > SAME_RATIO:
        return CompositionChange(score=None, missing="ratio")
    if min(float(each.light.std()) for each in (draft, final)) < FLAT:
        return CompositionChange(score=None, missing="flat")
    lengths = float(np.linalg.norm(draft.edges) * np.linalg.norm(final.edges))
    similarity = {
        "light": float(np.corrcoef(draft.light.ravel(), final.light.ravel())[0, 1]),
        # The cosine of the angle between them.
        "edges": float((draft.edges * final.edges).sum()) / lengths if lengths > 0 else 0.0,
    }
    if draft.product is not None and final.product is not None:
        similarity["place"] = overlap(draft.product, final.product)
    units = {name: (1 - share) / TOLERANCES[name] for name, share in similarity.items()}
    parts = dict(sorted(units.items(), key=lambda each: -each[1]))
    return CompositionChange(score=max(0.0, *parts.values()), parts=parts)


def overlap(first: Box, second: Box) -> float:
    """Return the shared area of two boxes as a share of what both cover together (Jaccard, 1901)."""
    wide = min(first.right, second.right) - max(first.left, second.left)
    tall = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(0.0, wide) * max(0.0, tall)
    areas = ((each.right - each.left) * each.height for each in (first, second))
    return shared / max(sum(areas) - shared, 1e-9)


def describe_part(part: str) -> str:
    """Return in a sentence what differs from the draft."""
    return {
        "place": _("The product is larger, smaller or elsewhere."),
        "light": _("Bright and dark areas are elsewhere."),
        "edges": _("The surroundings are arranged differently."),
    }.get(part, _("The picture differs."))


def describe_missing(code: str) -> str:
    """Return in a sentence why a final was not compared with its draft."""
    return {
        "ratio": _("The draft has another aspect ratio."),
        "flat": _("The picture or its draft shows a single colour."),
        "draft": _("The draft's file cannot be read."),
    }.get(code, _("It cannot be compared."))


def _map(values: npt.NDArray[Any]) -> Map:
    return np.asarray(values, np.float32)
