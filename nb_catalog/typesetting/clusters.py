"""Clusters: what readers take for one character, and whether it is an emoji."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from uniseg.emoji import emoji, emoji_presentation
from uniseg.graphemecluster import (
    GraphemeClusterBreak,
    grapheme_cluster_break,
    grapheme_clusters,
)

from nb_catalog.core.text import is_visible

ZWJ: Final = "\u200d"
# Requests for text or emoji presentation (UTS #51, 1.4.3).
TEXT_SELECTOR: Final = "\ufe0e"
EMOJI_SELECTOR: Final = "\ufe0f"
_KEYCAP: Final = "\u20e3"


@lru_cache(maxsize=16384)
def _stands_alone(character: str) -> bool:
    return bool(grapheme_cluster_break(character) == GraphemeClusterBreak.OTHER)


@lru_cache(maxsize=1024)
def _boundaries(text: str) -> tuple[int, ...]:
    # Most texts have nothing that combines, and segmenting takes 12 microseconds a character.
    if all(map(_stands_alone, text)):
        return tuple(range(len(text) + 1))
    return tuple(accumulate(map(len, grapheme_clusters(text)), initial=0))


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each extended grapheme cluster (UAX #29): a base character with its
    marks and joiners, a Korean syllable, a flag, an emoji sequence."""
    yield from pairwise(_boundaries(text))


@lru_cache(maxsize=4096)
def is_emoji(cluster: str) -> bool:
    """Return whether ``cluster`` is drawn as a coloured picture where fonts have one (UTS #51)."""
    if TEXT_SELECTOR in cluster:
        return False
    return bool(
        emoji_presentation(cluster[0])
        or emoji(cluster[0])
        and (EMOJI_SELECTOR in cluster or _KEYCAP in cluster or ZWJ in cluster)
    )


def is_emoji_sequence(cluster: str) -> bool:
    """Return whether ``cluster`` is several characters that are one picture together: a family, a flag,
    a skin tone."""
    # Tags spell a flag's region and cannot be seen.
    parts = (is_visible(each) or "\U000e0020" <= each <= "\U000e007f" for each in cluster)
    return is_emoji(cluster) and sum(parts) > 1


def selects_variant(character: str) -> bool:
    """Return whether it asks for another form of the character before it, which only some fonts have:
    standardized and ideographic variation sequences (Unicode 23.4)."""
    return "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef"
