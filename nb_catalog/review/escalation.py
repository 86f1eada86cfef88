"""Has chosen pictures made final on a higher tier."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from nb_catalog import generation
from nb_catalog.core.types import Actor, RequestMode
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, Run


def escalate(
    image: ProductImage,
    *,
    tier: str = "premium",
    candidates: int = 2,
    treatment: str = "",
    mode: str = RequestMode.DIRECT,
    actor: Actor,
    budget_usd: Decimal | None = None,
    key: str = "",
) -> Run:
    """Have finals of ``image`` made on ``tier``, as ``generation.plan_escalation`` plans them.

    Returns the run. Its pictures wait for review beside the draft, which stays as it is; ``approve`` chooses
    one of them. ``budget_usd`` limits what the run may spend. With the ``key`` of an earlier request, returns
    the run that it started.

    Raises ``RequestRefused`` with every reason why the picture cannot have a final.
    """
    plan = generation.plan_escalation(
        [image], tier=tier, candidates=candidates, treatment=treatment, mode=mode, key=key
    )
    with transaction.atomic():
        run = generation.start_run(plan, actor=actor, budget_usd=budget_usd, priority=None)
        # Under the lock of the run's start: of two requests at once, the second is refused here.
        if not run.jobs.exists():
            refusals = [item.problem for item in plan.items() if item.problem]
            raise RequestRefused(
                *dict.fromkeys(
                    refusals
                    or [_("There is nothing to make for picture %(pk)s.") % {"pk": image.pk}]
                )
            )
    return run
