"""One score for how far a member of a series is from its anchor, and the reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nb_catalog.core.text import message
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.drift.look import Look
from nb_catalog.imaging.drift.parts import background_parts

# The name by which the translators' tools find texts.
_ = message

DRIFT_CHECK: Final = "drift"
"""The check of a picture that holds how far it is from its series' anchor."""
SAME_RATIO: Final = 0.02
"""By how much two frames may differ in their ratio of width to height."""

# Calibrated on renders of eight scenes and eleven products, measured on eight others: docs/series-drift.md.
TOLERANCES: Final[Mapping[str, float]] = {
    "light": 0.13,
    "cast": 1.9,
    "hue": 1.2,
    "tones": 1.0,
    "layout": 1.5,
    "tilt": 1.2,
    "line": 0.012,
    "wall": 0.40,
    "ground": 0.35,
    "grain": 0.85,
    "height": 0.016,
    "centre": 0.012,
    "baseline": 0.012,
}
"""By how much a part may differ within one look; see ``parts.background_parts`` for units. The product's
``height``, ``centre`` and ``baseline`` are shares of the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a picture is from the anchor of its series.

    ``parts`` holds each part in units of its tolerance, the largest first; ``score`` is that one: up to 1
    is within the look. If nothing can be compared, ``score`` is None and ``missing`` a code for
    ``describe_missing``.
    """

    score: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    missing: str = ""

    @property
    def worst(self) -> str:
        """The part that explains the score; "" without one."""
        return next(iter(self.parts), "")

    @property
    def is_outlier(self) -> bool:
        return self.score is not None and self.score > 1

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a picture's checks."""
        if self.score is None:
            return {"missing": self.missing}
        rounded = {name: round(units, 2) for name, units in self.parts.items()}
        return {"score": round(self.score, 2), "worst": self.worst, "parts": rounded}


def measure_drift(anchor: Look, member: Look, *, expected: Box | None = None) -> Drift:
    """Compare the background of two pictures, and the product of ``member`` with its ``expected`` box.

    Without an ``expected`` box, nothing is said about the product's size and place. The pictures may have
    different sizes, but not different ratios.
    """
    ratio = (anchor.size.width * member.size.height) / (anchor.size.height * member.size.width)
    if abs(ratio - 1) > SAME_RATIO:
        return Drift(score=None, missing="ratio")
    differences = background_parts(anchor, member)
    if differences is None:
        return Drift(score=None, missing="covered")
    if expected is not None:
        box = member.product
        differences |= {
            "height": box.height - expected.height,
            "centre": box.centre - expected.centre,
            "baseline": box.bottom - expected.bottom,
        }
    units = {name: abs(value) / TOLERANCES[name] for name, value in differences.items()}
    parts = dict(sorted(units.items(), key=lambda each: -each[1]))
    return Drift(score=max(parts.values()), parts=parts)


def describe_part(part: str) -> str:
    """Return in a sentence what differs from the anchor."""
    return {
        "light": _("The picture is brighter or darker."),
        "cast": _("The colours are warmer, cooler or tinted."),
        "hue": _("The colours have another hue."),
        "tones": _("The contrast differs."),
        "layout": _("Light and colours of the background are elsewhere."),
        "tilt": _("The light differs."),
        "line": _("The line between wall and ground is higher or lower."),
        "wall": _("The wall is sharper or softer."),
        "ground": _("The ground is sharper or softer."),
        "grain": _("The grain is stronger or weaker."),
        "height": _("The product is larger or smaller."),
        "centre": _("The product is further left or right."),
        "baseline": _("The product is higher or lower."),
    }.get(part, _("The picture differs."))


def describe_missing(code: str) -> str:
    """Return in a sentence why a picture was not compared with the anchor."""
    return {
        "ratio": _("The anchor has another aspect ratio."),
        "covered": _("The products leave too little of the background to compare."),
        "too_small": _("The picture is too small to compare."),
        "product": _("It is not certain where the product is in the picture."),
        "anchor_product": _("It is not certain where the product is in the anchor."),
        "anchor": _("The anchor's file cannot be read."),
    }.get(code, _("It cannot be compared."))
