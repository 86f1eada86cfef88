"""Previews the exact requests of a plan: prompt, system instruction and the vendor's whole body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import islice
from typing import Any, Final

from django.db.models import Model

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.bundle_edits import parts_of
from nb_catalog.generation.bundles import BundlePlanner
from nb_catalog.generation.instructed_edits import EditPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.series import SeriesPlanner
from nb_catalog.providers.types import ImageRequest
from nb_catalog.registry import all_photos, read_photo
from nb_catalog.worker.bundles import PartFiles
from nb_catalog.worker.references import bundle_references, references_of

# Prose has spaces: a longer string without one is a picture in base64.
MAX_WORD_LENGTH: Final = 200
# Products tried until one is found that pictures can be made of.
MAX_PRODUCTS_TRIED: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPreview:
    """One request of a plan.

    ``body`` is what ``Provider.build`` returns, with pictures replaced by their sizes;
    ``photo_sent`` says how the photo was prepared. ``problem`` says why there is no body.
    """

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
    """Return the first request of each scene of ``plan``, for the first product that can be planned.

    Nothing is sent and nothing is written; the photo is read and prepared as a worker does it.
    """
    for product in islice(plan.each_product(), MAX_PRODUCTS_TRIED):
        try:
            results = list(plan.planner.for_block([product]).specs(product))
        except NBCatalogError:
            continue
        specs = [each for each in results if isinstance(each, ImageSpec) and each.variant == 1]
        return [_preview(plan, product, spec) for spec in specs]
    return []


def _preview(plan: Plan, product: Model, spec: ImageSpec) -> RequestPreview:
    described: dict[str, Any] = {
        "object_id": spec.object_id,
        "scene": spec.scene,
        "provider": spec.provider,
        "model": spec.model,
        "treatment": spec.treatment,
        "prompt": spec.prompt,
        "system": spec.system,
    }
    provider = plan.planner.provider
    sent: Mapping[str, Any] = {}
    try:
        if spec.parts and isinstance(plan.planner, EditPlanner):
            files = [PartFiles(read_photo(each)) for _part, each in parts_of(plan.planner.image)]
            references = bundle_references(spec, files, provider=provider)
        elif spec.parts and (bundles := _bundle_planner(plan)) is not None:
            photos = bundles.part_photos(product)
            files = [PartFiles(read_photo(each)) for each in photos]
            references = bundle_references(spec, files, provider=provider)
        else:
            photo = next(each for each in all_photos(product) if each.name == spec.photo)
            references, sent = references_of(spec, read_photo(photo), provider=provider)
        payload = provider.build(ImageRequest.from_spec(spec, references))
    except NBCatalogError as error:
        return RequestPreview(**described, problem=str(error))
    return RequestPreview(**described, body=elide(payload.body), photo_sent=sent)


def _bundle_planner(plan: Plan) -> BundlePlanner | None:
    if isinstance(plan.planner, SeriesPlanner):
        return plan.planner.bundle_planner
    return plan.planner if isinstance(plan.planner, BundlePlanner) else None


def elide(value: Any) -> Any:
    """Return ``value`` as it can be shown: pictures in it are replaced by their sizes."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, str) and len(value) > MAX_WORD_LENGTH and " " not in value:
        return f"({len(value) * 3 // 4:,} bytes in base64)"
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: elide(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): elide(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [elide(each) for each in value]
    return value
