"""Tiers: named choices of provider, model and size, cheapest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.conf import settings
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.providers import model_specs

REQUIRED: Final = ("PROVIDER", "MODEL", "SIZE")
KEYS: Final = (*REQUIRED, "THINKING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One entry of ``NB_CATALOG["TIERS"]``. ``provider`` is an alias of ``NB_CATALOG["PROVIDERS"]``."""

    name: str
    provider: str
    model: str
    size: str
    thinking: str = ""

    @property
    def model_spec(self) -> model_specs.ModelSpec:
        return model_specs.spec_for(self.model)


def tier(name: str) -> Tier:
    """Return the tier called ``name``. Raises ``RequestRefused`` if there is none."""
    table = settings.TIERS
    if name not in table:
        raise RequestRefused(
            _("There is no tier %(name)r.") % {"name": name} + nearest(name, table)
        )
    return _tier(name, table[name])


def tiers() -> Iterator[Tier]:
    """Yield every tier in the settings' order, which is cheapest first."""
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
