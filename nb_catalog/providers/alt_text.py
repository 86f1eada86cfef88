"""Describers: whoever looks at a picture and proposes alternative texts for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from nb_catalog.providers.text_base import TextProvider, TextResult, text_provider
from nb_catalog.providers.types import Payload

__all__ = [
    "AltTextProvider",
    "AltTextResult",
    "PictureContext",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureContext:
    """What the shop knows of a picture: the product's title, and by locale the words that are set on it."""

    title: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AltTextResult(TextResult):
    """Alternative texts by locale as a describer proposes them, and what came with them."""

    texts: Mapping[str, str]


class AltTextProvider(TextProvider[AltTextResult]):
    """Build, send and parse, as a ``Provider`` does for pictures."""

    setting: ClassVar[str] = "ALT_TEXT_PROVIDER"

    @abstractmethod
    def estimate(self, *, locales: Sequence[str], about: PictureContext) -> Decimal:
        """The most that describing one picture in ``locales`` is expected to cost, in USD. Raises
        ``RequestRefused`` where that is not known; what is free costs 0."""

    @abstractmethod
    def build(
        self, picture: bytes, mime_type: str, *, locales: Sequence[str], about: PictureContext
    ) -> Payload:
        """The vendor's body for a ``picture``, a PNG, JPEG or WebP of at most 1024 pixels a side. Pure."""


def alt_text_provider() -> AltTextProvider | None:
    """The one that ``NB_CATALOG["ALT_TEXT_PROVIDER"]`` describes; None where there is none.

    Raises ``InvalidSettings`` for one that does not import, and for options that it does not have.
    """
    # An abstract class: mypy wants a concrete one where a type is passed.
    return text_provider(AltTextProvider)  # type: ignore[type-abstract]
