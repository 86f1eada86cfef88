"""Thresholds fitted to pictures of which people said whether they keep the product. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

FACTORS: Final = tuple(float(each) for each in np.geomspace(1 / 4, 4, 25))
"""By which a threshold may move in one round."""
UNMOVED: Final = len(FACTORS) // 2
"""The index of the factor 1."""
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture. ``group`` names its product: all pictures of one are fitted or held out together.
    ``measures`` is None if the product was not found in it."""

    group: str
    keeps: bool
    measures: Mapping[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How many pictures that keep the product are ``kept``, and how many of the others are ``flagged``."""

    good: int
    kept: int
    damaged: int
    flagged: int

    @property
    def worse(self) -> float:
        """The smaller of the two shares, 0 to 1; a side without pictures does not count."""
        shares = [part / whole for part, whole in self._pairs if whole]
        return min(shares, default=0.0)

    @property
    def total(self) -> float:
        """The sum of the two shares."""
        return sum(part / whole for part, whole in self._pairs if whole)

    @property
    def _pairs(self) -> tuple[tuple[int, int], ...]:
        return (self.kept, self.good), (self.flagged, self.damaged)

    def __add__(self, other: Rates) -> Rates:
        return Rates(
            good=self.good + other.good,
            kept=self.kept + other.kept,
            damaged=self.damaged + other.damaged,
            flagged=self.flagged + other.flagged,
        )


NOTHING: Final = Rates(good=0, kept=0, damaged=0, flagged=0)


def rates_of(samples: Collection[Sample], thresholds: Mapping[str, float]) -> Rates:
    """Return how ``thresholds`` divide ``samples``. A product that is not found is flagged."""
    passes = _passing(samples, thresholds)
    keeps = np.array([sample.keeps for sample in samples], np.bool_)
    return _count(keeps, passes)


def fit(samples: Sequence[Sample], *, start: Mapping[str, float]) -> dict[str, float]:
    """Return thresholds for ``samples``, found from ``start`` by moving one after the other.

    A threshold moves only if that makes the worse of the two rates better, or their sum; then it goes to the
    middle of the best range, where there is most room for pictures that were not seen.
    """
    thresholds = dict(start)
    keeps = np.array([sample.keeps for sample in samples], np.bool_)
    for _round in range(ROUNDS):
        for name in start:
            others = _passing(samples, {key: thresholds[key] for key in start if key != name})
            values = np.array(
                [0.0 if each.measures is None else each.measures.get(name, 0.0) for each in samples]
            )
            rates = [
                _count(keeps, others & (values <= thresholds[name] * factor)) for factor in FACTORS
            ]
            ranks = [(round(each.worse, 9), round(each.total, 9)) for each in rates]
            best = [index for index, rank in enumerate(ranks) if rank == max(ranks)]
            if UNMOVED in best:
                continue
            # The consecutive ones that lie nearest to where the threshold is.
            low = high = min(best, key=lambda index: abs(index - UNMOVED))
            while low - 1 in best:
                low -= 1
            while high + 1 in best:
                high += 1
            thresholds[name] *= float(np.sqrt(FACTORS[low] * FACTORS[high]))
    return {name: float(f"{value:.3g}") for name, value in thresholds.items()}


def cross_validate(
    samples: Sequence[Sample], *, start: Mapping[str, float], parts: int = 4
) -> Iterator[Rates]:
    """Yield the rates on each of ``parts`` of the products with thresholds fitted to the others."""
    groups = sorted({sample.group for sample in samples})
    for part in range(parts):
        held = set(groups[part::parts])
        if not held or len(held) == len(groups):
            continue
        rest = [sample for sample in samples if sample.group not in held]
        fitted = fit(rest, start=start)
        yield rates_of([sample for sample in samples if sample.group in held], fitted)


def _passing(
    samples: Collection[Sample], thresholds: Mapping[str, float]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array(
        [
            sample.measures is not None
            and all(sample.measures.get(name, 0.0) <= most for name, most in thresholds.items())
            for sample in samples
        ],
        np.bool_,
    )


def _count(keeps: np.ndarray, passes: np.ndarray) -> Rates:
    return Rates(
        good=int(keeps.sum()),
        kept=int((keeps & passes).sum()),
        damaged=int((~keeps).sum()),
        flagged=int((~keeps & ~passes).sum()),
    )
