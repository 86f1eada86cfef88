"""Build validated dataclasses from mappings that people write as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias, TypeVar

from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest

T = TypeVar("T")
Accept: TypeAlias = Callable[[Any], Any]
"""Converts a written value, or raises ``ValueError`` with what is accepted."""

HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
# Each is drawn, in a request for a preview, too.
MOST_PARTS: Final = 100


def one_of(*known: str) -> Accept:
    """Accept one of the ``known`` strings."""

    def accept(value: Any) -> str:
        if value not in known:
            problem = _("%(value)r is not accepted.") % {"value": value}
            raise ValueError(f"{problem}{_close(value, known)} {_accepted(known)}")
        return str(value)

    return accept


def number(low: float, high: float) -> Accept:
    """Accept a finite number from ``low`` to ``high``."""

    def accept(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(
                _("expected a number from %(low)s to %(high)s, got %(value)r.")
                % {"low": f"{low:g}", "high": f"{high:g}", "value": value}
            )
        return float(value)

    return accept


def whole(low: int, high: int) -> Accept:
    """Accept a whole number from ``low`` to ``high``."""

    def accept(value: Any) -> int:
        good = isinstance(value, int) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            raise ValueError(
                _("expected a whole number from %(low)s to %(high)s, got %(value)r.")
                % {"low": low, "high": high, "value": value}
            )
        return int(value)

    return accept


def flag(value: Any) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError(_("expected true or false, got %(value)r.") % {"value": value})
    return value


def colour(value: Any) -> str:
    """Accept ``#`` and six hex digits; return them in lower case."""
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ValueError(
            _("expected a colour such as '#b98a5a', got %(value)r.") % {"value": value}
        )
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
    optional = {each.name for each in fields(kind) if each.default is None}  # type: ignore[arg-type]
    for name, inner in nested.items():
        if name in values and (values[name] is not None or name not in optional):
            values[name] = part(inner, values[name], path=f"{path}.{name}")
    for each in fields(kind):  # type: ignore[arg-type]
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and each.name not in values:
            problem = _("the key %(name)r is missing.") % {"name": each.name}
            raise ValueError(f"{path}: {problem}")
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from error


def parts(kind: type[T], items: Any, *, path: str, **nested: type[Any]) -> tuple[T, ...]:
    """Return one ``kind`` for each mapping of a list of at most ``MOST_PARTS``, as ``part`` does."""
    if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
        problem = _("expected a list of objects, got %(value)r.") % {"value": items}
        raise ValueError(f"{path}: {problem}")
    items = list(items)
    if len(items) > MOST_PARTS:
        problem = _("expected at most %(most)s objects, got %(number)s.")
        values = {"most": MOST_PARTS, "number": len(items)}
        raise ValueError(f"{path}: {problem % values}")
    return tuple(
        part(kind, item, path=f"{path}[{index}]", **nested) for index, item in enumerate(items)
    )


def known(kind: type[Any], data: Any, *, path: str) -> Mapping[str, Any]:
    """Return ``data`` if it is a mapping whose keys are all fields of ``kind``. Raises ``ValueError``."""
    if not isinstance(data, Mapping):
        problem = _("expected an object with named keys, got %(value)r.") % {"value": data}
        raise ValueError(f"{path}: {problem}")
    names = sorted(each.name for each in fields(kind))
    for key in data:
        if key not in names:
            problem = _("there is no key %(name)r.") % {"name": key}
            raise ValueError(f"{path}: {problem}{_close(key, names)} {_accepted(names)}")
    return data


def _close(word: Any, accepted: Iterable[str]) -> str:
    """Return only a close match: the message lists what is accepted anyway."""
    return nearest(word, accepted, otherwise_all=False) if isinstance(word, str) else ""


def _accepted(names: Iterable[str]) -> str:
    return _("Accepted: %(names)s.") % {"names": ", ".join(names)}
