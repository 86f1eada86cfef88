"""Cut-outs of the host's photos: made once per version of a photo, looked at, corrected, used again."""

from nb_catalog.cutouts.decisions import (
    confirm,
    cut_again,
    mark_unusable,
    replace_mask,
    set_kind,
    undo,
)
from nb_catalog.cutouts.finding import FoundCutout, find_cutout
from nb_catalog.cutouts.records import StoredCutout, record, stored_cutouts
from nb_catalog.cutouts.requests import make_cutouts, request_cutouts

__all__ = [
    "FoundCutout",
    "StoredCutout",
    "confirm",
    "cut_again",
    "find_cutout",
    "make_cutouts",
    "mark_unusable",
    "record",
    "replace_mask",
    "request_cutouts",
    "set_kind",
    "stored_cutouts",
    "undo",
]
