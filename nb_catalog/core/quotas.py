"""What a host says about quotas in ``NB_CATALOG["LIMITS"]``, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings

# In place of a model: each model of the provider that has no quotas of its own.
ANY_MODEL: Final = "*"
KEYS: Final = (
    "REQUESTS_PER_MINUTE",
    "PICTURES_PER_MINUTE",
    "REQUESTS_PER_DAY",
    "IN_FLIGHT",
    "BURST",
)
# A quota beyond that is a slip of the hand.
MAX_PER_MINUTE: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one model, None where there is none.

    ``per_minute`` calls: one call makes one picture, so the smaller of the two quotas a minute.
    ``per_day`` calls between two midnights in Pacific time. ``in_flight`` calls at a time, over all
    machines. ``burst`` of the calls of a minute may go out at once.
    """

    per_minute: int | None = None
    per_day: int | None = None
    in_flight: int | None = None
    burst: int = 0

    @property
    def are_none(self) -> bool:
        return self.per_minute is None and self.per_day is None and self.in_flight is None


NONE: Final = Quotas()


def pacific() -> tzinfo:
    """Where Google's days begin."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        # A system without time zones: standard time has the later midnight of the two.
        return timezone(timedelta(hours=-8))


def quotas_of(provider: str, model: str) -> Quotas:
    """The quotas that hold for ``model``. Raises ``InvalidSettings`` when they are wrong."""
    of_provider = settings.LIMITS.get(provider, {})
    name = model if model in of_provider else ANY_MODEL
    given = of_provider.get(name)
    return NONE if given is None else _quotas(given, path=_path(provider, name))


def problems() -> list[InvalidSettings]:
    """Everything that is wrong with the settings."""
    wrong = []
    for provider, of_provider in settings.LIMITS.items():
        if provider not in settings.PROVIDERS:
            known = nearest(provider, settings.PROVIDERS)
            wrong.append(
                InvalidSettings(f"there is no such provider.{known}", path=_path(provider))
            )
        for model, given in of_provider.items():
            try:
                _quotas(given, path=_path(provider, model))
            except InvalidSettings as error:
                wrong.append(error)
    return wrong


def _path(*keys: str) -> str:
    return "NB_CATALOG['LIMITS']" + "".join(f"[{key!r}]" for key in keys)


def _quotas(given: Any, *, path: str) -> Quotas:
    if not isinstance(given, Mapping):
        raise InvalidSettings(f"expected a dict of {', '.join(KEYS)}, got {given!r}.", path=path)
    for key in given:
        if key not in KEYS:
            raise InvalidSettings(f"unknown key {key!r}.{nearest(str(key), KEYS)}", path=path)
    numbers = {key: _number(given, key, path=path) for key in KEYS if key != "BURST"}
    minutes = (numbers["REQUESTS_PER_MINUTE"], numbers["PICTURES_PER_MINUTE"])
    per_minute = min((each for each in minutes if each is not None), default=None)
    return Quotas(
        per_minute=per_minute,
        per_day=numbers["REQUESTS_PER_DAY"],
        in_flight=numbers["IN_FLIGHT"],
        burst=_burst(given, per_minute, path=path),
    )


def _number(given: Mapping[str, Any], key: str, *, path: str) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PER_MINUTE:
        raise InvalidSettings(
            f"expected a whole number from 1 to {MAX_PER_MINUTE:,}, got {value!r}.",
            path=f"{path}[{key!r}]",
        )
    return value


def _burst(given: Mapping[str, Any], per_minute: int | None, *, path: str) -> int:
    value = given.get("BURST")
    if value is None:
        # A fiftieth leaves 96 of 100 calls a minute in use.
        return 0 if per_minute is None else per_minute // 50
    if per_minute is None:
        raise InvalidSettings(
            "needs REQUESTS_PER_MINUTE or PICTURES_PER_MINUTE beside it.", path=f"{path}['BURST']"
        )
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < per_minute:
        raise InvalidSettings(
            f"expected a whole number below the {per_minute} of a minute, got {value!r}.",
            path=f"{path}['BURST']",
        )
    return value
