"""Publishing approved pictures: placements, renditions, staleness, alternative texts; own photos."""

from nb_catalog.publishing.alt_text import (
    discard_alt_texts,
    request_alt_texts,
    set_alt_texts,
)
from nb_catalog.publishing.due_publications import work_on_publications
from nb_catalog.publishing.finals import FinalPublication, publish_final
from nb_catalog.publishing.photos import make_photo_renditions, request_photo_renditions
from nb_catalog.publishing.placements import publish, roll_back, withdraw
from nb_catalog.publishing.publications import request_publication
from nb_catalog.publishing.series import publish_series, roll_back_series
from nb_catalog.publishing.staleness import RefreshResult, mark_stale, refresh, scan_placements

__all__ = [
    "FinalPublication",
    "RefreshResult",
    "discard_alt_texts",
    "make_photo_renditions",
    "mark_stale",
    "request_alt_texts",
    "publish",
    "publish_final",
    "publish_series",
    "refresh",
    "request_photo_renditions",
    "request_publication",
    "roll_back",
    "roll_back_series",
    "scan_placements",
    "set_alt_texts",
    "withdraw",
    "work_on_publications",
]
