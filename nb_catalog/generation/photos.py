"""The photos that a plan stands on, read before anything is started or paid for."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, Final, TypeVar

from django.utils.translation import gettext as _

from nb_catalog.conf import picture_limits
from nb_catalog.core.types import Photo, Size
from nb_catalog.exceptions import PictureError, PictureMissing, StorageFailed
from nb_catalog.imaging.compose import largest_size
from nb_catalog.imaging.inspect import Facts, check_photo
from nb_catalog.imaging.own_photo import picture_size
from nb_catalog.registry import read_photo

T = TypeVar("T")

SECONDS: Final = 2.0
"""Time that one plan spends on photos that it has not seen before. The worker finds what is left."""
MOST_KEPT: Final = 20_000

# What was found out about photos, the latest last. Those with errors are read again: they get replaced.
_known: OrderedDict[tuple[Photo, int, str], Any] = OrderedDict()
_lock = Lock()


class PhotoReader:
    """Reads photos, each version once in a process, until ``seconds`` are used up (default: ``SECONDS``)."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds_left = SECONDS if seconds is None else seconds

    def check(self, photo: Photo) -> Facts | None:
        """Return what ``photo`` is; None if there is no time to find out, or if it cannot be read now.

        Raises ``PictureError`` if no picture can be made from it.
        """
        return self._find(photo, "check", check_photo, passes_over=(PictureMissing, StorageFailed))

    def picture_size(self, photo: Photo, *, ratio: str) -> Size | None:
        """Return the size in pixels of ``photo`` itself as a picture in ``ratio``; None if there is no time
        to find out, or if its storage does not respond.

        Raises ``PictureError`` if there can be no such picture.
        """
        find = partial(picture_size, ratio=ratio)
        return self._find(photo, f"size {ratio}", find, passes_over=(StorageFailed,))

    def _find(
        self,
        photo: Photo,
        question: str,
        find: Callable[..., T],
        *,
        passes_over: tuple[type[Exception], ...],
    ) -> T | None:
        key = photo, id(photo.file.storage) if photo.file is not None else 0, question
        with _lock:
            if key in _known:
                _known.move_to_end(key)
                kept: T = _known[key]
                return kept
        if self.seconds_left <= 0:
            return None
        began = time.monotonic()
        try:
            data = read_photo(photo)
        except passes_over:
            # It may be there again when the picture is made.
            return None
        else:
            found = find(data, **picture_limits())
        finally:
            self.seconds_left -= time.monotonic() - began
        with _lock:
            _known[key] = found
            while len(_known) > MOST_KEPT:
                _known.popitem(last=False)
        return found


def size_warning(photo: Photo, *, requested: Size) -> str:
    """Return what becomes of a picture of ``requested`` pixels with ``photo``; "" if nothing is lost.

    Only the photo's size is known, so this is the best case: a product that takes half of its photo
    makes a smaller picture still. A photo that cannot be read is the matter of other messages.
    """
    try:
        # Known, if there was time for it: a plan checks its photos first.
        facts = PhotoReader(0).check(photo)
    except PictureError:
        return ""
    if facts is None:
        return ""
    fitted = largest_size(Size(facts.width, facts.height), requested=requested)
    sizes = {
        "requested": f"{requested.width} × {requested.height}",
        "made": f"{fitted.size.width} × {fitted.size.height}",
    }
    if fitted.is_soft:
        return _(
            "The product's photo is very small. The picture gets %(made)s pixels, for which the photo is "
            "enlarged at least %(times)s times, and looks soft."
        ) % {**sizes, "times": f"{fitted.enlargement:.1f}"}
    if fitted.is_reduced:
        return (
            _(
                "The product's photo is too small for %(requested)s pixels. The picture gets "
                "%(made)s at most."
            )
            % sizes
        )
    return ""
