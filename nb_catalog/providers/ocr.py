"""OCR providers: read the text on a picture."""

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
    """``lines`` of text on the picture, top to bottom; ``printed`` is the text on the product itself."""

    lines: tuple[str, ...]
    printed: tuple[str, ...] = ()


class OcrProvider(TextProvider[OcrResult]):
    """Build, send and parse, as in ``Provider``. A request never contains the expected text: a model
    that knows it reports it, even where the picture differs."""

    setting: ClassVar[str] = "OCR_PROVIDER"

    @abstractmethod
    def estimate(self) -> Decimal:
        """Return the maximum expected cost of reading one picture, in USD; 0 if it is free. Raises
        ``RequestRefused`` if the cost is not known."""

    @abstractmethod
    def build(self, picture: bytes, mime_type: str, *, locale: str) -> Payload:
        """Return the service's request body for ``picture``, a PNG, JPEG or WebP file with text in
        ``locale``. Pure."""


def ocr_provider() -> OcrProvider | None:
    """Return the provider that ``NB_CATALOG["READER"]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    # mypy wants a concrete class where a type is passed.
    return text_provider(OcrProvider)  # type: ignore[type-abstract]
