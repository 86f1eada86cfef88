"""What all plans of pictures by a tier have in common: who makes them, what they cost, how long it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property

from django.utils import timezone

from nb_catalog.conf import settings
from nb_catalog.core.types import RequestMode
from nb_catalog.providers import Provider, provider
from nb_catalog.providers.batches import limits_of
from nb_catalog.providers.tiers import Tier


class PaidPlanner(ABC):
    tier: Tier
    mode: RequestMode

    @property
    @abstractmethod
    def references(self) -> int:
        """Pictures sent along with each request, at most."""

    @property
    def tier_name(self) -> str:
        return self.tier.name

    @cached_property
    def maker(self) -> Provider:
        return provider(self.tier.provider)

    @property
    def is_free(self) -> bool:
        return self.tier.model_spec.free

    @property
    def in_batch(self) -> bool:
        return self.mode == RequestMode.BATCH

    def objections_of_card(self, *, ratio: str, treatment: str) -> Iterator[str]:
        """Every reason why the tier's model cannot make such pictures."""
        yield from self.tier.model_spec.objections(
            ratio=ratio,
            size=self.tier.size,
            references=self.references,
            treatment=treatment,
            thinking=self.tier.thinking,
            batch=self.in_batch,
            today=timezone.now().date(),
        )

    def objections_of_maker(self) -> Iterator[str]:
        if self.in_batch and self.tier.model_spec.batch and limits_of(self.maker) is None:
            yield (
                f"The provider “{self.maker.alias}” takes no batches as it is configured. "
                f"Ask for these pictures directly."
            )

    def price_usd(self) -> Decimal:
        """The most that one picture is expected to cost."""
        return self.tier.model_spec.estimate(
            size=self.tier.size, references=self.references, batch=self.in_batch
        )

    def seconds(self, pictures: int) -> float:
        """About how long ``pictures`` take one worker; for a batch, how long the provider may take."""
        if self.in_batch and (limits := limits_of(self.maker)) is not None:
            return limits.hours * 3600 if pictures else 0.0
        at_once = settings.FREE_THREADS if self.is_free else settings.CONCURRENCY
        each = self.tier.model_spec.seconds.get(self.tier.size, 0.0)
        return each * -(-pictures // at_once)
