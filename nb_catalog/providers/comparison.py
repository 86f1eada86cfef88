"""Comparison providers: look at a product's photo beside a picture of it, and say what differs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from nb_catalog.core.types import Reference
from nb_catalog.providers.text_base import TextProvider, TextResult, text_provider
from nb_catalog.providers.types import Payload

__all__ = [
    "ComparisonProvider",
    "ComparisonResult",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult(TextResult):
    """``differences`` are sentences about the product, the gravest first; none if it is the same.
    ``is_same_product`` is False if the picture shows another product, or none."""

    differences: tuple[str, ...]
    is_same_product: bool


class ComparisonProvider(TextProvider[ComparisonResult]):
    """Build, send and parse, as in ``Provider``. A request does not contain what was measured: a model that
    knows it agrees."""

    setting: ClassVar[str] = "COMPARISON_PROVIDER"

    @abstractmethod
    def estimate(self) -> Decimal:
        """Return the maximum expected cost of one comparison, in USD; 0 if it is free. Raises
        ``RequestRefused`` if the cost is not known."""

    @abstractmethod
    def build(self, photo: Reference, picture: Reference, *, locale: str) -> Payload:
        """Return the service's request body: ``photo`` is the product's, ``picture`` shows it in a scene;
        PNG, JPEG or WebP files. Differences are to be written in ``locale``. Pure."""


def comparison_provider() -> ComparisonProvider | None:
    """Return the provider that ``NB_CATALOG["COMPARISON_PROVIDER"]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    # mypy wants a concrete class where a type is passed.
    return text_provider(ComparisonProvider)  # type: ignore[type-abstract]
