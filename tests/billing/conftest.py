"""Calls of the past, as a worker would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from nb_catalog.billing import budgets
from nb_catalog.models import ProviderCall
from tests import factories

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LITE, NANO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"
ESTIMATE = 36_000


@pytest.fixture
def called():
    """``called(cost=…)``: a call that went out, with its money in all purses. Cost in
    micro-dollars, None for one that nobody knows."""
    epochs = count(1)

    def call(*, cost=33_910, model=LITE, days=0, hours=0, scene="marble", tier="draft", actor=None,
             outcome="picture", provider="gemini", of=None):  # fmt: skip
        at = NOON + timedelta(days=days, hours=hours)
        of = of or factories.run(tier=tier, actor=actor)
        about = factories.product(photo=False)
        asked = factories.spec(about, provider=provider, model=model, scene=scene)
        state = "unknown" if outcome == "unknown" else "succeeded"
        job = factories.job(about, of=of, asked=asked, state=state, tier=tier)
        assert budgets.reserve({of.pk: {job.pk: ESTIMATE}}, day=at.date())
        if cost is not None:
            budgets.settle([budgets.SettledCall(of.pk, at.date(), ESTIMATE, cost, model, scene)])
        return ProviderCall.objects.create(
            run=of, job=job, epoch=next(epochs), provider=provider, model=model, tier=tier, scene=scene,
            estimate_microusd=ESTIMATE, cost_microusd=cost, outcome=outcome, started_at=at,
        )  # fmt: skip

    return call
