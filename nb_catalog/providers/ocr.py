"""Readers: whoever looks at a picture and says what is written on it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from nb_catalog.providers.text_base import TextProvider, TextResult, text_provider
from nb_catalog.providers.types import Payload

__all__ = [
    "OcrProvider",
    "OcrResult",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrResult(TextResult):
    """``lines`` as they stand on a picture, from the top, and ``printed`` what stands on the product."""

    lines: tuple[str, ...]
    printed: tuple[str, ...] = ()


class OcrProvider(TextProvider[OcrResult]):
    """Build, send and parse, as a ``Provider`` does for pictures. A reader is not told what it should
    find: it would find it."""

    setting: ClassVar[str] = "OCR_PROVIDER"

    @abstractmethod
    def estimate(self) -> Decimal:
        """The most that reading one picture is expected to cost, in USD. Raises ``RequestRefused`` where
        that is not known; what is free costs 0."""

    @abstractmethod
    def build(self, picture: bytes, mime_type: str, *, locale: str) -> Payload:
        """The vendor's body for a ``picture``, a PNG, JPEG or WebP, with words in ``locale``. Pure."""


def ocr_provider() -> OcrProvider | None:
    """The one that ``NB_CATALOG["OCR_PROVIDER"]`` describes; None where there is none.

    Raises ``InvalidSettings`` for one that does not import, and for options that it does not have.
    """
    # An abstract class: mypy wants a concrete one where a type is passed.
    return text_provider(OcrProvider)  # type: ignore[type-abstract]
