"""Paired brackets: BD14 to BD16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

# Bidi_Paired_Bracket of Unicode 15.0, opening and closing ones in turn: `unicodedata` has no such
# property.
PAIRS: Final = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩"
    "⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖"
    "⹗⹘⹙⹚⹛⹜〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
)
# BD16: how many brackets may be open at once before pairs are given up.
MOST_OPEN: Final = 63
# Angle brackets for which Unicode has two characters each.
_CANONICAL: Final = {"\u2329": "\u3008", "\u232a": "\u3009"}


class Kind(NamedTuple):
    """A bracket: the opening one of its pair, in canonical form, and whether it is that itself."""

    pair: str
    opens: bool


def _canonical(character: str) -> str:
    return _CANONICAL.get(character, character)


_KINDS: Final = {
    bracket: Kind(_canonical(opening), bracket == opening)
    for opening, closing in zip(PAIRS[::2], PAIRS[1::2], strict=True)
    for bracket in (opening, closing)
}


def kinds(text: str) -> list[Kind | None]:
    """Of each character, which paired bracket it is."""
    return [_KINDS.get(character) for character in text]


def paired(brackets: Iterable[Kind | None]) -> list[tuple[int, int]]:
    """Places of the brackets that make a pair, in the order of the opening ones."""
    opened: list[tuple[str, int]] = []
    pairs = []
    for index, bracket in enumerate(brackets):
        if bracket is None:
            continue
        if bracket.opens:
            if len(opened) == MOST_OPEN:
                return []
            opened.append((bracket.pair, index))
            continue
        depth = _last(opened, bracket.pair)
        if depth is not None:
            pairs.append((opened[depth][1], index))
            del opened[depth:]
    return sorted(pairs)


def _last(opened: list[tuple[str, int]], pair: str) -> int | None:
    return next((at for at in reversed(range(len(opened))) if opened[at][0] == pair), None)
