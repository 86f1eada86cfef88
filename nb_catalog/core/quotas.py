"""The quotas in ``NB_CATALOG["QUOTAS"]``, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings

# In place of a model id: every model of the provider without quotas of its own.
ANY_MODEL: Final = "*"
NUMBERS: Final = ("REQUESTS_PER_MINUTE", "PICTURES_PER_MINUTE", "REQUESTS_PER_DAY", "IN_FLIGHT")
KEYS: Final = (*NUMBERS, "BURST")
# Anything larger is a typo.
MAX_QUOTA: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one model; None means unlimited.

    ``per_minute`` calls: a call makes one picture, so this is the smaller of the two quotas.
    ``per_day`` calls between two midnights in Pacific time. ``in_flight`` concurrent calls, over all
    machines. ``burst`` of the calls of a minute may be sent at once.
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
    """Return the time zone in which Google's days begin."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        # A system without a time zone database: standard time has the later midnight of the two.
        return timezone(timedelta(hours=-8))


def quotas_of(provider: str, model: str) -> Quotas:
    """Return the quotas of ``model``. Raises ``InvalidSettings`` if they are invalid."""
    models = settings.QUOTAS.get(provider, {})
    name = model if model in models else ANY_MODEL
    return (
        _parse(models[name], path=setting_path("QUOTAS", provider, name))
        if name in models
        else NONE
    )


def problems() -> list[InvalidSettings]:
    """Return everything that is wrong with the setting."""
    errors = []
    for provider, models in settings.QUOTAS.items():
        if provider not in settings.PROVIDERS:
            message = f"there is no such provider.{nearest(provider, settings.PROVIDERS)}"
            errors.append(InvalidSettings(message, path=setting_path("QUOTAS", provider)))
        for model, entry in models.items():
            try:
                _parse(entry, path=setting_path("QUOTAS", provider, model))
            except InvalidSettings as error:
                errors.append(error)
    return errors


def _parse(entry: Any, *, path: str) -> Quotas:
    if not isinstance(entry, Mapping):
        raise InvalidSettings(f"expected a dict of {', '.join(KEYS)}, got {entry!r}.", path=path)
    for key in entry:
        if key not in KEYS:
            raise InvalidSettings(f"unknown key {key!r}.{nearest(str(key), KEYS)}", path=path)
    numbers = {key: entry.get(key) for key in NUMBERS}
    for key, value in numbers.items():
        if value is not None and not _is_whole(value, 1, MAX_QUOTA):
            raise InvalidSettings(
                f"expected a whole number from 1 to {MAX_QUOTA:,}, got {value!r}.",
                path=f"{path}[{key!r}]",
            )
    minutes = (numbers["REQUESTS_PER_MINUTE"], numbers["PICTURES_PER_MINUTE"])
    per_minute = min((value for value in minutes if value is not None), default=None)
    burst = entry.get("BURST")
    if burst is None:
        # With a fiftieth, 96 % of the calls of a minute are still usable.
        burst = (per_minute or 0) // 50
    elif per_minute is None:
        raise InvalidSettings(
            "needs REQUESTS_PER_MINUTE or PICTURES_PER_MINUTE as well.", path=f"{path}['BURST']"
        )
    elif not _is_whole(burst, 0, per_minute - 1):
        raise InvalidSettings(
            f"expected a whole number below the {per_minute} of a minute, got {burst!r}.",
            path=f"{path}['BURST']",
        )
    return Quotas(
        per_minute=per_minute,
        per_day=numbers["REQUESTS_PER_DAY"],
        in_flight=numbers["IN_FLIGHT"],
        burst=burst,
    )


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
