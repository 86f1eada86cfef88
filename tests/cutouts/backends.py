"""A cut-out backend whose results tests decide."""

from typing import ClassVar

import numpy as np

from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import CutoutBackend, FoundMask

PATH = f"{__name__}.CountingCutout"


class CountingCutout(CutoutBackend):
    """Takes everything that is not nearly white for the product, and counts the photos it has seen.

    ``reasons`` makes it doubt, ``refusal`` makes it refuse.
    """

    seen: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, *, reasons=(), refusal="", maker="counting/1"):
        self.reasons, self.refusal, self.maker = tuple(reasons), refusal, maker

    def find_mask(self, view):
        self.seen.append(view.size)
        if self.refusal:
            raise CutoutRefused(self.refusal)
        alpha = (np.asarray(view.convert("L")) < 250).astype(np.uint8) * 255
        return FoundMask(
            alpha=alpha, method="network", maker=self.maker, score=0.5, reasons=self.reasons,
            is_plain=True,
        )  # fmt: skip


def counting(**options):
    """The setting ``CUTOUT`` for this backend."""
    return {"BACKEND": PATH, "OPTIONS": options}
