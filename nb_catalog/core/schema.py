"""Readable mappings, such as people write as JSON, made into values that are checked when made."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias, TypeVar

from nb_catalog.core.text import nearest

T = TypeVar("T")
Accept: TypeAlias = Callable[[Any], Any]
"""Turns a written value into ours or raises ``ValueError`` that says what is accepted."""

HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


def one_of(*known: str) -> Accept:
    """One of some words."""

    def accept(value: Any) -> str:
        if value not in known:
            raise ValueError(
                f"{value!r} is not accepted.{_close(value, known)} Accepted: {', '.join(known)}."
            )
        return str(value)

    return accept


def number(low: float, high: float) -> Accept:
    """A finite number from ``low`` to ``high``."""

    def accept(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}, got {value!r}.")
        return float(value)

    return accept


def whole(low: int, high: int) -> Accept:
    """A whole number from ``low`` to ``high``."""

    def accept(value: Any) -> int:
        good = isinstance(value, int) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            raise ValueError(f"expected a whole number from {low} to {high}, got {value!r}.")
        return int(value)

    return accept


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {value!r}.")
    return value


def colour(value: Any) -> str:
    """``#`` and six hex digits, in lower case."""
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ValueError(f"expected a colour such as '#b98a5a', got {value!r}.")
    return value.lower()


def colour_or_none(value: Any) -> str:
    """A colour, or "" for none."""
    return "" if value == "" else colour(value)


def check(part: Any, **rules: Accept) -> None:
    """Put what each rule makes of an attribute in its place. For ``__post_init__``.

    Raises ``ValueError`` that begins with the attribute's name.
    """
    for name, accept in rules.items():
        try:
            object.__setattr__(part, name, accept(getattr(part, name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def part(kind: type[T], given: Any, *, path: str, **nested: type[Any]) -> T:
    """``kind`` made from a mapping, what is ``nested`` in it made first; every error begins with the
    place."""
    written = dict(known(kind, given, path=path))
    for name, inner in nested.items():
        if written.get(name) is not None:
            written[name] = part(inner, written[name], path=f"{path}.{name}")
    for each in fields(kind):  # type: ignore[arg-type]
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and each.name not in written:
            raise ValueError(f"{path}: the key {each.name!r} is missing.")
    try:
        return kind(**written)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from error


def parts(kind: type[T], given: Any, *, path: str, **nested: type[Any]) -> tuple[T, ...]:
    """A list of them."""
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ValueError(f"{path}: expected a list of objects, got {given!r}.")
    return tuple(
        part(kind, each, path=f"{path}[{index}]", **nested) for index, each in enumerate(given)
    )


def known(kind: type[Any], given: Any, *, path: str) -> Mapping[str, Any]:
    """``given``, a mapping whose keys are all fields of ``kind``."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{path}: expected an object with named keys, got {given!r}.")
    names = sorted(each.name for each in fields(kind))
    for key in given:
        if key not in names:
            raise ValueError(
                f"{path}: there is no key {key!r}.{_close(key, names)} Accepted: {', '.join(names)}."
            )
    return given


def _close(word: Any, accepted: Iterable[str]) -> str:
    """The nearest match alone: what is accepted is listed anyway."""
    hint = nearest(word, accepted) if isinstance(word, str) else ""
    return hint if hint.startswith(" Did you mean") else ""
