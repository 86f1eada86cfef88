"""What the comparison of a product with its picture found, as it is stored with the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self, TypeAlias

Polygon: TypeAlias = tuple[tuple[float, float], ...]
"""Corners in shares of the picture's width and height, from its upper left."""

FIDELITY_CHECK: Final = "fidelity"
"""The entry in a picture's checks."""
MODEL_COMPARISON_CHECK: Final = "comparison_by_model"
"""What a model said on request; it stands beside the comparison made here."""
BORDER: Final = 0.5
"""The score of a picture one of whose measures is exactly at its threshold."""
NOT_FOUND: Final = "not_found"
TWICE: Final = "twice"
WORDS: Final = "words"
MANY_COLOURS: Final = "many_colours"
"""Left out: the product has no main colour that another one could replace."""
BUNDLE: Final = "bundle"
"""Left out: the picture shows several products, each with a photo of its own."""
# The reason for which a measure beyond its threshold stands.
REASON_OF: Final[Mapping[str, str]] = {
    "lost_detail": "detail",
    "weak_detail": "detail",
    "lost_place": "detail",
    "shape": "shape",
    "difference": "colour",
    "chroma": "colour",
    "hue": "colour",
    "blob": "part",
    "outline": "outline",
    "cut_off": "cut_off",
    "asked": "other_colour",
    "kept": "old_colour",
}


# How many times its threshold a measure may be where a product was to get another colour: the old one is put
# back by calculation, and a dark colour keeps less of the texture of a light one. docs/fidelity.md says how
# these were chosen.
OF_RECOLOURED: Final[Mapping[str, float]] = {
    "lost_detail": 2.5, "weak_detail": 2.5, "lost_place": 2.5, "difference": 1.1, "chroma": 1.2, "hue": 1.3,
    "blob": 2.4,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How well a picture kept the product.

    ``score`` is from 0 to 1, below ``BORDER`` if a measure is beyond its threshold; None if nothing was
    judged. ``reasons`` are codes of ``reasons.describe_reason``: why a person should look at the product,
    the gravest first; ``left_out`` are codes of what was not judged, and why. ``measures`` are in the units
    of the thresholds. ``regions`` are polygons around what changed. ``gone`` are words that the photo shows
    and the picture does not, ``added`` those that only the picture shows.
    """

    score: float | None
    reasons: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    regions: tuple[Polygon, ...] = ()
    gone: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether a person should compare the product with its photo."""
        return bool(self.reasons)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        regions = [[list(corner) for corner in polygon] for polygon in self.regions]
        lists = {
            name: list(getattr(self, name)) for name in ("reasons", "left_out", "gone", "added")
        }
        return {**asdict(self), **lists, "regions": regions}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        regions = tuple(
            tuple((float(x), float(y)) for x, y in polygon) for polygon in data.get("regions", ())
        )
        lists = {
            name: tuple(data.get(name, ())) for name in ("reasons", "left_out", "gone", "added")
        }
        return cls(
            score=data["score"], measures=dict(data.get("measures", {})), regions=regions, **lists
        )


def fidelity_in(checks: Mapping[str, Any]) -> Fidelity | None:
    """Return what is stored in a picture's ``checks``; None if its product was not compared."""
    found = checks.get(FIDELITY_CHECK)
    return None if found is None else Fidelity.from_dict(found)


def for_recoloured(thresholds: Mapping[str, float]) -> dict[str, float]:
    """Return ``thresholds`` as they are for a product that was to get another colour."""
    return {name: value * OF_RECOLOURED.get(name, 1) for name, value in thresholds.items()}


def judge(
    measures: Mapping[str, float], thresholds: Mapping[str, float]
) -> tuple[float, tuple[str, ...]]:
    """Return the score of ``measures`` and the reasons that they give, the gravest first.

    The score is 1 / (1 + worst), where worst is the largest measure in units of its threshold.
    """
    shares = {name: value / thresholds[name] for name, value in measures.items()}
    ordered = sorted(shares, key=lambda name: -shares[name])
    beyond = [REASON_OF[name] for name in ordered if shares[name] > 1]
    worst = max(shares.values(), default=0.0)
    return round(1 / (1 + worst), 4), tuple(dict.fromkeys(beyond))
