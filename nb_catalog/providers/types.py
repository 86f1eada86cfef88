"""The values that go into a provider and come out of it. Frozen: a change is a new value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Reference, Treatment
from nb_catalog.exceptions import NBCatalogError, ProviderError

SESSION_CHECK: Final = "session"
"""The check of a picture that was made in a session which the service stores: its ``id`` there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One requested picture, independent of any vendor's API.

    ``renderer`` holds the scene's options for the local renderer, and ``seed`` makes variants
    differ; a model that reads text uses ``prompt`` and ``system``. ``pose`` is one of ``POSES``, and
    ``photo_kind`` what the product's photo shows: "full_frame" is the product from border to border.
    ``camera`` is that of the set which the picture belongs to, empty for a picture of its own, and
    ``proportion`` the share of the set's height that the product takes. ``parts`` are the products of a
    bundle, whose photos are the references in the same order. ``edit`` is that of the spec, for a picture
    that is made from another one.
    """

    model: str
    prompt: str = field(repr=False)
    ratio: str
    size: str
    treatment: Treatment = Treatment.LOCKED
    references: tuple[Reference, ...] = field(default=(), repr=False)
    renderer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seed: int = 0
    system: str = field(default="", repr=False)
    thinking: str = ""
    pose: str = ""
    photo_kind: str = ""
    camera: Mapping[str, Any] = field(default_factory=dict)
    proportion: float = 1.0
    parts: Sequence[Mapping[str, Any]] = ()
    edit: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_spec(cls, spec: ImageSpec, references: tuple[Reference, ...] = ()) -> ImageRequest:
        """Return the request for ``spec``. Nothing else turns a spec into a request."""
        return cls(
            model=spec.model,
            prompt=spec.prompt,
            system=spec.system,
            ratio=spec.ratio,
            size=spec.size,
            treatment=Treatment(spec.treatment),
            references=references,
            renderer=spec.renderer,
            seed=spec.seed,
            thinking=spec.thinking,
            pose=spec.pose,
            photo_kind=spec.photo_kind,
            camera=spec.camera,
            parts=spec.parts,
            proportion=spec.proportion,
            edit=spec.edit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A vendor's request body, ready to send. ``fallback`` is sent in its place if the service no longer
    has what ``body`` refers to; empty if it refers to nothing."""

    model: str
    body: Mapping[str, Any] = field(repr=False)
    fallback: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """A provider's response before it is parsed. ``body`` is JSON text or picture bytes."""

    body: bytes | str = field(repr=False)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """A picture as received, unchanged, with its usage (token counts by kind).

    ``report`` is plain data that a local provider reports about its work; it is stored with the
    picture's checks.
    """

    data: bytes = field(repr=False)
    mime_type: str
    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much one batch of a provider may hold, and how long it takes.

    ``items`` and ``bytes`` limit one input file, ``at_once`` the unfinished batches of an account.
    ``hours`` is when to expect results, ``expires_hours`` when the provider gives up on a batch.
    """

    items: int
    bytes: int
    at_once: int
    hours: float
    expires_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """The status of a batch. ``state`` is the provider's own name for it; ``is_final`` means that
    the state will not change again, ``is_gone`` that the provider no longer knows the batch. ``problem``
    is why the whole batch failed, if the provider says so."""

    name: str
    state: str
    is_final: bool
    is_gone: bool = False
    result_file: str = ""
    error: str = ""
    problem: ProviderError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One row of a batch's results: a picture, or the reason why there is none."""

    key: str
    result: ImageResult | NBCatalogError
