"""Safety settings: what Google's filters let pass, as an option of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings

PREFIX: Final = "HARM_CATEGORY_"
# google-genai 3.4, types.HarmCategory and types.HarmBlockThreshold.
CATEGORIES: Final = (
    "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY",
    "IMAGE_HATE", "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT",
)  # fmt: skip
THRESHOLDS: Final = (
    "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF",
)  # fmt: skip


def safety_settings(given: Any, *, path: str) -> tuple[dict[str, str], ...]:
    """``{"HARASSMENT": "BLOCK_ONLY_HIGH"}`` as the body carries it.

    Raises ``InvalidSettings`` for a word that Google does not have.
    """
    if not isinstance(given, Mapping):
        raise InvalidSettings("expected a dict of category -> threshold.", path=path)
    return tuple(
        {
            "category": PREFIX + _known(str(category).removeprefix(PREFIX), CATEGORIES, path=path),
            "threshold": _known(str(threshold), THRESHOLDS, path=path),
        }
        for category, threshold in given.items()
    )


def _known(word: str, words: tuple[str, ...], *, path: str) -> str:
    if word not in words:
        raise InvalidSettings(f"there is no {word!r}.{nearest(word, words)}", path=path)
    return word
