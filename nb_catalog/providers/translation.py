"""Translators: whoever proposes the texts of a copy deck in another language."""

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
    """Texts by role as a translator proposes them, and what came with them."""

    texts: Mapping[str, str]


class TranslationProvider(TextProvider[TranslationResult]):
    """Build, send and parse, as a ``Provider`` does for pictures."""

    setting: ClassVar[str] = "TRANSLATION_PROVIDER"

    @abstractmethod
    def estimate(self, texts: Mapping[str, str]) -> Decimal:
        """The most that translating ``texts`` (role -> text) is expected to cost, in USD. Raises
        ``RequestRefused`` where that is not known; what is free costs 0."""

    @abstractmethod
    def build(self, texts: Mapping[str, str], *, source: str, target: str) -> Payload:
        """The vendor's body for ``texts`` from the locale ``source`` into ``target``. Pure."""


def translation_provider() -> TranslationProvider | None:
    """The one that ``NB_CATALOG["TRANSLATION_PROVIDER"]`` describes; None where there is none.

    Raises ``InvalidSettings`` for one that does not import, and for options that it does not have.
    """
    # An abstract class: mypy wants a concrete one where a type is passed.
    return text_provider(TranslationProvider)  # type: ignore[type-abstract]
