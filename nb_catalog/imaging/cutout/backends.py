"""The cut-out backends of this package, and the one that the settings name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.backends import build_backend
from nb_catalog.imaging.cutout.base import CutoutBackend
from nb_catalog.imaging.cutout.classical import ClassicalCutout
from nb_catalog.imaging.cutout.learned import NetworkCutout

__all__ = ["ClassicalCutout", "CutoutBackend", "NetworkCutout", "backend_for"]

_built: Final[dict[tuple[str, str], CutoutBackend]] = {}
_lock: Final = Lock()


def backend_for(entry: Mapping[str, Any] | None = None, *, path: str = "") -> CutoutBackend:
    """Return the backend of ``entry``, ``{"BACKEND": a dotted path, "OPTIONS": {...}}``; by default that
    of ``NB_CATALOG["CUTOUT"]``.

    Each is built once in a process, because a network takes a second to open and hundreds of
    megabytes. Errors quote ``path``, where ``entry`` is written. Raises ``InvalidSettings``.
    """
    if entry is None:
        entry, path = settings.CUTOUT, setting_path("CUTOUT")
    # Options are plain data; of what is not, the text says whether it is the same.
    key = (
        entry.get("BACKEND", ""),
        json.dumps(entry.get("OPTIONS", {}), sort_keys=True, default=repr),
    )
    with _lock:
        if key not in _built:
            # mypy wants a concrete class where a type is passed.
            _built[key] = build_backend(entry, kind=CutoutBackend, path=path)  # type: ignore[type-abstract]
        return _built[key]
