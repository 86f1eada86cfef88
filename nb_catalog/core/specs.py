"""The frozen, complete specification of one picture, and its fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, Final, Self

from nb_catalog.core.types import Treatment

# Part of every fingerprint: incremented when the same spec would lead to a different picture.
EDITION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """One picture to generate.

    ``prompt`` is the background prompt exactly as it will be sent, and empty for a provider that
    renders; ``renderer`` holds the scene's options for such a provider, and is empty for a model. So a
    changed title makes a painted picture stale but not a rendered one. ``pose`` is how the host says
    the product rests, for a locked picture; "" leaves it to the photo.

    Text typeset on a picture: ``base`` is the sha256 of the picture below the text, and ``photo`` its
    file; ``renderer`` holds the layout and every text. ``deck`` is the copy deck of the texts, "" if
    they come from the host's catalog source.

    Text painted by a model: ``prompt`` contains all texts, ``base`` is the picture without text that
    they are for, and ``canvas`` the file that the model edits: that picture, or for a locked product
    its background; with "" the model paints a new background. ``photo`` is the product's own.
    """

    object_type: str
    object_id: str
    photo: str
    scene: str
    scene_version: int
    treatment: str
    ratio: str
    size: str
    provider: str
    model: str
    variant: int = 1
    photo_version: str = ""
    prompt: str = field(default="", repr=False)
    system: str = field(default="", repr=False)
    renderer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    thinking: str = ""
    pose: str = ""
    base: str = ""
    layout: str = ""
    layout_version: int = 0
    locale: str = ""
    deck: str = ""
    deck_version: int = 0
    canvas: str = ""

    @property
    def fingerprint(self) -> str:
        """sha256 over everything that determines what the picture looks like (64 hex digits).

        Versions are left out: a scene saved without a change to its prompt or renderer options still
        describes the same picture, and so does a deck with a change that this picture does not show.
        """
        content = {name: getattr(self, name) for name in _FINGERPRINTED}
        if self.base:
            content |= {name: getattr(self, name) for name in _OF_TEXT}
        return _digest(EDITION, content)

    @property
    def request_hash(self) -> str:
        """sha256 over what was requested, without how it would be made today (64 hex digits).

        An image with the same hash and a different fingerprint is stale.
        """
        text_fields = (
            [self.layout, self.locale, *([self.deck] if self.deck else [])] if self.base else []
        )
        return _digest([*(getattr(self, name) for name in _REQUEST), *text_fields])

    @property
    def sets_text(self) -> bool:
        """Whether text is typeset on an existing picture."""
        return bool(self.base) and not self.prompt

    @property
    def paints_text(self) -> bool:
        """Whether a model paints text into the picture."""
        return bool(self.base) and bool(self.prompt)

    @property
    def locked(self) -> bool:
        return self.treatment == Treatment.LOCKED

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        # dataclasses.asdict() copies the renderer's tree, which takes four times as long as the rest.
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: data[name] for name in _FIELDS if name in data})


_FIELDS: Final = tuple(each.name for each in fields(ImageSpec))
# Only pictures with text have these, so that pictures made before text existed keep their fingerprint.
_OF_TEXT: Final = ("base", "layout", "locale")
# A deck's texts are in the renderer: the same texts from another deck make the same picture. The canvas
# follows from the base.
_ALWAYS_WRITTEN: Final = ("scene_version", "layout_version", "deck", "deck_version", "canvas")
_FINGERPRINTED: Final = tuple(name for name in _FIELDS if name not in {*_OF_TEXT, *_ALWAYS_WRITTEN})
_REQUEST: Final = (
    "object_type", "object_id", "scene", "treatment", "ratio", "size", "provider", "model", "variant",
)  # fmt: skip


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
