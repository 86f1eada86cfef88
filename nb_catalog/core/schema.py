"""Build validated dataclasses from mappings that people write as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias, TypeVar

from nb_catalog.core.text import nearest

T = TypeVar("T")
Accept: TypeAlias = Callable[[Any], Any]
"""Converts a written value, or raises ``ValueError`` with what is accepted."""

HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


def one_of(*known: str) -> Accept:
    """Accept one of the ``known`` strings."""

    def accept(value: Any) -> str:
        if value not in known:
            raise ValueError(
                f"{value!r} is not accepted.{_close(value, known)} Accepted: {', '.join(known)}."
            )
        return str(value)

    return accept


def number(low: float, high: float) -> Accept:
    """Accept a finite number from ``low`` to ``high``."""

    def accept(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}, got {value!r}.")
        return float(value)

    return accept


def whole(low: int, high: int) -> Accept:
    """Accept a whole number from ``low`` to ``high``."""

    def accept(value: Any) -> int:
        good = isinstance(value, int) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            raise ValueError(f"expected a whole number from {low} to {high}, got {value!r}.")
        return int(value)

    return accept


def flag(value: Any) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {value!r}.")
    return value


def colour(value: Any) -> str:
    """Accept ``#`` and six hex digits; return them in lower case."""
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ValueError(f"expected a colour such as '#b98a5a', got {value!r}.")
    return value.lower()


def colour_or_none(value: Any) -> str:
    """Accept a colour, or "" for none."""
    return "" if value == "" else colour(value)


def check(part: Any, **rules: Accept) -> None:
    """Replace each attribute by what its rule returns. For use in ``__post_init__``.

    Raises ``ValueError`` that begins with the attribute's name.
    """
    for name, accept in rules.items():
        try:
            object.__setattr__(part, name, accept(getattr(part, name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def part(kind: type[T], data: Any, *, path: str, **nested: type[Any]) -> T:
    """Return a ``kind`` built from a mapping; keys in ``nested`` are built with their own class first.

    Raises ``ValueError`` that begins with ``path``.
    """
    values = dict(known(kind, data, path=path))
    for name, inner in nested.items():
        if values.get(name) is not None:
            values[name] = part(inner, values[name], path=f"{path}.{name}")
    for each in fields(kind):  # type: ignore[arg-type]
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and each.name not in values:
            raise ValueError(f"{path}: the key {each.name!r} is missing.")
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from error


def parts(kind: type[T], items: Any, *, path: str, **nested: type[Any]) -> tuple[T, ...]:
    """Return one ``kind`` for each mapping of a list, as ``part`` does."""
    if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
        raise ValueError(f"{path}: expected a list of objects, got {items!r}.")
    return tuple(
        part(kind, item, path=f"{path}[{index}]", **nested) for index, item in enumerate(items)
    )


def known(kind: type[Any], data: Any, *, path: str) -> Mapping[str, Any]:
    """Return ``data`` if it is a mapping whose keys are all fields of ``kind``. Raises ``ValueError``."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{path}: expected an object with named keys, got {data!r}.")
    names = sorted(each.name for each in fields(kind))
    for key in data:
        if key not in names:
            raise ValueError(
                f"{path}: there is no key {key!r}.{_close(key, names)} Accepted: {', '.join(names)}."
            )
    return data


def _close(word: Any, accepted: Iterable[str]) -> str:
    """Return only a close match: the message lists what is accepted anyway."""
    hint = nearest(word, accepted) if isinstance(word, str) else ""
    return hint if hint.startswith(" Did you mean") else ""
