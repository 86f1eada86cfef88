"""Policies for finals, ``ESCALATION``: which pictures need one, and starting them within a day's budget."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from django.db.models import Sum
from django.utils import timezone

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Size
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.escalation_budget import plan_escalations
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.runs import start_run
from nb_catalog.imaging.fidelity import fidelity_in
from nb_catalog.models import ImageJob, Placement, ProductImage, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import usd
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.model_specs.sizes import PIXELS, SIZE_CHECK, SizeComparison
from nb_catalog.registry import CatalogSource, registered, value_of
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, readings_in

logger = logging.getLogger(__name__)

# Pictures of one model that are looked at in one go.
MOST: Final = 500
# How long a picture is looked at for its failed checks.
NEW: Final = timedelta(days=2)
# The plans of policies, by the day.
KEY: Final = "policy"


def failed_checks(checks: Mapping[str, Any]) -> set[str]:
    """Return which of "text", "fidelity" and "size" a picture failed."""
    failed: set[str] = set()
    if OCR_CHECK in checks:
        readings = readings_in(checks)
        if not readings or not all(reading.is_exact for reading in readings):
            failed.add("text")
    fidelity = fidelity_in(checks)
    if fidelity is not None and fidelity.fails:
        failed.add("fidelity")
    if SIZE_CHECK in checks:
        compared, required = SizeComparison.from_dict(checks[SIZE_CHECK]), settings.REQUIRE
        if (
            compared.ratio_off > required["RATIO_WITHIN"]
            or compared.share < required["SIZE_AT_LEAST"]
        ):
            failed.add("size")
    return failed


def due_escalations(source: CatalogSource) -> list[ProductImage]:
    """Return the pictures of a model that need a final by ``ESCALATION``, up to ``MOST``, each once.

    Published ones in a slot that needs a larger size, or of a product that is worth enough; below text, the
    picture that it is set on. New ones that failed a check. Whatever has or had a final, or a job for one, is
    left to people.
    """
    found: dict[int, ProductImage] = {}
    for image in (*_of_slots(source), *_of_checks(source), *_of_values(source)):
        if image.draft_id is None and image.spec.get("treatment") != "photo":
            found.setdefault(image.pk, image)
    decided = set(
        ProductImage.objects.filter(draft__in=found).values_list("draft", flat=True).distinct()
    )
    digests = {
        str(spec["draft"])
        for spec in ImageJob.objects.filter(
            content_type=content_type_of(source.model),
            object_id__in={image.object_id for image in found.values()},
        ).values_list("spec", flat=True)
        if spec.get("draft")
    }
    return [
        image for image in found.values() if image.pk not in decided and image.sha256 not in digests
    ][:MOST]


def start_due() -> list[Run]:
    """Start finals of what is due, and return the runs: nothing without a ``DAILY_BUDGET_USD``.

    All runs of one UTC day together have that budget. What fails is logged, and left until the next time.
    """
    policy = settings.ESCALATION
    if policy["DAILY_BUDGET_USD"] is None or not has_rules():
        return []
    runs: list[Run] = []
    for source in registered().values():
        try:
            run = _start_for(source, policy)
        except NBCatalogError as error:
            logger.warning("No finals of %s are started: %s", source.label, error)
            continue
        runs += [run] if run is not None else []
    return runs


def has_rules() -> bool:
    policy = settings.ESCALATION
    return bool(policy["SLOTS"] or policy["CHECKS"] or policy["VALUE_AT_LEAST"] is not None)


def _start_for(source: CatalogSource, policy: Mapping[str, Any]) -> Run | None:
    images = due_escalations(source)
    if not images:
        return None
    day = f"{KEY}-{timezone.now().date()}-"
    budgeted = Run.objects.filter(plan_key__startswith=day).aggregate(sum=Sum("budget_microusd"))
    left = max(Decimal(0), policy["DAILY_BUDGET_USD"] - usd(budgeted["sum"] or 0))
    content = repr((source.label, sorted(image.pk for image in images)))
    choice = plan_escalations(
        images,
        budget_usd=left,
        tier=policy["TIER"],
        candidates=policy["CANDIDATES"],
        key=day + sha256(content.encode()).hexdigest()[:40],
    )
    if choice.plan is None:
        return None
    run = start_run(choice.plan, actor=None, budget_usd=choice.price_usd)
    logger.info(
        "Run %s makes %s pictures final by ESCALATION.",
        run.pk,
        len(choice.chosen),
        extra=logs.fields(run=run.pk),
    )
    return run


def _of_slots(source: CatalogSource) -> Iterator[ProductImage]:
    sizes = settings.ESCALATION["SLOTS"]
    if not sizes:
        return
    for placement in _published(source).filter(slot__in=sizes):
        needed = PIXELS.get(str(placement.image.spec.get("ratio", "")), {}).get(
            sizes[placement.slot]
        )
        shown = Size(placement.image.width, placement.image.height)
        if needed and min(shown) < settings.REQUIRE["SIZE_AT_LEAST"] * min(needed):
            yield _below_text(placement.image)


def _of_checks(source: CatalogSource) -> Iterator[ProductImage]:
    wanted = set(settings.ESCALATION["CHECKS"])
    if not wanted:
        return
    new = ProductImage.objects.filter(
        kind=ImageKind.PICTURE,
        created_at__gte=database_now() - NEW,
        state__in=USABLE_STATES,
        content_type=content_type_of(source.model),
        pruned_at=None,
    )
    for image in new.order_by("-pk")[:MOST]:
        if wanted & failed_checks(image.checks):
            yield image


def _of_values(source: CatalogSource) -> Iterator[ProductImage]:
    least = settings.ESCALATION["VALUE_AT_LEAST"]
    if least is None:
        return
    published = list(_published(source))
    keys = {placement.object_id for placement in published}
    products = {str(row.pk): row for row in source.queryset().filter(pk__in=keys)}
    for placement in published:
        product = products.get(placement.object_id)
        if product is not None and value_of(product) >= least:
            yield _below_text(placement.image)


def _published(source: CatalogSource) -> Any:
    rows = Placement.objects.filter(content_type=content_type_of(source.model))
    return rows.select_related("image__parent").order_by("pk")


def _below_text(image: ProductImage) -> ProductImage:
    """Return the picture that is made final for ``image``: the one below its typeset text."""
    parent = image.parent
    return parent if parent is not None and ImageSpec.of_image(image.spec).sets_text else image
