"""Reading JSON that nobody vouches for: what is not of the expected kind counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under ``name``, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def mappings(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list under ``name``."""
    found = value.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def text(value: Mapping[str, Any], *names: str) -> str:
    """The first of ``names`` that is a text, or an empty one."""
    return next((found for name in names if isinstance(found := value.get(name), str)), "")
