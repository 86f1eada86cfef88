"""Fields of log records, for formatters that write them as JSON: ids, names and codes, as spans have."""

from __future__ import annotations

from typing import Any, Final

PREFIX: Final = "nb_catalog."


def fields(**values: Any) -> dict[str, Any]:
    """``extra`` of a log call. Empty values are left out."""
    return {f"{PREFIX}{name}": value for name, value in values.items() if value not in (None, "")}
