"""Requests for pictures, checked as a whole before anything is worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import uuid4

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.core.text import shorten
from nb_catalog.core.types import RequestMode, Treatment
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.planning_lookups import (
    LONGEST_LIST,
    model_of,
    objections_to_tier,
    one_of,
    plural,
    scenes_named,
    with_photos,
)
from nb_catalog.models import Scene
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.registry import source_for

MOST_VARIANTS: Final = 12


def plan_backgrounds(
    products: QuerySet[Model] | Sequence[Model],
    *,
    scenes: Sequence[str | Scene],
    variants: int = 1,
    ratio: str = "1:1",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> Plan:
    """Plan pictures of ``products`` in each of ``scenes`` (keys or rows).

    With ``mode`` "batch" they cost half and come when the provider has time.

    ``key`` identifies the request, when the caller has an idempotency key of its own. Raises
    ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else model_of(products)
    source = source_for(model)
    step = tier_named(tier)
    planner = BackgroundPlanner(
        source=source,
        scenes=tuple(scenes_named(scenes)),
        variants=variants,
        ratio=ratio,
        tier=step,
        treatment=one_of(Treatment, treatment),
        mode=one_of(RequestMode, mode),
    )
    objections = tuple(_objections(planner))
    if objections:
        raise PlanRefused(*objections)
    return Plan(
        key=key or uuid4().hex,
        title=_run_title(model, planner),
        source=source,
        products=with_photos(products, lookups=source.photo_lookups()),
        planner=planner,
        request=_request(planner),
    )


def _objections(planner: BackgroundPlanner) -> Iterator[str]:
    if not planner.scenes:
        yield "No scene was chosen. Choose at least one."
    if not 1 <= planner.variants <= MOST_VARIANTS:
        yield f"Variants must be between 1 and {MOST_VARIANTS}, not {planner.variants}."
    yield from objections_to_tier(planner)


def _run_title(model: type[Model], planner: BackgroundPlanner) -> str:
    names = shorten(", ".join(scene.name for scene in planner.scenes), LONGEST_LIST)
    return _("%(what)s: %(scenes)s (%(tier)s)") % {
        "what": plural(model),
        "scenes": names,
        "tier": planner.tier.name,
    }


def _request(planner: BackgroundPlanner) -> dict[str, object]:
    return {
        "model": planner.source.label,
        "scenes": [scene.key for scene in planner.scenes],
        "variants": planner.variants,
        "ratio": planner.ratio,
        "tier": planner.tier.name,
        "treatment": planner.treatment.value,
        "mode": planner.mode.value,
    }
