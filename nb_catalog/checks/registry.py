"""What hosts registered."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from nb_catalog.registry import registered


def check_registry(**_options: Any) -> list[CheckMessage]:
    """The fields that sources name exist."""
    return [
        Error(what, hint=instead, obj=type(source), id="nb_catalog.E030")
        for source in registered().values()
        for what, instead in source.problems()
    ]
