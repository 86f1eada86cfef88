"""Validates a host's ``NB_CATALOG["MODEL_SPECS"]`` and merges it with the shipped model specs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from nb_catalog.conf import setting_path
from nb_catalog.core.text import nearest
from nb_catalog.core.types import SCENE_TREATMENTS
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.model_specs.sizes import RATIOS, SIZES
from nb_catalog.providers.model_specs.spec import ModelSpec

RATES: Final = ("input", "text_output", "image_output")
LEVELS: Final = ("minimal", "low", "medium", "high")
IMAGE_OPTIONS: Final = ("imageConfig", "responseFormat")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(value)
    return float(value)


def _usd(value: Any) -> Decimal:
    # A float has already lost the price's last digits.
    if isinstance(value, bool | float) or not (amount := Decimal(value)).is_finite() or amount < 0:
        raise ValueError(value)
    return amount


def _date(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(value)


def _choice(known: tuple[str, ...]) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in known:
            raise ValueError(value)
        return str(value)

    return accept


def _several(accept: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    def accept_all(value: Any) -> tuple[str, ...]:
        if isinstance(value, str | Mapping):
            raise ValueError(value)
        return tuple(accept(item) for item in value)

    return accept_all


def _table(known: tuple[str, ...], accept: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    key = _choice(known)

    def accept_all(value: Any) -> dict[str, Any]:
        return {key(name): accept(amount) for name, amount in dict(value).items()}

    return accept_all


_ACCEPT: Final[Mapping[str, tuple[Callable[[Any], Any], str]]] = {
    "provider": (_text, "the alias of a provider"),
    "name": (_text, "a text"),
    "sizes": (_several(_choice(SIZES)), f"a list from {', '.join(SIZES)}"),
    "ratios": (_several(_choice(RATIOS)), f"a list from {', '.join(RATIOS)}"),
    "max_references": (_integer, "a whole number of pictures"),
    "treatments": (
        _several(_choice(SCENE_TREATMENTS)),
        f"a list from {', '.join(SCENE_TREATMENTS)}",
    ),
    "thinking": (_several(_choice(LEVELS)), f"a list from {', '.join(LEVELS)}"),
    "free": (_flag, "True or False"),
    "batch": (_flag, "True or False"),
    "usd_per_million": (
        _table(RATES, _usd),
        f"a dict of {', '.join(RATES)} -> USD as Decimal or str",
    ),
    "image_tokens": (_table(SIZES, _integer), "a dict of size -> a whole number of tokens"),
    "price_per_image": (_table(SIZES, _usd), "a dict of size -> USD as Decimal or str"),
    "reference_tokens": (_integer, "a whole number of tokens"),
    "thinking_tokens": (_integer, "a whole number of tokens"),
    "price_source": (_text, "a text"),
    "price_as_of": (_date, "a date, 'YYYY-MM-DD' or None"),
    "released": (_date, "a date, 'YYYY-MM-DD' or None"),
    "deprecated_on": (_date, "a date, 'YYYY-MM-DD' or None"),
    "retired_on": (_date, "a date, 'YYYY-MM-DD' or None"),
    "replaced_by": (_text, "the id of a model"),
    "seconds": (_table(SIZES, _positive), "a dict of size -> a positive number of seconds"),
    "bills_per_image": (_flag, "True or False"),
    "image_options": (_choice(IMAGE_OPTIONS), f"one of {', '.join(IMAGE_OPTIONS)}"),
    "sends_image_size": (_flag, "True or False"),
}
_REQUIRED: Final = tuple(
    f.name
    for f in fields(ModelSpec)
    if f.name != "id" and f.default is MISSING and f.default_factory is MISSING
)


def with_overrides(
    shipped: ModelSpec | None, *, model: str, overrides: Mapping[str, Any]
) -> ModelSpec:
    """Return the shipped spec with the host's changes, or a new spec if none is shipped.

    Tables (prices, tokens, seconds) are merged key by key, all other values are replaced.
    Raises ``InvalidSettings`` for an unknown key, a wrong value or, in a new spec, a missing key.
    """
    path = setting_path("MODEL_SPECS", model)
    values: dict[str, Any] = {}
    for key, value in overrides.items():
        if key not in _ACCEPT:
            raise InvalidSettings(f"unknown key {key!r}.{nearest(str(key), _ACCEPT)}", path=path)
        accept, expected = _ACCEPT[key]
        try:
            values[key] = accept(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidSettings(
                f"expected {expected}, got {value!r}.", path=f"{path}[{key!r}]"
            ) from error
    if shipped is None:
        if missing := [key for key in _REQUIRED if key not in values]:
            raise InvalidSettings(
                f"a new model also needs {', '.join(map(repr, missing))}.", path=path
            )
        return ModelSpec(id=model, **values)
    merged: dict[str, Any] = {
        key: {**getattr(shipped, key), **value} if isinstance(value, dict) else value
        for key, value in values.items()
    }
    return replace(shipped, **merged)
