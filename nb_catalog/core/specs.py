"""The frozen, complete specification of one picture, or of texts to request, and its fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Final, Self, TypeVar

from nb_catalog.core.types import PhotoKind, Treatment
from nb_catalog.exceptions import SpecUnreadable

# Part of every fingerprint: incremented when the same spec would lead to a different picture.
EDITION: Final = 2
# Version of the fields of both specs: incremented when one is added, so that workers with older code leave
# such jobs to others.
SCHEMA: Final = 4
# Photos of one product that can be pictures. Their variant is their position, from 1; this much is added for
# each time that the picture was rejected.
MAX_PHOTOS: Final = 100
# Arrangements of a series, from 1. The variant of a member's picture is its series' arrangement; this much is
# added for each time that the picture was rejected or made again, and changes nothing about the scene.
ARRANGEMENTS: Final = 100

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSpec:
    """One product of a bundle: its photo, and what ``ImageSpec`` has about the photo of a single product.

    ``height_cm`` is its real height, 0 if it is not known.
    """

    object_type: str
    object_id: str
    photo: str
    photo_version: str = ""
    photo_kind: str = ""
    cutout: str = ""
    pose: str = ""
    height_cm: float = 0.0

    @property
    def fingerprinted(self) -> Mapping[str, Any]:
        """What determines how the part looks."""
        content = self.as_dict()
        if self.photo_kind != PhotoKind.FULL_FRAME:
            content["photo_kind"] = ""
        return content

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """One picture to generate.

    ``prompt`` is the background prompt exactly as it will be sent, and empty for a provider that
    renders; ``renderer`` holds the scene's options for such a provider, and is empty for a model. So a
    changed title makes a painted picture stale but not a rendered one. ``pose`` is how the host says
    the product rests, for a locked or relit picture; "" leaves it to the photo. ``photo_kind`` is what
    the photo shows, "" for a product on a background. ``cutout`` is the sha256 of the mask if a person made
    it, "" otherwise: a machine's may be made after the plan.

    A photo as the scene: ``backdrop`` is the sha256 of its file, and ``backdrop_file`` its name in the
    catalog's storage; a renderer composes on it, and a model gets it as a reference.

    A picture of a set: ``camera`` is the view and the framing that all of them have, empty for a picture of
    its own; ``proportion`` is the share of the framing's height that this product takes because others are
    larger in reality.

    A member of a series: ``series`` is its key. All members have one seed and one camera. ``anchor`` is the
    sha256 of the picture that shows a model the look, and ``anchor_file`` its file; a renderer needs none.

    The final of a draft: ``draft`` is the sha256 of the picture that is made again on a higher tier, and
    ``draft_file`` the file that shows a model its composition, "" if none is sent: a renderer needs none, and
    painted letters would be copied. ``draft_request`` is the draft's ``request_hash``, and ``candidate``
    counts the finals of one draft, from 1.

    A member of a series that shows a variant of its product: ``product_variant`` is the variant's key, and
    ``colour``, "#rrggbb", what a model paints it in because there is no photo of it.

    A picture of several products: ``parts`` are their photos in order, ``PartSpec`` as plain data; ``photo``
    is the first one's. How they are cut out is written there.

    Text typeset on a picture: ``base`` is the sha256 of the picture below the text, and ``photo`` its
    file; ``renderer`` holds the layout and every text. ``deck`` is the copy deck of the texts, "" if
    they come from the host's catalog source.

    An edit: ``edit`` holds ``parent``, the sha256 of the picture that it is made from, ``file``, its name in
    the catalog's storage, and either ``adjustments``, made here without a model, or the ``instruction`` for
    a model, which may go on from a ``session`` that the service stores. The other fields are those of the
    picture that is edited; ``generation.edits`` writes them.

    The product's photo as it is: ``treatment`` is "photo" and ``scene`` is empty, and so is ``ratio`` if the
    photo keeps its own.

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
    photo_kind: str = ""
    cutout: str = ""
    backdrop: str = ""
    backdrop_file: str = ""
    camera: Mapping[str, Any] = field(default_factory=dict)
    proportion: float = 1.0
    series: str = ""
    anchor: str = ""
    anchor_file: str = ""
    parts: Sequence[Mapping[str, Any]] = ()
    draft: str = ""
    draft_file: str = ""
    draft_request: str = ""
    candidate: int = 0
    product_variant: str = ""
    colour: str = ""
    edit: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def fingerprint(self) -> str:
        """sha256 over everything that determines what the picture looks like (64 hex digits).

        Versions are left out: a scene saved without a change to its prompt or renderer options still
        describes the same picture, and so does a deck with a change that this picture does not show.
        """
        content = {name: getattr(self, name) for name in _FINGERPRINTED}
        if self.base:
            content |= {name: getattr(self, name) for name in _OF_TEXT}
        # Every other kind of photo is cut out, as all were before there were kinds.
        if self.is_full_frame:
            content["photo_kind"] = self.photo_kind
        elif self.cutout:
            content["cutout"] = self.cutout
        if self.is_own_photo:
            # Photos in another order show the same.
            content["variant"] = (self.variant - 1) // MAX_PHOTOS
        # Scenes had no photos at first: without one, pictures keep their fingerprint.
        if self.backdrop:
            content["backdrop"] = self.backdrop
        # Only the pictures of a set have these.
        if self.camera:
            content["camera"] = self.camera
        if self.proportion != 1:
            content["proportion"] = self.proportion
        if self.series:
            content |= {name: getattr(self, name) for name in _OF_SERIES}
        if self.draft:
            content |= {name: getattr(self, name) for name in _OF_FINAL}
        if self.product_variant:
            content |= {name: getattr(self, name) for name in _OF_VARIANT}
        if self.parts:
            content["parts"] = [PartSpec(**each).fingerprinted for each in self.parts]
        if self.edit:
            content["edit"] = _without_files(self.edit)
        return _digest(EDITION, content)

    @property
    def request_hash(self) -> str:
        """sha256 over what was requested, without how it would be made today (64 hex digits).

        An image with the same hash and a different fingerprint is stale.
        """
        # A final is what its draft was requested as: it replaces the draft, and not a picture of its own.
        if self.draft_request:
            return self.draft_request
        if self.series:
            return request_hash_of_member(
                self.object_type,
                self.object_id,
                series=self.series,
                variant=self.product_variant,
                locale=self.locale if self.base else "",
            )
        text_fields = (
            [self.layout, self.locale, *([self.deck] if self.deck else [])] if self.base else []
        )
        shown = [[part["object_type"], part["object_id"], part["photo"]] for part in self.parts]
        # An edit is a request of its own: it makes nothing out of date that it was not made from.
        edited = [_without_files(self.edit)] if self.edit else []
        named = (getattr(self, name) for name in _REQUEST)
        return _digest([*named, *text_fields, *shown, *edited])

    @property
    def seed(self) -> int:
        """The seed of a rendered background, 31 bits.

        It differs between products, shops and scenes, so that no two show the same veins of marble,
        and is the same in every process. A larger size, another tier or a changed recipe keep it. Members
        of a series have one seed.
        """
        if self.series:
            arrangement = (self.variant - 1) % ARRANGEMENTS + 1
            return int(_digest("series", self.series, self.scene, arrangement)[:8], 16) >> 1
        parts = (self.object_type, self.object_id, self.photo, self.scene, self.variant)
        return int(_digest(*parts)[:8], 16) >> 1

    @property
    def tries(self) -> int:
        """How many pictures of this member of a series there were before this one."""
        return (self.variant - 1) // ARRANGEMENTS

    def another_try(self) -> Self:
        """Return the spec of another picture of this member of a series, with the same seed."""
        return replace(self, variant=self.variant + ARRANGEMENTS)

    @property
    def sets_text(self) -> bool:
        """Whether text is typeset on an existing picture."""
        return bool(self.base) and not self.prompt and not self.edit

    @property
    def paints_text(self) -> bool:
        """Whether a model paints text into the picture, or painted some into the one that is edited."""
        return bool(self.base) and (bool(self.prompt) or bool(self.edit))

    @property
    def words(self) -> str:
        """The texts on the picture, one a line and case-folded: what a search compares words with."""
        texts = self.renderer.get("texts", {}) if self.base else {}
        return "\n".join(map(str, texts.values())).casefold()

    @property
    def is_own_photo(self) -> bool:
        """Whether the picture is the product's photo as it is, without text."""
        return self.treatment == Treatment.PHOTO and not self.base and not self.edit

    @property
    def locked(self) -> bool:
        return self.treatment == Treatment.LOCKED

    @property
    def shows_photo(self) -> bool:
        """Whether the product's own pixels are in the picture."""
        return self.treatment in (Treatment.LOCKED, Treatment.RELIT)

    @property
    def part_specs(self) -> tuple[ImageSpec, ...]:
        """The parts of a bundle, each as the spec of a picture of that product alone."""
        return tuple(
            replace(
                self, parts=(), object_type=part.object_type, object_id=part.object_id,
                photo=part.photo, photo_version=part.photo_version, photo_kind=part.photo_kind,
                cutout=part.cutout, pose=part.pose,
            )
            for part in (PartSpec(**each) for each in self.parts)
        )  # fmt: skip

    @property
    def seen_from(self) -> str:
        """The view of a bundle: "top" if a part of it cannot stand, otherwise "front"."""
        return "top" if any(part.get("pose") == "lying" for part in self.parts) else "front"

    @property
    def needs_cutout(self) -> bool:
        """Whether the product has to be cut out of its photo for this picture."""
        shows_own = self.shows_photo and not self.sets_text and not self.is_full_frame
        return shows_own and not self.parts and not self.edit

    @property
    def redraws_product(self) -> bool:
        """Whether a model draws the product, so that it may differ from its photo."""
        return self.treatment == Treatment.PAINTED and not self.sets_text

    @property
    def made_from(self) -> str:
        """The sha256 of the picture that this one is a change of, with text or as an edit; "" otherwise."""
        return str(self.edit.get("parent", "")) or self.base

    @property
    def is_adjusted(self) -> bool:
        """Whether the picture is another one with adjustments, made without a model."""
        return "adjustments" in self.edit

    @property
    def is_full_frame(self) -> bool:
        return self.photo_kind == PhotoKind.FULL_FRAME

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        # dataclasses.asdict() copies the renderer's tree, which takes four times as long as the rest.
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the spec that ``as_dict`` returned. Raises ``SpecUnreadable``."""
        return _from_dict(cls, data)

    @classmethod
    def of_image(cls, data: Mapping[str, Any]) -> Self:
        """Return the spec that is stored with an image, which holds more than the spec."""
        return cls(**{name: data[name] for name in _FIELDS if name in data})


def request_hash_of_member(
    object_type: str, object_id: str, *, series: str, variant: str = "", locale: str = ""
) -> str:
    """Return ``ImageSpec.request_hash`` of a member of a series, or with ``locale`` of the text on it: a
    picture with another look, whatever makes it, replaces the one that the member had, and so does other
    text."""
    further = [*(["variant", variant] if variant else []), *(["text", locale] if locale else [])]
    return _digest([object_type, object_id, series, *further])


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSpec:
    """Texts to request about one copy deck or picture: a translation, alternative texts or OCR.

    ``kind`` is one of ``JobKind``. ``locales`` are those that texts are requested in.

    A translation: ``source`` is the locale of ``texts``, role -> text. Alternative texts: ``title`` is the
    product's, ``texts`` the words on the picture by locale. OCR: ``texts`` were requested, role -> text,
    and ``photo`` is the product's photo. ``picture`` is a picture's file, ``sha256`` its digest.
    """

    kind: str
    object_type: str
    object_id: str
    provider: str
    model: str
    locales: tuple[str, ...]
    source: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    picture: str = ""
    sha256: str = ""
    photo: str = ""

    @property
    def fingerprint(self) -> str:
        """sha256 over all of it (64 hex digits)."""
        return _digest(EDITION, self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {**{each.name: getattr(self, each.name) for each in fields(self)},
                "locales": list(self.locales)}  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the spec that ``as_dict`` returned. Raises ``SpecUnreadable``."""
        return _from_dict(cls, {**data, "locales": tuple(data.get("locales", ()))})


