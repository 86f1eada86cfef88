"""Which of many upgrades bring most within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation.escalation import EscalationPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.planning import plan_escalation
from nb_catalog.generation.runs import checked_budget
from nb_catalog.models import ProductImage
from nb_catalog.models.db.money import usd
from nb_catalog.registry import value_of

BLOCK: Final = 500
INFINITE: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A picture that is not made final, its product's value, and the reason."""

    image: ProductImage
    value: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationChoice:
    """The upgrades that bring most within ``budget_usd``.

    ``plan`` makes ``chosen``, and is None if there are none. ``value`` is the sum of the chosen pictures'
    values. Start it with ``start_run(choice.plan, budget_usd=choice.budget_usd)``: the run never spends more.
    """

    plan: Plan | None
    chosen: tuple[ProductImage, ...]
    left_out: tuple[LeftOut, ...]
    budget_usd: Decimal
    price_usd: Decimal
    value: float


def plan_escalations(
    images: Sequence[ProductImage],
    *,
    budget_usd: Decimal,
    value: Callable[[Model], float] | None = None,
    tier: str = "premium",
    candidates: int = 1,
    treatment: str = "",
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> EscalationChoice:
    """Choose those of ``images`` whose finals bring most for at most ``budget_usd``, and plan them.

    A picture brings the value of its product: that of ``value``, by default of ``CatalogSource.value()``. All
    finals of a plan have one price, so the best choice is the most valuable pictures; of equal ones the
    first. The other options are those of ``plan_escalation``.

    Raises ``PlanRefused`` as that does, ``RequestRefused`` for a budget or a value that is not one.
    """
    amount = checked_budget(budget_usd)
    whole = plan_escalation(
        images, tier=tier, candidates=candidates, treatment=treatment, mode=mode, key=key
    )
    planner = whole.planner
    assert isinstance(planner, EscalationPlanner)  # noqa: S101 - what the function returns
    values = {str(product.pk): _checked_value(product, value) for product in whole.each_product()}
    refused = _refusals(whole)
    each_microusd = planner.each_draft * whole.price_each_microusd
    position = {image.pk: number for number, image in enumerate(images)}
    ranked = sorted(images, key=lambda image: (-values[image.object_id], position[image.pk]))
    chosen: list[ProductImage] = []
    left_out: list[LeftOut] = []
    for image in ranked:
        worth = values[image.object_id]
        if reason := refused.get(image.pk):
            pass
        elif not worth:
            reason = _("Its product has the value 0: a final would bring nothing.")
        elif each_microusd * (len(chosen) + 1) > amount:
            reason = _(
                "The budget is used up by pictures of more valuable products: another final costs up to "
                "%(price)s USD."
            ) % {"price": usd(each_microusd)}
        else:
            chosen.append(image)
            continue
        left_out.append(LeftOut(image=image, value=worth, reason=reason))
    plan = None
    if chosen:
        plan = plan_escalation(
            chosen, tier=tier, candidates=candidates, treatment=treatment, mode=mode, key=key
        )
    return EscalationChoice(
        plan=plan,
        chosen=tuple(chosen),
        left_out=tuple(left_out),
        budget_usd=budget_usd,
        price_usd=usd(each_microusd * len(chosen)),
        value=sum(values[image.object_id] for image in chosen),
    )


def _refusals(plan: Plan) -> dict[int, str]:
    """Return, by key, why images of ``plan`` cannot have a final."""
    refused: dict[int, str] = {}
    for products in blocks(plan.each_product(), size=BLOCK):
        planner = plan.planner.for_block(products)
        assert isinstance(planner, EscalationPlanner)  # noqa: S101 - a copy of one
        for product in products:
            for image in planner.drafts.get(str(product.pk), ()):
                try:
                    planner.final_of(image, product)
                except NBCatalogError as error:
                    refused[image.pk] = str(error)
    return refused


def _checked_value(product: Model, value: Callable[[Model], float] | None) -> float:
    if value is None:
        return value_of(product)
    worth = value(product)
    if (
        isinstance(worth, bool)
        or not isinstance(worth, int | float | Decimal)
        or not 0 <= worth < INFINITE
    ):
        raise RequestRefused(
            _("The value of “%(product)s” is %(value)r. It must be a number from 0 on.")
            % {"product": product, "value": worth}
        )
    return float(worth)
