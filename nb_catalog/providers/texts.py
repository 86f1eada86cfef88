"""The configured text provider of each kind of job that requests texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from nb_catalog.core.types import JobKind
from nb_catalog.providers.alt_text import AltTextProvider, alt_text_provider
from nb_catalog.providers.comparison import ComparisonProvider, comparison_provider
from nb_catalog.providers.ocr import OcrProvider, ocr_provider
from nb_catalog.providers.text_base import TextProvider, required
from nb_catalog.providers.translation import TranslationProvider, translation_provider


def required_translation_provider() -> TranslationProvider:
    """Return the configured provider. Raises ``RequestRefused`` if there is none, ``InvalidSettings``
    if its setting is wrong; so do the others here."""
    return required(translation_provider(), setting=TranslationProvider.setting)


def required_alt_text_provider() -> AltTextProvider:
    """Return the configured provider of alternative texts."""
    return required(alt_text_provider(), setting=AltTextProvider.setting)


def required_ocr_provider() -> OcrProvider:
    """Return the configured OCR provider."""
    return required(ocr_provider(), setting=OcrProvider.setting)


def required_comparison_provider() -> ComparisonProvider:
    """Return the configured provider of comparisons."""
    return required(comparison_provider(), setting=ComparisonProvider.setting)


_REQUIRED: Final[Mapping[str, Callable[[], TextProvider[Any]]]] = MappingProxyType(
    {
        JobKind.TRANSLATION: required_translation_provider,
        JobKind.ALT_TEXT: required_alt_text_provider,
        JobKind.OCR: required_ocr_provider,
        JobKind.COMPARISON: required_comparison_provider,
    }
)


def provider_for(kind: str) -> TextProvider[Any]:
    """Return the provider of texts of ``kind``, one of ``JobKind``."""
    return _REQUIRED[kind]()
