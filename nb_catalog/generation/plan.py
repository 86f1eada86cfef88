"""A plan and its items, computed in blocks so that any number of products fits in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
from nb_catalog.generation.photo_report import PhotoReport
from nb_catalog.generation.planners import Impossible, Planner
from nb_catalog.generation.subjects import Products, each_subject
from nb_catalog.models.db.money import micros, usd
from nb_catalog.registry import CatalogSource

# Items looked up at once: bounds memory, and stays below every database's limit of parameters.
BLOCK: Final = 1000
# Products whose photos are read for warnings while a person waits for the plan.
MAX_EXAMINED: Final = 24


class ItemStatus(TextChoices):
    MISSING = "missing", _("to be made")
    STALE = "stale", _("out of date")
    PRESENT = "present", _("already there")
    UNDERWAY = "underway", _("being made")
    IMPOSSIBLE = "impossible", _("not possible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One requested picture and its status. ``problem`` says why it is not possible. ``variant`` is the key
    of the product's variant that a member of a series shows."""

    object_id: str
    spec: ImageSpec | None
    fingerprint: str
    status: ItemStatus
    problem: str = ""
    variant: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether starting the plan makes it."""
        return self.status in (ItemStatus.MISSING, ItemStatus.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A plan in numbers. ``seconds`` is a rough estimate; ``problems`` counts items by message, and
    ``warnings`` products, of which only the first ``MAX_EXAMINED`` are examined. ``photos`` are the photos
    to cut products out of; None if the plan needs no cut-outs."""

    counts: Mapping[str, int]
    wanted: int
    price_usd: Decimal
    seconds: float
    problems: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    photos: PhotoReport | None = None

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
    products: Products
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

    def items(self, *, examined: list[Model] | None = None) -> Iterator[Item]:
        """Yield every requested picture with its status.

        The first products are appended to ``examined``, for callers that need more than their specs.
        """
        specs: dict[str, ImageSpec] = {}
        prepared = self.planner.prepared(self.each_product)
        for products in blocks(self.each_product(), size=self.planner.products_per_block):
            if examined is not None:
                examined += products[: MAX_EXAMINED - len(examined)]
            planner = prepared.for_block(products)
            for product in products:
                results: list[ImageSpec | Impossible | NBCatalogError]
                try:
                    results = list(planner.specs(product))
                except NBCatalogError as error:
                    results = [error] * planner.per_product
                for result in results:
                    if isinstance(result, ImageSpec):
                        specs[result.fingerprint] = result
                        continue
                    why, variant = result if isinstance(result, Impossible) else (result, "")
                    yield Item(
                        object_id=str(product.pk),
                        spec=None,
                        fingerprint="",
                        status=ItemStatus.IMPOSSIBLE,
                        problem=str(why),
                        variant=variant,
                    )
                # Between two products: the pictures of one are compared with each other.
                if len(specs) >= BLOCK:
                    yield from self._with_status(specs)
                    specs = {}
        yield from self._with_status(specs)

    def wanted(self) -> Iterator[Item]:
        """Yield the items that starting the plan makes."""
        return (item for item in self.items() if item.is_wanted)

    def summary(self, items: Iterable[Item] | None = None) -> Summary:
        """Return counts, price in USD and seconds of the whole plan, or of its ``items`` if a caller
        reads them on the way."""
        counts: Counter[str] = Counter()
        problems: Counter[str] = Counter()
        wanted = 0
        examined: list[Model] = []
        if items is not None:
            examined = list(each_subject(self.products[:MAX_EXAMINED], source=self.source))
        for item in self.items(examined=examined) if items is None else items:
            counts[item.status.value] += 1
            wanted += item.is_wanted
            if item.problem:
                problems[item.problem] += 1
        # Each reads a photo, which may be in a remote storage.
        warnings = Counter(
            each for one in examined if wanted for each in self.planner.warnings(one)
        )
        return Summary(
            counts=counts,
            wanted=wanted,
            price_usd=usd(wanted * self.price_each_microusd),
            seconds=self.planner.seconds(wanted),
            problems=problems,
            warnings=dict(warnings),
            photos=self.planner.photos,
        )

    def each_product(self) -> Iterator[Model]:
        """Yield the products, or those that they show the pictures of, streamed from the database."""
        return each_subject(self.products, source=self.source)

    def product_keys(self) -> list[str]:
        """Return the primary keys of the products as text. One query, or none."""
        # A selection of the admin and the members of a series know their keys.
        known = getattr(self.products, "keys", None)
        if not isinstance(self.products, QuerySet):
            return [str(product.pk) for product in self.products] if known is None else list(known)
        keys = self.products.values_list("pk", flat=True) if known is None else known
        return [str(key) for key in keys]

    def _with_status(self, specs: dict[str, ImageSpec]) -> Iterator[Item]:
        """Yield an item for each of ``specs``, a block of them by fingerprint."""
        wanted, existing = self._replace_rejected(specs)
        taken = existing.present | existing.underway
        # A final is made beside its draft, which has the same request and stays.
        request_hashes = {
            key: spec.request_hash
            for key, spec in wanted.items()
            if key not in taken and not spec.draft and self.planner.replaces
        }
        # A usable picture of the same request with another fingerprint: this one replaces it.
        outdated = requests_with_pictures(set(request_hashes.values()))
        for key, spec in wanted.items():
            if key in existing.present:
                status = ItemStatus.PRESENT
            elif key in existing.underway:
                status = ItemStatus.UNDERWAY
            elif request_hashes.get(key) in outdated:
                status = ItemStatus.STALE
            else:
                status = ItemStatus.MISSING
            yield Item(
                object_id=spec.object_id,
                spec=spec,
                fingerprint=key,
                status=status,
                variant=spec.product_variant,
            )

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
