"""What a plan needs of its planner, and what planners of paid and of free pictures share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final, NamedTuple, Protocol, Self

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.billing import ceilings
from nb_catalog.billing.ceilings import CeilingKey
from nb_catalog.conf import settings
from nb_catalog.core.attributes import host_code
from nb_catalog.core.slots import Slot, misfits
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.text import shorten
from nb_catalog.core.types import Photo, RequestMode, Size
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
from nb_catalog.generation.photo_report import PhotoReport
from nb_catalog.generation.photos import PhotoReader
from nb_catalog.models.db.money import usd
from nb_catalog.providers import Provider, provider
from nb_catalog.providers.batches import limits_of
from nb_catalog.providers.tiers import Tier
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource

# Seconds to typeset one picture on one core; decoding and encoding take most of it.
TYPESETTING_SECONDS: Final = 0.3
# Characters of a list of names in a run's title.
MAX_LIST_LENGTH: Final = 120


class Impossible(NamedTuple):
    """Why a picture of one of several variants of a product is not possible."""

    error: NBCatalogError
    variant: str


class Planner(Protocol):
    """Turns products into the specs of their pictures, and knows what these cost.

    ``kind`` names the function of ``generation.planning`` that makes such a planner of ``as_request()``.
    """

    kind: ClassVar[str]

    @property
    def replaces(self) -> bool:
        """Return whether a picture replaces one that was made of the same request in another way."""

    @property
    def source(self) -> CatalogSource: ...

    @property
    def provider(self) -> Provider: ...

    @property
    def tier_name(self) -> str:
        """Return the name of the tier; "" for typesetting and photos, which have none."""

    @property
    def mode(self) -> RequestMode: ...

    @property
    def is_free(self) -> bool: ...

    @property
    def photos(self) -> PhotoReport | None:
        """Return what the last pass over the plan learned of the photos; None if it needs no cut-outs."""

    @property
    def per_product(self) -> int:
        """Return how many pictures of a product count as impossible when it cannot be planned."""

    @property
    def products_per_block(self) -> int:
        """Return how many products are prefetched together; it bounds the memory of a plan."""

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

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Planner:
        """Return a copy for one pass over the plan, with what depends on all its products."""

    def for_block(self, products: Sequence[Model]) -> Planner:
        """Return a copy with everything prefetched that ``specs`` needs of ``products``."""

    def specs(self, product: Model) -> Iterator[ImageSpec | Impossible | NBCatalogError]:
        """Yield the specs of one product's pictures, and an error for each that is not possible.

        Raises ``NBCatalogError`` if none of them is.
        """

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield what a person should know before pictures of ``product`` are made all the same."""

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec to make instead of ``spec``, which was rejected."""


class PaidPlanner(ABC):
    """Pictures made by the model of a tier."""

    source: CatalogSource
    tier: Tier
    mode: RequestMode
    photos: PhotoReport | None = None
    replaces: ClassVar[bool] = True

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return self

    @property
    @abstractmethod
    def reference_count(self) -> int:
        """Return how many pictures are sent along with each request, at most."""

    @property
    def least_references(self) -> int:
        """Return how many pictures each request needs at least."""
        return self.reference_count

    @property
    def tier_name(self) -> str:
        return self.tier.name

    @cached_property
    def photo_reader(self) -> PhotoReader:
        return PhotoReader()

    def photo_of(self, product: Model) -> Photo:
        """Return the photo that the product's pictures are made from. Raises ``PictureError``."""
        with host_code(f"{type(self.source).__name__}.photos()"):
            photos = self.source.photos(product)
        if not photos:
            raise PictureMissing(_("The product has no photo. Upload one."))
        self.photo_reader.check(photos[0])
        return photos[0]

    @cached_property
    def provider(self) -> Provider:
        return provider(self.tier.provider)

    @property
    def is_free(self) -> bool:
        return self.tier.model_spec.free

    def tier_objections(
        self, *, ratio: str, treatment: str, references: int | None = None
    ) -> Iterator[str]:
        """Yield every reason why the tier cannot make such pictures, an unknown price among them.

        ``references`` are those of one picture, by default what each request needs at least.
        """
        model_spec, in_batch = self.tier.model_spec, self.mode == RequestMode.BATCH
        yield from model_spec.objections(
            ratio=ratio,
            size=self.tier.size,
            references=self.least_references if references is None else references,
            treatment=treatment,
            thinking=self.tier.thinking,
            batch=in_batch,
            today=timezone.now().date(),
        )
        if in_batch and model_spec.batch and limits_of(self.provider) is None:
            yield (
                _(
                    "The provider “%(provider)s” is not configured for batches. Request these pictures "
                    "directly."
                )
                % {"provider": self.provider.alias}
            )
        try:
            self.price_usd()
        except RequestRefused as refusal:
            yield from refusal.objections

    def price_usd(self) -> Decimal:
        estimate = self.tier.model_spec.estimate(
            size=self.tier.size,
            references=self.reference_count,
            batch=self.mode == RequestMode.BATCH,
        )
        return max(estimate, self._ceiling_usd) if estimate else estimate

    @cached_property
    def _ceiling_usd(self) -> Decimal:
        """What such a picture has cost at most, looked up once: some planners ask for each picture."""
        key = CeilingKey(self.tier.model, self.tier.size, self.mode)
        return usd(ceilings.ceilings_of([key]).get(key, 0))

    def warnings(self, product: Model) -> Iterator[str]:
        return iter(())

    def seconds(self, pictures: int) -> float:
        """Return the estimated duration of ``pictures``; of a batch, the provider's own deadline."""
        if self.mode == RequestMode.BATCH and (limits := limits_of(self.provider)) is not None:
            return limits.hours * 3600 if pictures else 0.0
        concurrency = settings.FREE_THREADS if self.is_free else settings.CONCURRENCY
        per_picture = self.tier.model_spec.seconds.get(self.tier.size, 0.0)
        return per_picture * -(-pictures // concurrency)


class FreePlanner(ABC):
    """Pictures that are made here without a model, free of charge: by default, typeset ones.

    ``alias`` is the provider's, ``seconds_each`` the time for one picture on one core.
    """

    alias: ClassVar[str] = ALIAS
    seconds_each: ClassVar[float] = TYPESETTING_SECONDS
    tier_name: ClassVar[str] = ""
    is_free: ClassVar[bool] = True
    mode: ClassVar[RequestMode] = RequestMode.DIRECT
    photos: ClassVar[PhotoReport | None] = None
    replaces: ClassVar[bool] = True

    @cached_property
    def provider(self) -> Provider:
        return provider(self.alias)

    def objections(self) -> Iterator[str]:
        return iter(())

    @abstractmethod
    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        """Return a copy for one pass over the plan, with checks of its own."""

    def price_usd(self) -> Decimal:
        return Decimal(0)

    def warnings(self, product: Model) -> Iterator[str]:
        return iter(())

    def seconds(self, pictures: int) -> float:
        return self.seconds_each * -(-pictures // settings.FREE_THREADS)

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the same picture as another variant: fonts and texts may have changed since."""
        return replace(spec, variant=spec.variant + 1)


def slot_objections(
    source: CatalogSource, *, slot: str, size: Size | None, has_words: bool
) -> tuple[str, ...]:
    """Return why pictures of ``size`` in pixels fit neither ``slot`` nor, without one, any slot of the
    model. An unknown slot is an objection too; without ``size`` it is the only one."""
    try:
        slots = slots_for(source, slot)
    except RequestRefused as refusal:
        return refusal.objections
    return misfits(slots, size, has_words=has_words) if size else ()


def slots_for(source: CatalogSource, slot: str) -> tuple[Slot, ...]:
    """Return the slots that pictures may be meant for: ``slot``, or without one every slot of the model.

    Raises ``RequestRefused`` for an unknown slot.
    """
    return (source.slot(slot),) if slot else tuple(source.slot_table.values())


def plural_name(source: CatalogSource) -> str:
    """Return the model's plural name, capitalized, for a run's title."""
    name = str(source.model._meta.verbose_name_plural)
    return name[:1].upper() + name[1:]


def join_names(names: Iterable[str]) -> str:
    """Return ``names`` as a list for a run's title, cut where it gets too long."""
    return shorten(", ".join(names), MAX_LIST_LENGTH)
