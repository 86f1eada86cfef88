"""Exact values of the host's rows: read, compared with what was written, and written back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import DateField, Field, FileField, Model, QuerySet

from nb_catalog.core.attributes import host_code

# Column -> value, as JSON stores it.
Values: TypeAlias = dict[str, Any]


def fields_of(model: type[Model]) -> dict[str, Field[Any, Any]]:
    """Return the columns of ``model`` with their fields."""
    return {field.attname: field for field in model._meta.concrete_fields}


def read(rows: QuerySet[Model], columns: Iterable[str]) -> Values | None:
    """Return the values of the first of ``rows``, None if there is none. Columns that the model does not have
    any more are left out."""
    known = fields_of(rows.model)
    values = rows.values(*(name for name in columns if name in known)).first()
    return None if values is None else json.loads(json.dumps(values, cls=DjangoJSONEncoder))


def file_columns(field: FileField) -> list[str]:
    """Return the columns that ``field`` writes: its own, and those of the size in pixels."""
    sizes = (getattr(field, "width_field", None), getattr(field, "height_field", None))
    return [field.attname, *filter(None, sizes)]


def columns_of_created(model: type[Model], *, without: Collection[str]) -> list[str]:
    """Return the columns of a created row in which a change shows that the host has edited it: not those of
    the fields ``without``, and not the time of the last change."""
    return [
        name
        for name, field in fields_of(model).items()
        if not field.primary_key
        and field.name not in without
        and not (isinstance(field, DateField) and field.auto_now)
    ]


def columns_of(model: type[Model], names: Iterable[str]) -> list[str]:
    """Return the columns of the fields with these names."""
    by_name = {field.name: field.attname for field in model._meta.concrete_fields}
    return [by_name.get(name, name) for name in names]


def differing(values: Mapping[str, Any], written: Mapping[str, Any]) -> list[str]:
    """Return the columns whose values are not those that were written."""
    return [name for name, value in values.items() if name in written and written[name] != value]


def assign(row: Model, values: Mapping[str, Any]) -> None:
    """Set ``values`` in ``row`` as they were read. A file is not opened for its size, as assigning would."""
    known = fields_of(type(row))
    for name, value in values.items():
        if name in known:
            row.__dict__[name] = None if value is None else known[name].to_python(value)


def names_of(model: type[Model], columns: Iterable[str]) -> list[str]:
    """Return the names of the fields of ``columns``, for ``save(update_fields=...)``."""
    known = fields_of(model)
    return [known[name].name for name in columns if name in known]


def objections(row: Model, *, fields: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Return what ``full_clean`` of the host says against ``row``, with the names of the fields that it is
    about; of its fields, only ``fields`` are validated. Raises ``RegistryError`` if it raises anything else.
    """
    names = {field.name for field in row._meta.fields}
    exclude = set() if fields is None else names - set(fields)
    try:
        with host_code(f"full_clean() of {type(row)._meta.label}"):
            try:
                row.full_clean(exclude=exclude)
            except ValidationError as error:
                labels = {field.name: f"{field.verbose_name}: " for field in row._meta.fields}
                return [
                    (name, f"{labels.get(name, '')}{message}")
                    for name, messages in error.message_dict.items()
                    for message in messages
                ]
    finally:
        # What the host's validators opened.
        _close_files(row)
    return []


def _close_files(row: Model) -> None:
    for field in row._meta.concrete_fields:
        file: Any = row.__dict__.get(field.attname) if isinstance(field, FileField) else None
        if getattr(file, "_file", None) is not None:
            file.close()
