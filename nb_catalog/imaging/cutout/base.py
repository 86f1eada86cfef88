"""The interface of a cut-out backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from django.core.checks import CheckMessage
from PIL import Image

from nb_catalog.imaging.cutout.types import FoundMask


class CutoutBackend(ABC):
    """Finds the product in a photo.

    Its constructor's keyword arguments are its ``OPTIONS``. One object serves all threads of a process,
    so ``find_mask`` must be thread-safe; what takes time or memory is opened at its first use.
    ``maker`` names what finds the masks, and changes whenever a new version would find others.
    """

    maker: str = ""

    @abstractmethod
    def find_mask(self, view: Image.Image) -> FoundMask:
        """Return the product's mask in ``view``, an upright photo in sRGB, "RGB" or "RGBA".

        ``cutout.find_mask`` asks no backend about a photo with a transparent background.

        Raises ``CutoutRefused``, with what a person can do, if there is nothing to show.
        """

    def check(self) -> Sequence[CheckMessage]:
        """Return problems of the configuration, without using the network."""
        return ()

    def describe(self) -> str:
        """Return in a sentence what this backend can cut out."""
        return type(self).__name__
