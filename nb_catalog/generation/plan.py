"""A plan and its items, computed in blocks so that any number of products fits in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.db.models import Model, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.lookups import Existing, find_existing, requests_with_pictures
from nb_catalog.generation.planners import Planner
from nb_catalog.models.db.money import micros, usd
from nb_catalog.registry import CatalogSource

# Items looked up at once: bounds memory, and stays below every database's limit of parameters.
BLOCK: Final = 1000


class ItemStatus(TextChoices):
    MISSING = "missing", _("to be made")
    STALE = "stale", _("out of date")
    PRESENT = "present", _("already there")
    UNDERWAY = "underway", _("being made")
    IMPOSSIBLE = "impossible", _("not possible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One requested picture and its status. ``problem`` says why it is not possible."""

    object_id: str
    spec: ImageSpec | None
    fingerprint: str
    status: ItemStatus
    problem: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether starting the plan makes it."""
        return self.status in (ItemStatus.MISSING, ItemStatus.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A plan in numbers. ``seconds`` is a rough estimate; ``problems`` counts items by message."""

    counts: Mapping[str, int]
    wanted: int
    price_usd: Decimal
    seconds: float
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def count_of(self, status: str) -> int:
        """Return how many pictures have ``status``, one of ``ItemStatus``."""
        return self.counts.get(status, 0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The pictures that a request asks for. Each iteration computes them again from the database.

    ``key`` makes starting idempotent: one plan becomes one run at most.
    """

    key: str
    title: str
    source: CatalogSource
    products: QuerySet[Model] | Sequence[Model]
    planner: Planner
    request: Mapping[str, Any]

    @property
    def tier(self) -> str:
        return self.planner.tier_name

    @property
    def is_free(self) -> bool:
        return self.planner.is_free

    @property
    def in_batch(self) -> bool:
        return self.planner.mode == RequestMode.BATCH

    @cached_property
    def price_each_usd(self) -> Decimal:
        return self.planner.price_usd()

    @property
    def price_each_microusd(self) -> int:
        return micros(self.price_each_usd)

    def items(self) -> Iterator[Item]:
        """Yield every requested picture with its status."""
        size = max(1, BLOCK // self.planner.max_per_product)
        for products in blocks(self.each_product(), size=size):
            specs: dict[str, ImageSpec] = {}
            planner = self.planner.for_block(products)
            for product in products:
                results: list[ImageSpec | NBCatalogError]
                try:
                    results = list(planner.specs(product))
                except NBCatalogError as error:
                    results = [error] * planner.per_product
                for result in results:
                    if isinstance(result, ImageSpec):
                        specs[result.fingerprint] = result
                    else:
                        yield Item(
                            object_id=str(product.pk),
                            spec=None,
                            fingerprint="",
                            status=ItemStatus.IMPOSSIBLE,
                            problem=str(result),
                        )
            yield from self._with_status(specs)

    def wanted(self) -> Iterator[Item]:
        """Yield the items that starting the plan makes."""
        return (item for item in self.items() if item.is_wanted)

    def summary(self) -> Summary:
        """Return counts, price in USD and seconds of the whole plan."""
        counts: Counter[str] = Counter()
        problems: Counter[str] = Counter()
        wanted = 0
        for item in self.items():
            counts[item.status.value] += 1
            wanted += item.is_wanted
            if item.problem:
                problems[item.problem] += 1
        return Summary(
            counts=counts,
            wanted=wanted,
            price_usd=usd(wanted * self.price_each_microusd),
            seconds=self.planner.seconds(wanted),
            problems=problems,
        )

    def each_product(self) -> Iterator[Model]:
        """Yield the products, streamed from the database."""
        if isinstance(self.products, QuerySet):
            return self.products.iterator(chunk_size=BLOCK)
        return iter(self.products)

    def _with_status(self, specs: dict[str, ImageSpec]) -> Iterator[Item]:
        """Yield an item for each of ``specs``, a block of them by fingerprint."""
        wanted, existing = self._replace_rejected(specs)
        taken = existing.present | existing.underway
        request_hashes = {
            key: spec.request_hash for key, spec in wanted.items() if key not in taken
        }
        # A usable picture of the same request with another fingerprint: this one replaces it.
        outdated = requests_with_pictures(set(request_hashes.values()))
        for key, spec in wanted.items():
            if key in existing.present:
                status = ItemStatus.PRESENT
            elif key in existing.underway:
                status = ItemStatus.UNDERWAY
            elif request_hashes[key] in outdated:
                status = ItemStatus.STALE
            else:
                status = ItemStatus.MISSING
            yield Item(object_id=spec.object_id, spec=spec, fingerprint=key, status=status)

    def _replace_rejected(
        self, specs: dict[str, ImageSpec]
    ) -> tuple[dict[str, ImageSpec], Existing]:
        """Replace rejected pictures by their next variant: requesting one again means another one."""
        existing = find_existing(specs)
        accepted = {key: spec for key, spec in specs.items() if key not in existing.rejected}
        rejected = [spec for key, spec in specs.items() if key in existing.rejected]
        if not rejected:
            return accepted, existing
        variants = map(self.planner.next_variant, rejected)
        more, more_existing = self._replace_rejected({each.fingerprint: each for each in variants})
        return accepted | more, existing | more_existing
