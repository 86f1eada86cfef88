"""Labels of entries in the menus of other applications. Settings import this, so it needs no model."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils.formats import number_format

from nb_catalog.core.pagination import COUNT_LIMIT, bounded_count
from nb_catalog.core.states import ImageState


def with_waiting(label: Any) -> str:
    """Return ``label`` with the number of pictures that wait for review, if there are any. One query."""
    pictures = apps.get_model("nb_catalog", "ProductImage")._default_manager
    number = bounded_count(pictures.filter(state=ImageState.PENDING, kind="picture"))
    if number == 0:
        return str(label)
    shown = number_format(COUNT_LIMIT if number is None else number, force_grouping=True)
    return f"{label} ({shown}{'+' if number is None else ''})"
