"""What would be sent for a plan, exactly: words, system instruction, and the vendor's whole body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db.models import Model

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.plan import Plan
from nb_catalog.providers.types import ImageRequest
from nb_catalog.worker.references import references_of

# Words have spaces: a text of this length without one is a picture in base64.
LONGEST_WORD: Final = 200
# Products that are looked at until one is found that pictures can be made of.
LOOKED_AT: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPreview:
    """One request of a plan. ``body`` is what ``Provider.build`` makes, with pictures told by their
    size; ``photo_sent`` says what is done to the photo. ``problem`` is why there is no body."""

    object_id: str
    scene: str
    provider: str
    model: str
    treatment: str
    prompt: str = field(repr=False)
    system: str = field(repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    photo_sent: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def preview_requests(plan: Plan) -> list[RequestPreview]:
    """The first request of each scene of ``plan``, for the first product that it can be made of.

    Nothing is sent and nothing is written; the photo is read and made ready as a worker would.
    """
    for product in islice(plan.each_product(), LOOKED_AT):
        try:
            made = list(plan.planner.for_block([product]).specs(product))
        except NBCatalogError:
            continue
        specs = [each for each in made if isinstance(each, ImageSpec) and each.variant == 1]
        return [_preview(plan, product, spec) for spec in specs]
    return []


def _preview(plan: Plan, product: Model, spec: ImageSpec) -> RequestPreview:
    said: dict[str, Any] = {
        "object_id": spec.object_id,
        "scene": spec.scene,
        "provider": spec.provider,
        "model": spec.model,
        "treatment": spec.treatment,
        "prompt": spec.prompt,
        "system": spec.system,
    }
    photo = next(each for each in plan.source.photos(product) if each.name == spec.photo)
    try:
        references, sent = references_of(spec, photo, maker=plan.planner.maker)
        payload = plan.planner.maker.build(ImageRequest.from_spec(spec, references))
    except NBCatalogError as error:
        return RequestPreview(**said, problem=str(error))
    return RequestPreview(**said, body=dict(_shown(payload.body.items())), photo_sent=sent)


def _shown(pairs: Any) -> Iterator[tuple[str, Any]]:
    for name, value in pairs:
        yield str(name), elide(value)


def elide(value: Any) -> Any:
    """``value`` as it can be shown: pictures in it are told by their size."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, str) and len(value) > LONGEST_WORD and " " not in value:
        return f"({len(value) * 3 // 4:,} bytes in base64)"
    if isinstance(value, Mapping):
        return dict(_shown(value.items()))
    if isinstance(value, list | tuple):
        return [elide(each) for each in value]
    return value
