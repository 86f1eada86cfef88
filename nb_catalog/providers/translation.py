"""Translation providers: propose the texts of a copy deck in another locale."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from nb_catalog.providers.text_base import TextProvider, TextResult, text_provider
from nb_catalog.providers.types import Payload

__all__ = [
    "TranslationProvider",
    "TranslationResult",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationResult(TextResult):
    """The proposed texts, by role."""

    texts: Mapping[str, str]


class TranslationProvider(TextProvider[TranslationResult]):
    """Build, send and parse, as in ``Provider``."""

    setting: ClassVar[str] = "TRANSLATION_PROVIDER"

    @abstractmethod
    def estimate(self, texts: Mapping[str, str]) -> Decimal:
        """Return the maximum expected cost of translating ``texts`` (role -> text), in USD; 0 if it
        is free. Raises ``RequestRefused`` if the cost is not known."""

    @abstractmethod
    def build(self, texts: Mapping[str, str], *, source: str, target: str) -> Payload:
        """Return the service's request body for translating ``texts`` from the locale ``source``
        into ``target``. Pure."""


def translation_provider() -> TranslationProvider | None:
    """Return the provider that ``NB_CATALOG["TRANSLATION_PROVIDER"]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    # mypy wants a concrete class where a type is passed.
    return text_provider(TranslationProvider)  # type: ignore[type-abstract]
