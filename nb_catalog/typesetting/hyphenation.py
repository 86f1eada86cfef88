"""Where long words may be hyphenated, by the dictionaries of pyphen."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import pyphen

from nb_catalog.typesetting.scripts import scripts_of

# Fewer letters before or after a hyphen look like a mistake in text as large as a headline.
MIN_BEFORE: Final = 3
MIN_AFTER: Final = 4
# Words of letters alone: no addresses, no model numbers, no soft hyphens, which say where to break.
_WORDS: Final = re.compile(
    rf"(?<![\w@.\u00ad/])[^\W\d_]{{{MIN_BEFORE + MIN_AFTER},}}(?![\w@\u00ad/]|\.\w)"
)
# The dictionaries of other scripts are for breaks without a visible hyphen.
_SCRIPTS: Final = frozenset({"Latn", "Cyrl", "Grek"})
_SYNONYMS: Final = {"no": "nb", "bs": "hr"}


@cache
def _dictionary(language: str) -> pyphen.Pyphen | None:
    """Return the dictionary for a BCP 47 tag; None if there is none."""
    name = pyphen.language_fallback(_SYNONYMS.get(language, language))
    return pyphen.Pyphen(lang=name, left=MIN_BEFORE, right=MIN_AFTER) if name else None


def hyphenation_points(text: str, *, language: str) -> frozenset[int]:
    """Return the indices in ``text`` at which a line may end with a hyphen that is not written there.

    ``language`` is a BCP 47 tag. Points at which a word would be spelt differently are left out, such as
    Hungarian "asz-szony".
    """
    dictionary = _dictionary(language)
    if dictionary is None:
        return frozenset()
    points: set[int] = set()
    for word in _WORDS.finditer(text):
        # Dictionaries are in lower case; capitals break where small letters do.
        lower = word[0].lower()
        if len(lower) == len(word[0]) and _SCRIPTS.issuperset(scripts_of(lower)):
            points.update(
                word.start() + point for point in dictionary.positions(lower) if point.data is None
            )
    return frozenset(points)
