"""A plan and its items, worked out in blocks so that any number of products fits in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.lookups import Existing, lookup, requests_with_pictures
from nb_catalog.generation.painted_text import PaintedTextPlanner
from nb_catalog.generation.refresh import RefreshPlanner
from nb_catalog.generation.replace_painted import ReplacePaintedText
from nb_catalog.generation.text_overlays import TypesetPlanner
from nb_catalog.models.db.money import micros, usd
from nb_catalog.registry import CatalogSource

T = TypeVar("T")

# Items looked up at once: bounds memory, and stays below every database's limit of parameters.
BLOCK: Final = 1000


class ItemStatus(TextChoices):
    MISSING = "missing", _("to be made")
    STALE = "stale", _("out of date")
    PRESENT = "present", _("already there")
    UNDERWAY = "underway", _("being made")
    IMPOSSIBLE = "impossible", _("not possible")


WANTED: Final = frozenset({ItemStatus.MISSING, ItemStatus.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One wanted picture and how it stands. ``problem`` says why one is not possible."""

    object_id: str
    spec: ImageSpec | None
    fingerprint: str
    status: ItemStatus
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A plan in numbers. ``seconds`` is a rough guess; ``problems`` are counted by sentence."""

    counts: Mapping[str, int]
    price_usd: Decimal
    seconds: float
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def wanted(self) -> int:
        """How many pictures would be made."""
        return sum(self.count_of(status) for status in WANTED)

    def count_of(self, status: str) -> int:
        """How many pictures have a status of ``ItemStatus``."""
        return self.counts.get(status, 0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a request stands for. Iterating works it out anew from the database, in blocks.

    ``key`` makes starting idempotent: one plan can become one run only.
    """

    key: str
    title: str
    source: CatalogSource
    products: QuerySet[Model] | Sequence[Model]
    planner: (
        BackgroundPlanner
        | TypesetPlanner
        | PaintedTextPlanner
        | ReplacePaintedText
        | RefreshPlanner
    )
    request: Mapping[str, Any]

    @property
    def tier(self) -> str:
        return self.planner.tier_name

    @cached_property
    def price_each_usd(self) -> Decimal:
        return self.planner.price_usd()

    @property
    def price_each_microusd(self) -> int:
        return micros(self.price_each_usd)

    @property
    def is_free(self) -> bool:
        return self.planner.is_free

    def items(self) -> Iterator[Item]:
        """Every picture that the request stands for, with its status."""
        for block in blocks(self.each_product(), size=max(1, BLOCK // self.planner.most_each)):
            yield from self._block(block)

    def wanted(self) -> Iterator[Item]:
        """The items that starting the plan would make."""
        return (item for item in self.items() if item.status in WANTED)

    def summary(self) -> Summary:
        """Counts, price in USD and seconds of the whole plan."""
        counts: Counter[str] = Counter()
        problems: Counter[str] = Counter()
        for item in self.items():
            counts[item.status.value] += 1
            if item.problem:
                problems[item.problem] += 1
        wanted = sum(counts[status] for status in WANTED)
        return Summary(
            counts=counts,
            price_usd=usd(wanted * self.price_each_microusd),
            seconds=self.planner.seconds(wanted),
            problems=problems,
        )

    def each_product(self) -> Iterator[Model]:
        """The products, read from the database as they are asked for."""
        if isinstance(self.products, QuerySet):
            return self.products.iterator(chunk_size=BLOCK)
        return iter(self.products)

    def _block(self, products: list[Model]) -> Iterator[Item]:
        specs: dict[str, ImageSpec] = {}
        planner = self.planner.for_block(products)
        for product in products:
            try:
                made = list(planner.specs(product))
            except NBCatalogError as error:
                made = [error] * planner.each
            for each in made:
                if isinstance(each, ImageSpec):
                    specs[each.fingerprint] = each
                else:
                    yield _impossible(product, problem=str(each))
        wanted, facts = self._without_rejected(specs)
        there = facts.present | facts.underway
        request_hashes = {
            key: each.request_hash for key, each in wanted.items() if key not in there
        }
        redone = requests_with_pictures(set(request_hashes.values()))
        for key, spec in wanted.items():
            status = _status(key, facts=facts, is_redone=request_hashes.get(key) in redone)
            yield Item(object_id=spec.object_id, spec=spec, fingerprint=key, status=status)

    def _without_rejected(
        self, specs: dict[str, ImageSpec]
    ) -> tuple[dict[str, ImageSpec], Existing]:
        """Put the next variant where a person rejected one: asking again means another one."""
        facts = lookup(specs)
        kept = {key: each for key, each in specs.items() if key not in facts.rejected}
        turned_down = [specs[key] for key in specs if key in facts.rejected]
        if not turned_down:
            return kept, facts
        further = {each.fingerprint: each for each in map(self.planner.further, turned_down)}
        more, more_facts = self._without_rejected(further)
        return kept | more, facts | more_facts


def _impossible(product: Model, *, problem: str) -> Item:
    return Item(
        object_id=str(product.pk),
        spec=None,
        fingerprint="",
        status=ItemStatus.IMPOSSIBLE,
        problem=problem,
    )


def _status(key: str, *, facts: Existing, is_redone: bool) -> ItemStatus:
    if key in facts.present:
        return ItemStatus.PRESENT
    if key in facts.underway:
        return ItemStatus.UNDERWAY
    return ItemStatus.STALE if is_redone else ItemStatus.MISSING
