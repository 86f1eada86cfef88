"""What a plan needs of its planner, and what planners of paid and of free pictures share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final, Protocol

from django.db.models import Model
from django.utils import timezone

from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.text import shorten
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.providers import Provider, provider
from nb_catalog.providers.batches import limits_of
from nb_catalog.providers.tiers import Tier
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource

# Seconds to typeset one picture on one core; decoding and encoding take most of it.
TYPESETTING_SECONDS: Final = 0.3
# Characters of a list of names in a run's title.
MAX_LIST_LENGTH: Final = 120


class Planner(Protocol):
    """Turns products into the specs of their pictures, and knows what these cost."""

    @property
    def source(self) -> CatalogSource: ...

    @property
    def provider(self) -> Provider: ...

    @property
    def tier_name(self) -> str:
        """Return the name of the tier; "" for typesetting, which has none."""

    @property
    def mode(self) -> RequestMode: ...

    @property
    def is_free(self) -> bool: ...

    @property
    def per_product(self) -> int:
        """Return how many pictures of a product count as impossible when it cannot be planned."""

    @property
    def max_per_product(self) -> int:
        """Return an upper bound of the pictures of one product; it sizes the blocks of a plan."""

    def title(self) -> str:
        """Return the title of the run, in the active language."""

    def as_request(self) -> dict[str, object]:
        """Return what was requested as plain data, to be stored with the run."""

    def objections(self) -> Iterator[str]:
        """Yield every reason why nothing of this can be made, before any product is read."""

    def price_usd(self) -> Decimal:
        """Return the most that one picture is expected to cost."""

    def seconds(self, pictures: int) -> float:
        """Return the estimated duration of ``pictures`` with one worker."""

    def for_block(self, products: Sequence[Model]) -> Planner:
        """Return a copy with everything prefetched that ``specs`` needs of ``products``."""

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        """Yield the specs of one product's pictures, and an error for each that is not possible.

        Raises ``NBCatalogError`` if none of them is.
        """

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec to make instead of ``spec``, which was rejected."""


class PaidPlanner(ABC):
    """Pictures made by the model of a tier."""

    tier: Tier
    mode: RequestMode

    @property
    @abstractmethod
    def reference_count(self) -> int:
        """Return how many pictures are sent along with each request, at most."""

    @property
    def tier_name(self) -> str:
        return self.tier.name

    @cached_property
    def provider(self) -> Provider:
        return provider(self.tier.provider)

    @property
    def is_free(self) -> bool:
        return self.tier.model_spec.free

    def tier_objections(self, *, ratio: str, treatment: str) -> Iterator[str]:
        """Yield every reason why the tier cannot make such pictures, an unknown price among them."""
        model_spec, in_batch = self.tier.model_spec, self.mode == RequestMode.BATCH
        yield from model_spec.objections(
            ratio=ratio,
            size=self.tier.size,
            references=self.reference_count,
            treatment=treatment,
            thinking=self.tier.thinking,
            batch=in_batch,
            today=timezone.now().date(),
        )
        if in_batch and model_spec.batch and limits_of(self.provider) is None:
            yield (
                f"The provider “{self.provider.alias}” is not configured for batches. "
                f"Request these pictures directly."
            )
        try:
            self.price_usd()
        except RequestRefused as refusal:
            yield from refusal.objections

    def price_usd(self) -> Decimal:
        return self.tier.model_spec.estimate(
            size=self.tier.size,
            references=self.reference_count,
            batch=self.mode == RequestMode.BATCH,
        )

    def seconds(self, pictures: int) -> float:
        """Return the estimated duration of ``pictures``; of a batch, the provider's own deadline."""
        if self.mode == RequestMode.BATCH and (limits := limits_of(self.provider)) is not None:
            return limits.hours * 3600 if pictures else 0.0
        concurrency = settings.FREE_THREADS if self.is_free else settings.CONCURRENCY
        per_picture = self.tier.model_spec.seconds.get(self.tier.size, 0.0)
        return per_picture * -(-pictures // concurrency)


class FreePlanner:
    """Pictures whose text is typeset here, free of charge."""

    tier_name: ClassVar[str] = ""
    is_free: ClassVar[bool] = True
    mode: ClassVar[RequestMode] = RequestMode.DIRECT

    @cached_property
    def provider(self) -> Provider:
        return provider(ALIAS)

    def objections(self) -> Iterator[str]:
        return iter(())

    def price_usd(self) -> Decimal:
        return Decimal(0)

    def seconds(self, pictures: int) -> float:
        return TYPESETTING_SECONDS * -(-pictures // settings.FREE_THREADS)

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the same picture as another variant: fonts and texts may have changed since."""
        return replace(spec, variant=spec.variant + 1)


def plural_name(source: CatalogSource) -> str:
    """Return the model's plural name, capitalized, for a run's title."""
    name = str(source.model._meta.verbose_name_plural)
    return name[:1].upper() + name[1:]


def join_names(names: Iterable[str]) -> str:
    """Return ``names`` as a list for a run's title, cut where it gets too long."""
    return shorten(", ".join(names), MAX_LIST_LENGTH)
