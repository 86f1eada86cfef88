"""Finds the product in a photo and stores its mask as a file. Touches no table: any thread may call it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.text import message as _
from nb_catalog.exceptions import CutoutRefused, InvalidSettings, StorageFailed
from nb_catalog.imaging.cutout import CutoutBackend, find_mask
from nb_catalog.imaging.cutout.backends import backend_for
from nb_catalog.imaging.cutout.kinds import suggest_kind
from nb_catalog.imaging.cutout.mask_files import save_mask
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.locked import FIRST_SIDE
from nb_catalog.registry import CatalogSource

logger = logging.getLogger(__name__)

# Results that are kept in memory: jobs of one photo follow each other, and begin before the first result
# is in the database.
MOST_KEPT: Final = 64
# By the first hexadecimal digit of the photo's hash: two jobs of one photo do not cut it out twice.
_locks: Final = {f"{number:x}": Lock() for number in range(16)}
_found: OrderedDict[tuple[str, str], FoundCutout] = OrderedDict()
_found_lock: Final = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCutout:
    """What a backend found in a photo. ``mask`` is the name of the stored file; it is "" if there is none,
    and ``problem`` then says why, or ``method`` is "alpha". Sizes are pixels of the photo as it was seen.
    ``is_stored`` is False if the storage did not take the mask: it is found again the next time."""

    photo_sha256: str
    width: int
    height: int
    mask: str = ""
    mask_sha256: str = ""
    method: str = ""
    maker: str = ""
    score: float | None = None
    reasons: tuple[str, ...] = ()
    problem: str = ""
    suggested_kind: str = ""
    is_stored: bool = True


def backend_of(source: CatalogSource) -> CutoutBackend:
    """Return the backend that cuts out the photos of ``source``. Raises ``InvalidSettings``."""
    return backend_for(source.cutout, path=f"{type(source).__name__}.cutout")


def find_cutout(photo: bytes, *, source: CatalogSource) -> FoundCutout:
    """Cut out ``photo``, a file, and store the mask. A photo that cannot be cut out has a ``problem``.

    Raises ``PictureError`` for a file that is not a sound picture, ``InvalidSettings`` if the backend
    cannot be used.
    """
    backend = backend_of(source)
    digest = sha256(photo).hexdigest()
    key = digest, f"{id(backend)}"
    with _locks[digest[0]]:
        with _found_lock:
            if key in _found:
                _found.move_to_end(key)
                return _found[key]
        found = _find(photo, digest=digest, backend=backend)
        if not (found.is_stored and found.photo_sha256):
            return found
        with _found_lock:
            _found[key] = found
            while len(_found) > MOST_KEPT:
                _found.popitem(last=False)
    return found


def forget(photo_sha256: str) -> None:
    """Cut the photo out again at the next occasion."""
    with _found_lock:
        for key in [key for key in _found if key[0] == photo_sha256]:
            del _found[key]


def _find(photo: bytes, *, digest: str, backend: CutoutBackend) -> FoundCutout:
    view = open_photo(photo, longest_side=FIRST_SIDE, **picture_limits())
    known: Mapping[str, Any] = {
        "photo_sha256": digest, "width": view.width, "height": view.height
    }  # fmt: skip
    try:
        found = find_mask(view, backend=backend)
    except CutoutRefused as refusal:
        suggestion = suggest_kind(view, None)
        return FoundCutout(**known, problem=str(refusal), suggested_kind=suggestion.kind)
    except InvalidSettings:
        raise
    except Exception as error:  # noqa: BLE001 - a backend is a plug-in and may raise anything
        logger.exception("The backend %s broke on a photo.", type(backend).__name__)
        problem = _(
            "The code that cuts photos out broke with %(error)s. Have the photo cut out again."
        )
        # Without the photo's hash: jobs that are planned already try again.
        return FoundCutout(
            **{**known, "photo_sha256": ""}, problem=problem % {"error": type(error).__name__}
        )
    kind = suggest_kind(view, found).kind
    stored, is_stored = None, True
    if found.method != "alpha":
        try:
            stored = storage.store(save_mask(found.alpha), folder="masks", mime_type="image/png")
        except StorageFailed as error:
            # The picture that needs it has a storage to wait for as well, and says so.
            logger.warning("A mask could not be stored: %s", error)
            is_stored = False
    return FoundCutout(
        **known,
        is_stored=is_stored,
        mask=stored.name if stored else "",
        mask_sha256=stored.sha256 if stored else "",
        method=found.method,
        maker=found.maker,
        score=found.score,
        reasons=found.reasons,
        suggested_kind=kind,
    )
