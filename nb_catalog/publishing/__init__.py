"""Publishing approved pictures: placements, renditions, staleness, alternative texts."""

from nb_catalog.publishing.alt_text import discard_alt_texts, propose_alt_texts, set_alt_texts
from nb_catalog.publishing.placements import publish, roll_back, withdraw
from nb_catalog.publishing.staleness import RefreshResult, mark_stale, refresh, scan_placements

__all__ = [
    "RefreshResult",
    "discard_alt_texts",
    "mark_stale",
    "propose_alt_texts",
    "publish",
    "refresh",
    "roll_back",
    "scan_placements",
    "set_alt_texts",
    "withdraw",
]
