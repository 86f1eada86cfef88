"""A recipe: the frozen, complete description of one wanted picture, and its fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, Final, Self

from nb_catalog.core.types import Treatment

# Part of every fingerprint: raised when the same recipe would be carried out differently.
EDITION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """One wanted picture.

    ``words`` is the brief exactly as it will be sent and is empty for a provider that renders;
    ``renderer`` is the scene's recipe for a provider that renders and is empty for a model.
    So a changed title makes a painted picture stale and leaves a rendered one alone. ``pose``
    is how the host says the product rests, for a locked picture; "" leaves it to the photo.

    Words on a picture: ``base`` is the sha256 of the picture that they are set on, and ``photo`` its
    file; ``renderer`` holds every word, and the layout with them. ``deck`` is the copy deck that they
    are from, "" where the shop itself says them.

    Words that a model paints: ``words`` is the brief with all of them, ``base`` the picture without words
    that they are for, and ``canvas`` the file that the model changes: that picture, or for a locked product
    its surroundings; "" lets it paint surroundings anew. ``photo`` is the product's own.
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
        """sha256 over everything that decides what the picture looks like (64 hex digits).

        The versions are left out: a scene saved without a change to its words or renderer asks for
        the same picture, and so does a deck whose change this picture does not show.
        """
        content = {name: getattr(self, name) for name in _FINGERPRINTED}
        if self.base:
            content |= {name: getattr(self, name) for name in _OF_TEXT}
        return _digest(EDITION, content)

    @property
    def request_hash(self) -> str:
        """sha256 over what was asked for, without how it would be done today (64 hex digits).

        An image with this subject and another fingerprint is stale.
        """
        text_fields = (
            [self.layout, self.locale, *([self.deck] if self.deck else [])] if self.base else []
        )
        return _digest([*(getattr(self, name) for name in _REQUEST), *text_fields])

    @property
    def sets_words(self) -> bool:
        """Whether words are set on a picture that exists."""
        return bool(self.base) and not self.prompt

    @property
    def paints_words(self) -> bool:
        """Whether a model draws words into the picture."""
        return bool(self.base) and bool(self.prompt)

    @property
    def locked(self) -> bool:
        return self.treatment == Treatment.LOCKED

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        # dataclasses.asdict() copies the renderer's tree deeply: four times the cost of the rest.
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: data[name] for name in _FIELDS if name in data})


_FIELDS: Final = tuple(each.name for each in fields(ImageSpec))
# Only pictures with words have these: what was made before there were any keeps its fingerprint.
_OF_TEXT: Final = ("base", "layout", "locale")
# A deck's words are in the renderer: the same ones from another deck make the same picture.
# What a model paints on follows from the base.
_ALWAYS_WRITTEN: Final = ("scene_version", "layout_version", "deck", "deck_version", "canvas")
_FINGERPRINTED: Final = tuple(name for name in _FIELDS if name not in {*_OF_TEXT, *_ALWAYS_WRITTEN})
_REQUEST: Final = (
    "object_type", "object_id", "scene", "treatment", "ratio", "size", "provider", "model", "variant",
)  # fmt: skip


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
