"""Which placements the public may see: those of objects that ``CatalogSource.visible()`` returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import CharField, Field, IntegerField, Q, TextField, UUIDField, Value
from django.db.models.functions import Cast, Concat, Substr

from nb_catalog.models import Placement
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import CatalogSource, registered

# Where a UUID has its hyphens, by the 1-based positions of its hexadecimal digits.
_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def visible_condition() -> Q:
    """Return the condition for placements of visible objects, of models that are registered.

    It is one subquery per model: keys are compared as text, because joining a text key to an integer
    key fails on PostgreSQL.
    """
    condition = Q(pk__in=[])
    for source in registered().values():
        condition |= Q(content_type=content_type_of(source.model), object_id__in=_keys_of(source))
    return condition


def visible_keys(source: CatalogSource, keys: Iterable[str]) -> set[str]:
    """Return those of ``keys``, as text, whose objects the public may see. One query."""
    rows = source.visible().filter(pk__in=list(keys))
    return {str(key) for key in rows.values_list("pk", flat=True)}


def _keys_of(source: CatalogSource) -> Any:
    """Return a subquery of the visible keys as text."""
    field: Any = source.model._meta.pk
    # A child by inheritance has a link to the row that has the key.
    while field.remote_field is not None:
        field = field.target_field
    text = _as_text(field)
    if text is not None:
        return source.visible().order_by().annotate(nb_catalog_key=text).values("nb_catalog_key")
    # How such a key is written is known to Python only: those that are published are looked up.
    published = Placement.objects.filter(content_type=content_type_of(source.model))
    keys = published.order_by().values_list("object_id", flat=True).distinct()
    return sorted(visible_keys(source, keys))


def _as_text(field: Field[Any, Any]) -> Any:
    """Return the expression that is equal to ``str(object.pk)``; None for fields that convert values."""
    if hasattr(field, "from_db_value") or not isinstance(
        field, IntegerField | CharField | TextField | UUIDField
    ):
        return None
    text = Cast("pk", CharField(max_length=128))
    if not isinstance(field, UUIDField) or connection.features.has_native_uuid_field:
        return text
    parts: list[Any] = []
    for start, length in _GROUPS:
        parts += [Value("-"), Substr(text, start, length)]
    return Concat(*parts[1:], output_field=CharField())
