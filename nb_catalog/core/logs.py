"""Structured fields of log records, for JSON formatters: ids, names and codes, as on spans."""

from __future__ import annotations

from typing import Any, Final

PREFIX: Final = "nb_catalog."


def fields(**values: Any) -> dict[str, Any]:
    """Return the ``extra`` argument of a log call, without empty values."""
    return {f"{PREFIX}{name}": value for name, value in values.items() if value not in (None, "")}
