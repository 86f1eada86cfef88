"""The ladder: named steps, each a provider, a model and a size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.providers import model_specs

REQUIRED: Final = ("PROVIDER", "MODEL", "SIZE")
KEYS: Final = (*REQUIRED, "THINKING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step. ``provider`` is an alias of ``NB_CATALOG["PROVIDERS"]``."""

    name: str
    provider: str
    model: str
    size: str
    thinking: str = ""

    @property
    def model_spec(self) -> model_specs.ModelSpec:
        return model_specs.spec_for(self.model)


def tier(name: str) -> Tier:
    """The step called ``name``. Raises ``RequestRefused`` when there is none."""
    steps = settings.TIERS
    if name not in steps:
        raise RequestRefused(f"There is no tier {name!r}.{nearest(name, steps)}")
    return _tier(name, steps[name])


def tiers() -> Iterator[Tier]:
    """Every step, the cheapest first as the settings list them."""
    for name, entry in settings.TIERS.items():
        yield _tier(name, entry)


def _tier(name: str, entry: Mapping[str, Any]) -> Tier:
    path = f"NB_CATALOG['TIERS'][{name!r}]"
    for key in entry:
        if key not in KEYS:
            raise InvalidSettings(f"unknown key {key!r}.{nearest(key, KEYS)}", path=path)
    for key in REQUIRED:
        if not entry.get(key):
            raise InvalidSettings(f"{key!r} is missing.", path=path)
    if entry["PROVIDER"] not in settings.PROVIDERS:
        hint = nearest(entry["PROVIDER"], settings.PROVIDERS)
        raise InvalidSettings(f"there is no provider {entry['PROVIDER']!r}.{hint}", path=path)
    return Tier(
        name=name,
        provider=entry["PROVIDER"],
        model=entry["MODEL"],
        size=entry["SIZE"],
        thinking=entry.get("THINKING", ""),
    )
