"""What all plans of words on pictures have in common: the typesetter makes them, and it is free."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final

from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import RequestMode
from nb_catalog.providers import Provider, provider
from nb_catalog.providers.typesetter import ALIAS

# Of one picture on one processor: decoding and encoding are most of it.
SECONDS: Final = 0.3


class FreePlanner:
    is_free: ClassVar[bool] = True
    in_batch: ClassVar[bool] = False
    mode: ClassVar[RequestMode] = RequestMode.DIRECT
    tier_name: ClassVar[str] = ""

    @cached_property
    def maker(self) -> Provider:
        return provider(ALIAS)

    def price_usd(self) -> Decimal:
        return Decimal(0)

    def seconds(self, pictures: int) -> float:
        """About how long ``pictures`` take one worker."""
        return SECONDS * -(-pictures // settings.FREE_THREADS)

    def further(self, spec: ImageSpec) -> ImageSpec:
        """What to make instead of ``spec``, which was rejected: the same once more. Fonts and what
        the shop says may be others now."""
        return replace(spec, variant=spec.variant + 1)
