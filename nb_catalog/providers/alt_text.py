"""Alt text providers: propose alternative texts for a picture."""

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
    """What is known about a picture: the product's title, and by locale the text set on it."""

    title: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AltTextResult(TextResult):
    """The proposed alternative texts, by locale."""

    texts: Mapping[str, str]


class AltTextProvider(TextProvider[AltTextResult]):
    """Build, send and parse, as in ``Provider``."""

    setting: ClassVar[str] = "ALT_TEXT_PROVIDER"

    @abstractmethod
    def estimate(self, *, locales: Sequence[str], about: PictureContext) -> Decimal:
        """Return the maximum expected cost of describing one picture in ``locales``, in USD; 0 if it
        is free. Raises ``RequestRefused`` if the cost is not known."""

    @abstractmethod
    def build(
        self, picture: bytes, mime_type: str, *, locales: Sequence[str], about: PictureContext
    ) -> Payload:
        """Return the service's request body for ``picture``, a PNG, JPEG or WebP file of at most 1024
        pixels per side. Pure."""


def alt_text_provider() -> AltTextProvider | None:
    """Return the provider that ``NB_CATALOG["ALT_TEXT_PROVIDER"]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    # mypy wants a concrete class where a type is passed.
    return text_provider(AltTextProvider)  # type: ignore[type-abstract]
