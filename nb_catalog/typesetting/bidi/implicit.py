"""Classes that depend on their context: rules W1 to N2, and paired brackets (BD14 to BD16)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from nb_catalog.typesetting.bidi.explicit import ISOLATES, IsolatingRunSequence

_WEAK: Final = frozenset({"NSM", "EN", "AN", "AL", "ES", "ET", "CS"})
_ISOLATE_MARKS: Final = ISOLATES | {"PDI"}
_NEUTRAL: Final = frozenset({"B", "S", "WS", "ON", *_ISOLATE_MARKS})
# Next to neutrals, numbers count as right to left (N0 to N2).
_STRONG: Final = {"L": "L", "R": "R", "EN": "R", "AN": "R"}

# Bidi_Paired_Bracket of Unicode 15.0, opening and closing brackets alternately: `unicodedata` lacks the
# property. U+2329 and U+232A are escaped because editors normalize them to U+3008 and U+3009.
PAIRED_BRACKETS: Final = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋\u2329\u232a❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩"
    "⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖"
    "⹗⹘⹙⹚⹛⹜〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
)
# BD16: with more brackets open at once, none are paired.
MAX_OPEN_BRACKETS: Final = 63
# Angle brackets that Unicode has twice, canonically equivalent.
_CANONICAL: Final = {"\u2329": "\u3008", "\u232a": "\u3009"}


class Bracket(NamedTuple):
    """A paired bracket: the opening one of its pair in canonical form, and whether it is that one."""

    pair: str
    is_opening: bool


_BRACKETS: Final = {
    bracket: Bracket(_CANONICAL.get(opening, opening), bracket == opening)
    for opening, closing in zip(PAIRED_BRACKETS[::2], PAIRED_BRACKETS[1::2], strict=True)
    for bracket in (opening, closing)
}


def find_brackets(text: str) -> list[Bracket | None]:
    """Return the paired bracket at each index of ``text``, or None."""
    return [_BRACKETS.get(character) for character in text]


def pair_brackets(brackets: Iterable[Bracket | None]) -> list[tuple[int, int]]:
    """Return the indices of matching brackets (BD16), ordered by the opening one."""
    opened: list[tuple[str, int]] = []
    pairs = []
    for index, bracket in enumerate(brackets):
        if bracket is None:
            continue
        if bracket.is_opening:
            if len(opened) == MAX_OPEN_BRACKETS:
                return []
            opened.append((bracket.pair, index))
            continue
        for depth in reversed(range(len(opened))):
            if opened[depth][0] == bracket.pair:
                pairs.append((opened[depth][1], index))
                del opened[depth:]
                break
    return sorted(pairs)


def resolve_weak(classes: Sequence[str], *, sos: str) -> list[str]:
    """Apply rules W1 to W7 to the classes of one isolating run sequence."""
    classes = list(classes)
    if _WEAK.isdisjoint(classes):
        return classes
    previous = sos
    for index, bidi_class in enumerate(classes):  # W1: marks
        if bidi_class == "NSM":
            classes[index] = "ON" if previous in _ISOLATE_MARKS else previous
        previous = classes[index]
    _change_european_numbers(classes, sos, after="AL", to="AN")  # W2
    classes = ["R" if bidi_class == "AL" else bidi_class for bidi_class in classes]  # W3
    for index in range(1, len(classes) - 1):  # W4: one separator between two numbers of a class
        before, bidi_class, after = classes[index - 1 : index + 2]
        if before == after and (
            (bidi_class == "CS" and before in {"EN", "AN"})
            or (bidi_class == "ES" and before == "EN")
        ):
            classes[index] = before
    start = 0
    for bidi_class, group in groupby(list(classes)):  # W5: currency and percent signs
        end = start + len(list(group))
        if bidi_class == "ET" and "EN" in (*classes[start - 1 : start], *classes[end : end + 1]):
            classes[start:end] = ["EN"] * (end - start)
        start = end
    separators = {"ES", "ET", "CS"}
    classes = ["ON" if bidi_class in separators else bidi_class for bidi_class in classes]  # W6
    _change_european_numbers(classes, sos, after="L", to="L")  # W7
    return classes


def _change_european_numbers(classes: list[str], sos: str, *, after: str, to: str) -> None:
    """Turn EN into ``to`` wherever the last strong class before it is ``after``."""
    strong = sos
    for index, bidi_class in enumerate(classes):
        if bidi_class in {"L", "R", "AL"}:
            strong = bidi_class
        elif bidi_class == "EN" and strong == after:
            classes[index] = to


def resolve_neutral(
    classes: Sequence[str],
    *,
    run: IsolatingRunSequence,
    brackets: Sequence[Bracket | None],
    is_mark: Sequence[bool],
) -> list[str]:
    """Apply rules N0 to N2 to the classes of one isolating run sequence.

    ``is_mark`` is true where the original class was NSM: marks follow the bracket that they are on.
    """
    classes = list(classes)
    if _NEUTRAL.isdisjoint(classes):
        return classes
    neutral_brackets = (
        bracket if bidi_class == "ON" else None
        for bracket, bidi_class in zip(brackets, classes, strict=True)
    )
    for opening, closing in pair_brackets(neutral_brackets):
        direction = _bracket_direction(classes, opening, closing, run=run)
        if direction is None:
            continue
        for index in (opening, closing):
            classes[index] = direction
            while (index := index + 1) < len(classes) and is_mark[index]:
                classes[index] = direction
    start = 0
    for is_neutral, group in groupby(list(classes), key=_NEUTRAL.__contains__):
        end = start + len(list(group))
        if is_neutral:
            before = _STRONG[classes[start - 1]] if start else run.sos
            after = _STRONG[classes[end]] if end < len(classes) else run.eos
            direction = before if before == after else run.direction  # N1, N2
            classes[start:end] = [direction] * (end - start)
        start = end
    return classes


def _bracket_direction(
    classes: list[str], opening: int, closing: int, *, run: IsolatingRunSequence
) -> str | None:
    """Apply N0 b to d; None if there is nothing strong between the brackets."""
    inside = {_STRONG.get(bidi_class) for bidi_class in classes[opening + 1 : closing]} - {None}
    if run.direction in inside:
        return run.direction
    if not inside:
        return None
    context = (
        _STRONG[bidi_class] for bidi_class in reversed(classes[:opening]) if bidi_class in _STRONG
    )
    before = next(context, run.sos)
    return before if before in inside else run.direction
