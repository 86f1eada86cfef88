"""Photos of places as scenes: check one, propose where the product goes, and attach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.types import Size
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.imaging.scenery.backdrop_estimate import Proposal, propose
from nb_catalog.models import Scene

FOLDER: Final = "backdrops"
SMALLEST: Final = 480
"""Pixels of the shorter side: a smaller photo is not good for the smallest picture."""
# Pixels of the longer side at which a photo is looked at.
SIDE: Final = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePhoto:
    """A photo of a place that is good for a scene, and what is proposed for it.

    ``origin`` is the mark in the file, "" without one.
    """

    data: bytes = field(repr=False)
    mime_type: str
    size: Size
    origin: str
    proposal: Proposal

    @property
    def sha256(self) -> str:
        """The hash of the file, in hex."""
        return sha256(self.data).hexdigest()

    @property
    def message(self) -> str:
        """What was found in the photo, and what to do, as a sentence."""
        if self.proposal.has_ground:
            return _(
                "The ground ends at %(share)s of the photo's height, it seems. Drag the line and the "
                "product to where they belong."
            ) % {"share": f"{self.proposal.place.ground:.0%}"}
        return _(
            "No ground was found in the photo: products hang on what it shows. If it shows a table or a "
            "floor, choose “stands on the ground” and drag the line; if it was taken from above, choose "
            "“lies, seen from above”."
        )


def inspect(data: bytes) -> ScenePhoto:
    """Return ``data`` as a photo of a place.

    Raises ``PictureError`` if it does not open, and ``RequestRefused`` if it is too small."""
    limits = picture_limits()
    facts = examine(data, **limits)
    if min(facts.width, facts.height) < SMALLEST:
        raise RequestRefused(
            _(
                "The photo has %(width)s × %(height)s pixels. Upload one of at least %(least)s × %(least)s."
            )
            % {"width": facts.width, "height": facts.height, "least": SMALLEST}
        )
    return ScenePhoto(
        data=data,
        mime_type=facts.mime_type,
        size=Size(facts.width, facts.height),
        origin=str(read_mark(data) or ""),
        proposal=propose(open_photo(data, longest_side=SIDE, **limits)),
    )


def attach(scene: Scene, photo: ScenePhoto, *, drawn_by_model: bool = False) -> None:
    """Store ``photo`` and set the fields of ``scene``, which is not saved. Raises ``StorageFailed``.

    The file is stored as it is. The one that it replaces stays. ``drawn_by_model`` is what a person
    knows of a file without a mark; a mark that says so itself is not taken back.
    """
    stored = storage.store(photo.data, folder=FOLDER, mime_type=photo.mime_type)
    scene.backdrop = stored.name
    scene.backdrop_sha256 = stored.sha256
    scene.backdrop_width, scene.backdrop_height = photo.size
    scene.backdrop_origin = photo.origin
    scene.backdrop_place = photo.proposal.place.as_dict()
    declare_origin(scene, drawn_by_model=drawn_by_model)


def declare_origin(scene: Scene, *, drawn_by_model: bool) -> None:
    """Record whether a model drew the photo of ``scene``, unless its own mark says so already."""
    marked = read_mark(storage.read(str(scene.backdrop)))
    if marked is not None and marked.made_with_ai:
        scene.backdrop_origin = marked.value
    elif drawn_by_model:
        scene.backdrop_origin = DigitalSourceType.MODEL.value
    else:
        scene.backdrop_origin = marked.value if marked else ""


def detach(scene: Scene) -> None:
    """Take the photo from ``scene``, which is not saved. Its file stays, for pictures made with it."""
    scene.backdrop = ""
    scene.backdrop_sha256 = ""
    scene.backdrop_width = scene.backdrop_height = 0
    scene.backdrop_origin = ""
    scene.backdrop_place = {}