def _from_dict(kind: type[S], data: Mapping[str, Any]) -> S:
    # Fields that are left out would change what is made under the same fingerprint, and a value of another
    # type would stop the transaction that writes it together with other jobs.
    try:
        spec = kind(**data)
    except TypeError as error:
        message = str(error).replace(f"{kind.__name__}.__init__() ", "")
        raise SpecUnreadable(f"This job's spec cannot be read: {message}.") from error
    for each in fields(kind):  # type: ignore[arg-type]
        value = data.get(each.name, "")
        expected = _TYPES.get(str(each.type), Mapping)
        if each.name in data and not isinstance(value, expected):
            raise SpecUnreadable(
                f"This job's spec cannot be read: {each.name!r} is {type(value).__name__}, "
                f"not {each.type}."
            )
    return spec


# By the annotations of the two specs; what is none of these is a mapping.
_TYPES: Final[Mapping[str, Any]] = {
    "str": str, "int": int, "float": int | float, "tuple[str, ...]": tuple,
    "Sequence[Mapping[str, Any]]": list | tuple,
}  # fmt: skip
_FIELDS: Final = tuple(each.name for each in fields(ImageSpec))
# Only pictures with text have these, so that pictures made before text existed keep their fingerprint.
_OF_TEXT: Final = ("base", "layout", "locale")
# A deck's texts are in the renderer: the same texts from another deck make the same picture. The canvas
# follows from the base.
_ALWAYS_WRITTEN: Final = (
    "scene_version", "layout_version", "deck", "deck_version", "canvas",
    "backdrop_file", "anchor_file", "draft_file", "draft_request",
)  # fmt: skip
_OF_SERIES: Final = ("series", "anchor")
_OF_FINAL: Final = ("draft", "candidate")
_OF_VARIANT: Final = ("product_variant", "colour")
_NOT_ALWAYS: Final = {
    *_OF_TEXT, *_ALWAYS_WRITTEN, *_OF_SERIES, *_OF_FINAL, *_OF_VARIANT,
    "photo_kind", "cutout", "backdrop", "camera", "proportion", "parts", "edit",
}  # fmt: skip
_FINGERPRINTED: Final = tuple(name for name in _FIELDS if name not in _NOT_ALWAYS)
_REQUEST: Final = (
    "object_type", "object_id", "scene", "treatment", "ratio", "size", "provider", "model", "variant",
)  # fmt: skip


def _without_files(edit: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``edit`` without the names of files, which are those of their hashes, at any depth, and without
    the service's session: the same edit is the same picture, whichever way it is requested."""
    return {
        name: _without_files(value) if isinstance(value, Mapping) else value
        for name, value in edit.items()
        if not name.endswith("file") and name != "session"
    }


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
